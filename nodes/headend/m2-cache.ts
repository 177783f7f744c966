import { BoundedMap } from './bounded-map.ts';
import { WattmeshError } from './errors.ts';
import type { Joined } from './joining.ts';
import type { Registry } from './registry.ts';
import { sessionSlots } from './security/session.ts';

/** Most answers kept for nodes that repeat their M1. */
export const M2_CACHE_MAX = 256;
/** An answer is repeated after this pause, ms, at the earliest: nodes wait for 5 s, and recorded handshakes must not make a flood of answers. */
export const M2_REPEAT_MS_MIN = 2_000;

interface Entry {
  readonly joined: Joined;
  sentMs: number;
}

/** The M2 packets sent lately, by the SHA-256 of their M1: a node that missed its answer gets the same one. */
export class M2Cache {
  readonly #registry: Registry;
  readonly #answers = new BoundedMap<string, Entry>(M2_CACHE_MAX);

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  set(hash: string, joined: Joined, nowMs: number): void {
    this.#answers.set(hash, { joined, sentMs: nowMs });
  }

  /**
   * The answer to an M1 that was answered before; undefined when it was not, or when its session has been replaced since. `replay` when it
   * was sent a moment ago: the same M1 came by two ways, or is being replayed.
   */
  get(hash: string, nowMs: number): Joined | undefined {
    const entry = this.#answers.get(hash);
    const sessions = entry && this.#registry.get(entry.joined.nodeId)?.sessions;
    if (!entry || !sessionSlots.some((slot) => sessions?.[slot]?.handshakeHash === hash)) return undefined;
    const elapsedMs = nowMs - entry.sentMs;
    if (elapsedMs >= 0 && elapsedMs < M2_REPEAT_MS_MIN) {
      throw new WattmeshError('replay', `the handshake of ${entry.joined.nodeId} was answered a moment ago`);
    }
    entry.sentMs = nowMs;
    return entry.joined;
  }
}
