import { decodeGatewayEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { PACKET_TYPES } from '../../nodes/headend/frame/packet.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { NoLoopChecker } from './checkers/no-loop.ts';
import { NonceReuseChecker } from './checkers/nonce-reuse.ts';
import type { Violation } from './checkers/violation.ts';
import { LiveChecks } from './live-checks.ts';
import { RepairWatch } from './repair.ts';
import type { Scenario } from './scenario.ts';
import type { Fault } from './scenario-faults.ts';
import type { Trace } from './trace.ts';
import type { World, WorldObserver } from './world.ts';

/**
 * So long may two nodes take each other for ways to different gateways, seconds: a beacon tells them at once, and when that is lost the next
 * packet does, which comes within a poll cycle.
 */
function loopGraceS({ pollCycleS }: Scenario): number {
  return 1.5 * pollCycleS + 10;
}

/** Of a packet's first byte (PROTOCOL.md, section 3). */
const PACKET_TYPE_BITS = 0x0f;

/** Watches a world for everything that has to be judged when it happens: parents, ways of packets, joining, repairs, nonces. */
export class Recorder implements WorldObserver {
  readonly loops: NoLoopChecker;
  readonly nonces: NonceReuseChecker;
  readonly repairs = new RepairWatch();
  readonly live: LiveChecks;
  readonly #world: World;
  readonly #meters: ReadonlySet<string>;
  readonly #hubs: readonly string[];
  readonly #byShortId = new Map<number, string>();
  readonly #bootS = new Map<string, number>();
  readonly #joinS = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.loops = new NoLoopChecker(world.seed, world.gateways.size > 1 ? loopGraceS(world.scenario) : 0);
    this.nonces = new NonceReuseChecker(world.seed);
    this.#meters = new Set(world.scenario.nodes.filter((node) => node.role === 'meter').map((node) => node.id));
    this.#hubs = world.scenario.nodes.filter(({ role }) => role === 'hub').map(({ id }) => id);
    this.live = new LiveChecks(world);
    world.observe(this);
    for (const [gateway, port] of world.gateways) port.onHostBytes((envelope) => this.#envelope(gateway, envelope));
  }

  /** What was found while the world ran. */
  get violations(): Violation[] {
    return [...this.loops.violations, ...this.nonces.violations, ...this.live.violations];
  }

  /** Judges what is the case at the end of a run. */
  end(): void {
    this.loops.check(this.#nowS());
    this.live.sample();
  }

  /** Seconds from each node's first power-on until it had joined; a node that has not joined counts up to now. */
  joinTimesS(): number[] {
    return [...this.#bootS].map(([node, bootS]) => this.#joinS.get(node) ?? this.#nowS() - bootS);
  }

  /** Of each meter behind a hub that was killed: seconds until it reported by another way. */
  reroutesS(): number[] {
    return this.repairs.reroutesS(new Set(this.#hubs), this.#nowS());
  }

  /** By hub: how many meters' last packet passed it. */
  metersThroughHubs(): Map<string, number> {
    return new Map(this.#hubs.map((hub) => [hub, this.repairs.metersThrough(hub)]));
  }

  power(node: string, on: boolean): void {
    if (!on) this.loops.poweredOff(node, this.#nowS());
    else if (!this.#bootS.has(node)) this.#bootS.set(node, this.#nowS());
  }

  fault(fault: Fault): void {
    if (fault.kind === 'kill') this.repairs.killed(fault.node, this.#nowS());
    else if (fault.kind === 'revive') this.repairs.revived(fault.node);
  }

  traced(node: string, trace: Trace): void {
    if (trace.kind === 'joined') {
      this.#byShortId.set(trace.shortId, node);
      if (!this.#joinS.has(node)) this.#joinS.set(node, this.#nowS() - (this.#bootS.get(node) ?? 0));
    } else if (trace.kind === 'parentChanged') {
      const parent = trace.parent === 0 ? undefined : this.#byShortId.get(trace.parent);
      this.loops.parentChanged(node, parent, this.#nowS());
      this.live.parentChanged(node, parent);
    }
  }

  sealed(node: string, key: Uint8Array, nonce: Uint8Array): void {
    this.nonces.sealed(node, key, nonce, this.#nowS());
  }

  /** A provider whose seals are judged as the head-end's. */
  watched(provider: CryptoProvider): CryptoProvider {
    return this.nonces.watched(provider, 'head-end', () => this.#nowS());
  }

  #envelope(gateway: string, bytes: Uint8Array): void {
    const envelope = decodeGatewayEnvelope(bytes);
    if (envelope.type !== 'up') return;
    const { route, packet } = envelope.item;
    const [origin, ...passed] = route.map((shortId) => this.#byShortId.get(shortId) ?? shortId.toString(16));
    if (origin === undefined) return;
    this.loops.passed([origin, ...passed], this.#nowS());
    // A handshake is no report.
    const isReport = ((packet[0] ?? 0) & PACKET_TYPE_BITS) === PACKET_TYPES.up;
    if (isReport && this.#meters.has(origin)) this.repairs.heard(origin, [...passed, gateway], this.#nowS());
  }

  #nowS(): number {
    return this.#world.schedule.nowUs / 1e6;
  }
}
