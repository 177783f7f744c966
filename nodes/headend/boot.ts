import type { Clock } from './clock.ts';
import { isPlausibleUtc } from './gateways.ts';
import { nodesOf } from './records.ts';
import type { MeshNode } from './registry.ts';
import type { OutboxEntry, Store } from './store/store.ts';

/** What a head-end begins its life with. */
export interface Beginning {
  /** Owner epoch, durable: no other life has had it. */
  readonly epoch: number;
  readonly nodes: readonly MeshNode[];
  /** Messages that an earlier life may not have sent. */
  readonly outbox: readonly OutboxEntry[];
}

/**
 * Opens the store and takes the owner epoch. Where UTC has not been set, or has not moved on since the last epoch, a restored backup could make
 * downlink nonces repeat: all sessions are discarded then, durably, and every node makes a new one.
 */
export async function boot(store: Store, clock: Clock): Promise<Beginning> {
  const state = await store.open();
  try {
    const nowMs = clock.nowMs();
    const utcS = Math.floor(nowMs / 1000);
    const epoch = await store.takeEpoch(utcS);
    const { outbox } = state;
    if (epoch === utcS && isPlausibleUtc(nowMs)) return { epoch, nodes: nodesOf(state), outbox };
    const clearedSessions = state.sessions.map(({ key, slot }) => ({ key, slot }));
    if (clearedSessions.length > 0) {
      await store.commit({ rows: [], nodes: [], sessions: [], clearedSessions, logs: [], outboxSent: 0 });
    }
    return { epoch, nodes: nodesOf({ ...state, sessions: [] }), outbox };
  } catch (error) {
    await store.close();
    throw error;
  }
}
