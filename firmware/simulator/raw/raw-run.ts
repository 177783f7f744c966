import { LinkTable } from '../radio/links.ts';
import { Radio } from '../radio/radio.ts';
import { Random } from '../random.ts';
import { Schedule } from '../schedule.ts';
import { FlowCount, figuresOf, type RawFigures, ratio } from './flow-count.ts';
import { Latencies } from './latencies.ts';
import { RawNode, type RawPacket } from './raw-node.ts';
import type { RawScenario } from './raw-scenario.ts';

/** One hop of a flow: `packets` left its MAC, `acknowledged` of them with success. */
export interface HopResult extends RawFigures {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
}

export interface FlowResult extends RawFigures {
  readonly path: readonly string[];
  /** Packets that came into being at the first node; a saturated one has one at a time. */
  readonly offered: number;
  /** Packets that arrived at the last node; of a broadcast, receptions of all nodes together. */
  readonly delivered: number;
  readonly goodputKbitPerS: number;
  /** From the offer to the arrival. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly hops: readonly HopResult[];
}

/** What raw traffic did to a radio, in a fixed order of fields. */
export interface RawResult {
  readonly seed: number;
  readonly durationS: number;
  readonly flows: readonly FlowResult[];
  /** All flows together; latency over all their packets. */
  readonly total: Omit<FlowResult, 'path' | 'hops'>;
  readonly events: number;
  readonly wallMs: number;
}

/** Sends the traffic of a file over the radio, without firmware. The same file and seed give the same result but for `wallMs`. */
export function runRaw(scenario: RawScenario, seed: number): RawResult {
  const startedMs = performance.now();
  const run = new RawRun(scenario, seed);
  const events = run.play();
  const { durationS } = scenario;
  const { flows } = run;
  const { path: _, hops: __, ...total } = flowResult(flows, [], durationS);
  return {
    seed,
    durationS,
    flows: flows.map((flow) => flowResult([flow], flow.path, durationS)),
    total,
    events,
    wallMs: Math.round(performance.now() - startedMs),
  };
}

class RawRun {
  readonly flows: FlowCount[];
  readonly #schedule = new Schedule();
  readonly #durationUs: number;
  readonly #random: Random;
  readonly #nodes = new Map<string, RawNode>();
  readonly #byMac: RawNode[] = [];

  constructor(scenario: RawScenario, seed: number) {
    this.#durationUs = Math.round(scenario.durationS * 1e6);
    this.#random = new Random(seed);
    const links = new LinkTable(scenario.nodes, scenario.links, scenario.interference);
    const radio = new Radio(this.#schedule, this.#random.fork('radio'), scenario.radio, links);
    const around = {
      radio,
      nowUs: () => this.#schedule.nowUs,
      nodeAt: (mac: Uint8Array) => this.#byMac[numberOf(mac)] as RawNode,
      node: (id: string) => this.#node(id),
      concluded: (packet: RawPacket) => this.#concluded(packet),
    };
    for (const [index, id] of scenario.nodes.entries()) {
      const node = new RawNode(id, macOf(index), around);
      this.#nodes.set(id, node);
      this.#byMac.push(node);
      radio.attach(node);
    }
    this.flows = scenario.traffic.map((flow) => new FlowCount(flow));
  }

  /** Returns the number of events. */
  play(): number {
    for (const [index, flow] of this.flows.entries()) {
      if (flow.saturated) this.#offer(flow);
      else this.#arrive(flow, flow.ratePerS as number, this.#random.fork(`flow ${index}`));
    }
    let events = 0;
    for (let next = this.#schedule.next(); next !== undefined && next <= this.#durationUs; events++) {
      this.#schedule.step();
      next = this.#schedule.next();
    }
    return events;
  }

  /** Offers packets at the times of a Poisson process. */
  #arrive(flow: FlowCount, ratePerS: number, random: Random): void {
    const again = (): void => {
      const waitUs = (-Math.log(1 - random.float()) * 1e6) / ratePerS;
      this.#schedule.at(this.#schedule.nowUs + Math.round(waitUs), () => {
        this.#offer(flow);
        again();
      });
    };
    again();
  }

  #offer(flow: FlowCount): void {
    flow.offered++;
    this.#node(flow.path[0] as string).offer({ flow, offeredUs: this.#schedule.nowUs, hop: 0 });
  }

  #concluded({ flow, hop }: RawPacket): void {
    if (hop === 0 && flow.saturated) this.#offer(flow);
  }

  #node(id: string): RawNode {
    return this.#nodes.get(id) as RawNode;
  }
}

/** Result of one flow, or of several together. */
function flowResult(flows: readonly FlowCount[], path: readonly string[], durationS: number): FlowResult {
  const hops = flows.flatMap((flow) => flow.hops);
  const first = flows.flatMap((flow) => flow.hops.slice(0, 1));
  const last = flows.flatMap((flow) => flow.hops.slice(-1));
  const packets = first.reduce((sum, hop) => sum + hop.concluded, 0);
  const bits = flows.reduce((sum, flow) => sum + flow.latencies.count * flow.payload.length * 8, 0);
  const latencies = new Latencies();
  for (const flow of flows) latencies.addAll(flow.latencies);
  return {
    path,
    offered: flows.reduce((sum, flow) => sum + flow.offered, 0),
    delivered: latencies.count,
    ...figuresOf(hops, last, packets),
    goodputKbitPerS: ratio(bits / 1000, durationS),
    latencyMs: { p50: latencies.quantileMs(0.5), p99: latencies.quantileMs(0.99) },
    hops: path.length === 0 ? [] : hops.map((hop, at) => hopResult(hop, path[at] as string, path[at + 1] as string)),
  };
}

function hopResult(hop: FlowCount['hops'][number], from: string, to: string): HopResult {
  return { from, to, packets: hop.concluded, ...figuresOf([hop], [hop], hop.concluded) };
}

/** A locally administered address with the node's number. */
function macOf(index: number): Uint8Array {
  return Uint8Array.of(0x02, 0x57, 0x4d, index >> 16, index >> 8, index);
}

function numberOf(mac: Uint8Array): number {
  return ((mac[3] as number) << 16) | ((mac[4] as number) << 8) | (mac[5] as number);
}
