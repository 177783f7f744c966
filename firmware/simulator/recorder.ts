import { decodeGatewayEnvelope } from '../../nodes/headend/frame/envelope.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { NoLoopChecker } from './checkers/no-loop.ts';
import { NonceReuseChecker } from './checkers/nonce-reuse.ts';
import { RepairWatch } from './repair.ts';
import type { Fault } from './scenario.ts';
import type { Trace } from './trace.ts';
import { gatewayId, type World, type WorldObserver } from './world.ts';

/** Watches a world for everything that has to be judged when it happens: parents, ways of packets, joining, repairs, nonces. */
export class Recorder implements WorldObserver {
  readonly loops: NoLoopChecker;
  readonly nonces: NonceReuseChecker;
  readonly repairs: RepairWatch;
  readonly #world: World;
  readonly #meters: ReadonlySet<string>;
  readonly #byShortId = new Map<number, string>();
  readonly #bootS = new Map<string, number>();
  readonly #joinS = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.loops = new NoLoopChecker(world.seed);
    this.nonces = new NonceReuseChecker(world.seed);
    this.#meters = new Set(world.scenario.nodes.filter((node) => node.role === 'meter').map((node) => node.id));
    this.repairs = new RepairWatch(gatewayId(world.scenario));
    world.observe(this);
    world.gateway.onHostBytes((envelope) => this.#envelope(envelope));
  }

  /** Seconds from each node's first power-on until it had joined; a node that has not joined counts up to now. */
  joinTimesS(): number[] {
    return [...this.#bootS].map(([node, bootS]) => this.#joinS.get(node) ?? this.#nowS() - bootS);
  }

  power(node: string, on: boolean): void {
    if (!on) this.loops.poweredOff(node);
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
    }
  }

  sealed(node: string, key: Uint8Array, nonce: Uint8Array): void {
    this.nonces.sealed(node, key, nonce, this.#nowS());
  }

  /** A provider whose seals are judged as the head-end's. */
  watched(provider: CryptoProvider): CryptoProvider {
    return this.nonces.watched(provider, 'head-end', () => this.#nowS());
  }

  #envelope(bytes: Uint8Array): void {
    const envelope = decodeGatewayEnvelope(bytes);
    if (envelope.type !== 'up') return;
    const { route } = envelope.item;
    const [origin, ...passed] = route.map((shortId) => this.#byShortId.get(shortId) ?? shortId.toString(16));
    if (origin === undefined) return;
    this.loops.passed([origin, ...passed], this.#nowS());
    if (this.#meters.has(origin)) this.repairs.heard(origin, passed, this.#nowS());
  }

  #nowS(): number {
    return this.#world.schedule.nowUs / 1e6;
  }
}
