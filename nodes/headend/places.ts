import type { Gateways } from './gateways.ts';
import { HUB_SHORT_ID_MIN } from './joining.ts';
import type { MeshNode, Registry } from './registry.ts';

/** How far a packet has come, in names. */
export interface Way {
  /** The origin's own hub: the first one on the way; undefined when it reports straight to the gateway. */
  readonly hub: MeshNode | undefined;
  readonly gateway: string;
  /** From the origin's first hop to the gateway. */
  readonly path: string[];
  readonly hops: number;
}

/** Turns short ids and names on a link into nodes. */
export class Places {
  readonly #registry: Registry;
  readonly #gateways: Gateways;

  constructor(registry: Registry, gateways: Gateways) {
    this.#registry = registry;
    this.#gateways = gateways;
  }

  /** The way along `route` (short ids, the origin first) to a gateway (as `gatewayRef` wrote it). */
  way(route: readonly number[], gatewayRef: string): Way {
    const gateway = this.#registry.get(gatewayRef)?.record.name ?? gatewayRef;
    const relays = route.slice(1);
    return {
      hub: this.hubOn(route),
      gateway,
      path: [...relays.map((shortId) => this.#nameOf(shortId)), gateway],
      hops: route.length,
    };
  }

  /** The first hub behind the origin. */
  hubOn(route: readonly number[]): MeshNode | undefined {
    for (let hop = 1; hop < route.length; hop++) {
      const shortId = route[hop] as number;
      if (shortId >= HUB_SHORT_ID_MIN) return this.#registry.byShortId(shortId);
    }
    return undefined;
  }

  nodeId(shortId: number): string | undefined {
    return this.#registry.byShortId(shortId)?.record.nodeId;
  }

  /**
   * A gateway as the store keeps it: by its node id once that has joined, so that its name is found again after a restart; until then by its
   * name on the link.
   */
  gatewayRef(gateway: string): string {
    const nodeId = this.#gateways.get(gateway)?.nodeId;
    return nodeId !== undefined && this.#registry.get(nodeId) ? nodeId : gateway;
  }

  /** A short id that nobody holds any more is shown as its number. */
  #nameOf(shortId: number): string {
    return this.#registry.byShortId(shortId)?.record.name ?? `0x${shortId.toString(16).padStart(4, '0')}`;
  }
}
