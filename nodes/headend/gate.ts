import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import { WattmeshError } from './errors.ts';
import { GATEWAYS_MAX } from './gateways.ts';
import type { Registry } from './registry.ts';
import { TokenBucket } from './security/token-bucket.ts';

/** Handshakes of one known node: as many as it can need at once, then one in each of these, ms. */
export const NODE_HANDSHAKES_BURST = 8;
export const NODE_HANDSHAKE_REFILL_MS = 5_000;
/** The same for everybody unknown behind one gateway. */
export const GATEWAY_HANDSHAKES_BURST = 64;
export const GATEWAY_HANDSHAKE_REFILL_MS = 125;
/** Nodes whose buckets are kept; who is forgotten has a full one again. */
const BUCKETS_MAX = 1_024;

/** Keeps a flood of handshakes from taking all the time there is: each costs two key agreements before it is known to be false. */
export class Gate {
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #nodes = new BoundedMap<string, TokenBucket>(BUCKETS_MAX);
  readonly #gateways = new BoundedMap<string, TokenBucket>(GATEWAYS_MAX);

  constructor(clock: Clock, registry: Registry) {
    this.#clock = clock;
    this.#registry = registry;
  }

  /** Lets an M1 through to its opening, or throws `rateLimited`. The node id is what the packet claims. */
  pass(nodeId: string, gateway: string): void {
    if (this.#bucket(nodeId, gateway).take(this.#clock.nowMs())) return;
    throw new WattmeshError('rateLimited', `too many handshakes of ${nodeId} through ${gateway}: it tries again later`);
  }

  #bucket(nodeId: string, gateway: string): TokenBucket {
    const known = this.#registry.get(nodeId) ?? this.#registry.admissions.byNodeId(nodeId)?.state === 'approved';
    return known
      ? bucketOf(this.#nodes, nodeId, NODE_HANDSHAKES_BURST, NODE_HANDSHAKE_REFILL_MS, this.#clock)
      : bucketOf(this.#gateways, gateway, GATEWAY_HANDSHAKES_BURST, GATEWAY_HANDSHAKE_REFILL_MS, this.#clock);
  }
}

function bucketOf(
  buckets: BoundedMap<string, TokenBucket>,
  name: string,
  burst: number,
  refillMs: number,
  clock: Clock,
): TokenBucket {
  const known = buckets.get(name);
  if (known) return known;
  const bucket = new TokenBucket(burst, refillMs, clock.nowMs());
  buckets.set(name, bucket);
  return bucket;
}
