import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import type { Gateways } from './gateways.ts';
import type { Registry } from './registry.ts';

/** Most DOWN envelopes whose result is awaited; the oldest is forgotten first. */
const TOKENS_MAX = 4096;
/** A gateway that holds a DOWN for longer than this, s, drops it: by then a newer one is under way. */
const DOWN_LIFE_S = 60;

/** A packet for one node. */
export interface Downlink {
  readonly nodeId: string;
  readonly packet: Uint8Array;
  /** A hub on the way may keep it until it next polls the node. */
  readonly hold: boolean;
  /** Where to, when it is known better than by the node's last packet. */
  readonly gateway?: string;
}

/** Sends packets to nodes through the gateway by which each was last heard. */
export class Downlinks {
  readonly #clock: Clock;
  readonly #gateways: Gateways;
  readonly #registry: Registry;
  readonly #waysBack = new Map<string, string>();
  readonly #tokens = new BoundedMap<number, { readonly nodeId: string; readonly gateway: string }>(TOKENS_MAX);
  #token: number;
  #turn = 0;

  /** `token`: a random u32, so that results meant for an earlier start are told apart. */
  constructor(clock: Clock, gateways: Gateways, registry: Registry, token: number) {
    this.#clock = clock;
    this.#gateways = gateways;
    this.#registry = registry;
    this.#token = token;
  }

  /** A known node was heard through `gateway`. */
  heard(nodeId: string, gateway: string): void {
    if (this.#waysBack.get(nodeId) === gateway) return;
    if (this.#registry.get(nodeId)) this.#waysBack.set(nodeId, gateway);
  }

  /** False when no gateway took it. A node not heard since the start is tried through one gateway after the other. */
  send({ nodeId, packet, hold, gateway }: Downlink): boolean {
    const name = gateway ?? this.#waysBack.get(nodeId) ?? this.#anyGateway();
    if (name === undefined) return false;
    this.#token = (this.#token + 1) >>> 0;
    const expiresS = Math.floor(this.#clock.nowMs() / 1000) + DOWN_LIFE_S;
    if (!this.#gateways.send(name, { type: 'down', token: this.#token, expiresS, hold, packet })) return false;
    this.#tokens.set(this.#token, { nodeId, gateway: name });
    return true;
  }

  /** The node whose downlink a DOWN_RESULT of `gateway` is about; undefined for a token that is not its. */
  finished(gateway: string, token: number): string | undefined {
    const sent = this.#tokens.get(token);
    if (sent?.gateway !== gateway) return undefined;
    this.#tokens.delete(token);
    return sent.nodeId;
  }

  #anyGateway(): string | undefined {
    const gateways = this.#gateways.reachable();
    return gateways[this.#turn++ % Math.max(1, gateways.length)]?.name;
  }
}
