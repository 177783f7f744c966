import type { Clock } from '../../nodes/headend/clock.ts';
import { reasonOf, WattmeshError } from '../../nodes/headend/errors.ts';
import type { Link, LinkHandler } from '../../nodes/headend/link/link.ts';
import { type Firmware, loadFirmware } from './firmware.ts';
import { GatewayLink } from './gateway-port.ts';
import { LAYOUT_NAMES, type Layout, layoutNamed } from './layouts.ts';
import { Pacer } from './pacer.ts';
import { identityOf, nodeIdOfIdentity, publicKeyOf } from './provision.ts';
import { parseScenario } from './scenario.ts';
import type { MeterRow } from './trace.ts';
import { World } from './world.ts';

/** Rows per meter that the link's own log remembers: an hour at 5 s, for comparisons. */
export const LINK_LOG_ROWS_MAX = 720;

export interface SimulatedLinkOptions {
  /** Name of a built-in layout, or a scenario as in a file. */
  readonly scenario: string | object;
  readonly clock: Clock;
  /** Fixes the devices' keys and the households; starting again with the same seed is the same mesh, switched on again. */
  readonly seed: number | string;
  readonly networkId: string;
  /** Public key of the head-end that the devices join under suite 0x01; default: suite 0x00. */
  readonly headEndKey?: Uint8Array;
  /** 16 bytes; default: made from the seed. */
  readonly networkKey?: Uint8Array;
  /** Default: the built one. */
  readonly firmware?: Firmware;
}

/** A row that a simulated meter has measured. */
export interface SimulatedReading {
  readonly name: string;
  /** Hex. */
  readonly nodeId: string;
  readonly row: MeterRow;
}

/** What a factory knows of a device. */
export interface SimulatedDevice {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 0: it is no hub. */
  readonly localHubId: number;
}

/** A whole simulated mesh, in real time. It starts when it is first opened; while it is closed its time stands still. */
export class SimulatedLink implements Link {
  readonly kind = 'simulated';
  readonly #options: SimulatedLinkOptions;
  readonly #layout: Layout;
  readonly #listeners = new Set<(reading: SimulatedReading) => void>();
  readonly #nodeIds: ReadonlyMap<string, string>;
  #mesh: { readonly world: World; readonly link: GatewayLink; readonly pacer: Pacer } | undefined;
  #handler: LinkHandler | undefined;

  /** Throws `badConfig` for a layout that does not exist and `badScenario` for a scenario that is wrong. */
  constructor(options: SimulatedLinkOptions) {
    this.#options = options;
    this.#layout = layoutOf(options.scenario);
    const lastingSeed = String(options.seed);
    const { nodes } = this.#layout.scenario;
    this.#nodeIds = new Map(nodes.map(({ id }) => [id, nodeIdOfIdentity(identityOf(lastingSeed, id))]));
  }

  /** Names of the nodes by node id (hex), known before the mesh runs. */
  async names(): Promise<ReadonlyMap<string, string>> {
    return new Map([...this.#nodeIds].map(([id, nodeId]) => [nodeId, this.#nameOf(id)]));
  }

  /** The devices as a factory delivers them, known before the mesh runs. */
  devices(): SimulatedDevice[] {
    const lastingSeed = String(this.#options.seed);
    return this.#layout.scenario.nodes.map(({ id, localHubId }) => {
      return { name: this.#nameOf(id), publicKey: publicKeyOf(identityOf(lastingSeed, id)), localHubId };
    });
  }

  /** Hears every row that a meter measures; returns the function that ends it. */
  measured(listener: (reading: SimulatedReading) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What the meters measured since the start, the last {@link LINK_LOG_ROWS_MAX} rows of each: the truth to compare with. */
  log(): SimulatedReading[] {
    const world = this.#mesh?.world;
    if (!world) return [];
    return [...this.#nodeIds.keys()].flatMap((id) =>
      world
        .log(id)
        .rows()
        .map(({ row }) => this.#reading(id, row)),
    );
  }

  async open(handler: LinkHandler): Promise<void> {
    this.#handler = handler;
    this.#mesh ??= this.#start();
    await this.#mesh.link.open(handler);
    this.#mesh.pacer.start();
  }

  send(gateway: string, envelope: Uint8Array): boolean {
    return this.#mesh?.link.send(gateway, envelope) ?? false;
  }

  async close(): Promise<void> {
    this.#handler = undefined;
    this.#mesh?.pacer.stop();
    await this.#mesh?.link.close();
  }

  #start() {
    const { clock, seed, networkId, networkKey, headEndKey, firmware } = this.#options;
    const { scenario } = this.#layout;
    const startUtcMs = clock.nowMs();
    const world = new World({
      scenario,
      firmware: firmware ?? loadFirmware(),
      seed: `${seed} ${startUtcMs}`,
      lastingSeed: String(seed),
      network: networkId,
      startUtcMs,
      meterLogRowsMax: LINK_LOG_ROWS_MAX,
      headEndKey,
      ...(networkKey ? { networkKey } : {}),
    });
    world.observe({ measured: (id, row) => this.#tell(this.#reading(id, row)) });
    const pacer = new Pacer(world, clock, (error) => this.#failed(error));
    return { world, pacer, link: new GatewayLink(world.gateways) };
  }

  #tell(reading: SimulatedReading): void {
    for (const listener of [...this.#listeners]) listener(reading);
  }

  #reading(id: string, row: MeterRow): SimulatedReading {
    return { name: this.#nameOf(id), nodeId: this.#nodeIds.get(id) ?? '', row };
  }

  #nameOf(id: string): string {
    return this.#layout.names.get(id) ?? id;
  }

  #failed(error: Error): void {
    const detail = `the simulation has stopped: ${error.message}`;
    this.#handler?.state({ up: false, reason: reasonOf(error) ?? 'linkClosed', detail });
  }
}

function layoutOf(scenario: string | object): Layout {
  if (typeof scenario !== 'string') return { scenario: parseScenario(scenario), names: new Map() };
  const layout = layoutNamed(scenario);
  if (layout) return layout;
  throw new WattmeshError(
    'badConfig',
    `there is no simulated mesh called ${JSON.stringify(scenario)}: choose ${LAYOUT_NAMES.join(' or ')}`,
  );
}
