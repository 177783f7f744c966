import type { Clock } from './clock.ts';
import { isPlausibleUtc } from './gateways.ts';
import type { Keyring } from './keyring.ts';
import { nodesOf } from './records.ts';
import type { MeshNode } from './registry.ts';
import type { AdmissionRecord, OutboxEntry, SecretRecord, Store } from './store/store.ts';

/** What a head-end begins its life with. */
export interface Beginning {
  /** Owner epoch, durable: no other life has had it. */
  readonly epoch: number;
  readonly nodes: readonly MeshNode[];
  readonly admissions: readonly AdmissionRecord[];
  readonly secrets: readonly SecretRecord[];
  /** Messages that an earlier life may not have sent. */
  readonly outbox: readonly OutboxEntry[];
}

/**
 * Opens the store and takes the owner epoch. Where UTC has not been set, or has not moved on since the last epoch, a restored backup could make
 * downlink nonces repeat: all sessions are discarded then, durably, and every node makes a new one. Rejects with the error of the keyring,
 * before anything is changed, when the store belongs to other credentials.
 */
export async function boot(store: Store, clock: Clock, keyring: Keyring): Promise<Beginning> {
  const state = await store.open();
  try {
    const nowMs = clock.nowMs();
    keyring.openAll(state.secrets);
    const nodes = nodesOf(state, keyring, nowMs);
    const utcS = Math.floor(nowMs / 1000);
    const epoch = await store.takeEpoch(utcS);
    const { admissions, secrets, outbox } = state;
    if (epoch === utcS && isPlausibleUtc(nowMs)) return { epoch, nodes, admissions, secrets, outbox };
    const clearedSessions = state.sessions.map(({ key, slot }) => ({ key, slot }));
    if (clearedSessions.length > 0) {
      await store.commit({ rows: [], nodes: [], sessions: [], clearedSessions, logs: [], outboxSent: 0 });
    }
    return { epoch, nodes: nodes.map((node) => ({ ...node, sessions: {} })), admissions, secrets, outbox };
  } catch (error) {
    await store.close();
    throw error;
  }
}
