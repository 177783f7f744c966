import { BoundedMap } from './bounded-map.ts';
import type { Joined } from './joining.ts';
import type { Registry } from './registry.ts';
import { sessionSlots } from './security/session.ts';

/** Most answers kept for nodes that repeat their M1. */
export const M2_CACHE_MAX = 256;

/** The M2 packets sent lately, by the SHA-256 of their M1: a node that missed its answer gets the same one. */
export class M2Cache {
  readonly #registry: Registry;
  readonly #answers = new BoundedMap<string, Joined>(M2_CACHE_MAX);

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  set(hash: string, joined: Joined): void {
    this.#answers.set(hash, joined);
  }

  /** The answer to an M1 that was answered before; undefined when it was not, or when its session has been replaced since. */
  get(hash: string): Joined | undefined {
    const joined = this.#answers.get(hash);
    const sessions = joined && this.#registry.get(joined.nodeId)?.sessions;
    return sessionSlots.some((slot) => sessions?.[slot]?.handshakeHash === hash) ? joined : undefined;
  }
}
