import { type Interference, type Link, LinkTable } from '../../firmware/simulator/radio/links.ts';
import { Radio } from '../../firmware/simulator/radio/radio.ts';
import type { RadioConfig, Station } from '../../firmware/simulator/radio/station.ts';
import { Random } from '../../firmware/simulator/random.ts';
import { Schedule } from '../../firmware/simulator/schedule.ts';

export const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

/** The referee's settings: five transmissions in all, no capture. */
export const REFEREE: RadioConfig = {
  interferencePrr: 0.02,
  captureDb: null,
  macRetries: 4,
  burst: { meanBadS: 0, meanGoodS: 0 },
};

/** A station that notes what happens to it and runs hooks of the test. */
export class Probe implements Station {
  readonly id: string;
  readonly mac: Uint8Array;
  on = true;
  readonly got: { frame: Uint8Array; from: Uint8Array; to: Uint8Array; rssiDbm: number }[] = [];
  readonly results: boolean[] = [];
  onReceived: ((frame: Uint8Array) => void) | undefined;
  onSent: ((ok: boolean) => void) | undefined;

  constructor(id: string, number: number) {
    this.id = id;
    this.mac = Uint8Array.of(2, 0, 0, 0, number >> 8, number & 0xff);
  }

  listening(): boolean {
    return this.on;
  }

  received(frame: Uint8Array, from: Uint8Array, to: Uint8Array, rssiDbm: number): void {
    this.got.push({ frame, from, to, rssiDbm });
    this.onReceived?.(frame);
  }

  sent(ok: boolean): void {
    this.results.push(ok);
    this.onSent?.(ok);
  }
}

/** A radio with one probe per id, and traffic without firmware. */
export class Bench {
  readonly schedule = new Schedule();
  readonly radio: Radio;
  readonly random: Random;
  readonly #probes = new Map<string, Probe>();

  constructor(
    ids: string[],
    links: Link[],
    options: { config?: Partial<RadioConfig>; interference?: Interference[]; seed?: number } = {},
  ) {
    this.random = new Random(options.seed ?? 1);
    const table = new LinkTable(ids, links, options.interference);
    this.radio = new Radio(this.schedule, this.random.fork('radio'), { ...REFEREE, ...options.config }, table);
    for (const [number, id] of ids.entries()) {
      const probe = new Probe(id, number);
      this.#probes.set(id, probe);
      this.radio.attach(probe);
    }
  }

  probe(id: string): Probe {
    const probe = this.#probes.get(id);
    if (probe === undefined) throw new Error(`the bench has no station ${id}`);
    return probe;
  }

  /** Sends one frame of `bytes` bytes now; `to` undefined is everybody. */
  send(from: string, to: string | undefined, bytes = 100): boolean {
    return this.radio.send(from, to === undefined ? BROADCAST_MAC : this.probe(to).mac, new Uint8Array(bytes));
  }

  /** Keeps a frame outstanding at all times. */
  saturate(from: string, to: string | undefined, bytes: number): void {
    this.probe(from).onSent = () => this.send(from, to, bytes);
    this.send(from, to, bytes);
  }

  /** Poisson arrivals with a queue. */
  offer(from: string, to: string | undefined, bytes: number, perSecond: number): void {
    let waiting = 0;
    const random = this.random.fork(`offer ${from}`);
    const next = (): number => this.schedule.nowUs + Math.round((-Math.log(1 - random.float()) * 1e6) / perSecond);
    const arrive = (): void => {
      if (!this.send(from, to, bytes)) waiting++;
      this.schedule.at(next(), arrive);
    };
    this.probe(from).onSent = () => {
      if (waiting > 0 && this.send(from, to, bytes)) waiting--;
    };
    this.schedule.at(next(), arrive);
  }
}

/** Links in both directions between all of `ids`. */
export function fullMesh(ids: string[], prr = 1, rssi = -50): Link[] {
  return ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => ({ from, to, prr, rssi })));
}

/** One link in both directions. */
export function pair(a: string, b: string, prr = 1, rssi = -50): Link[] {
  return [
    { from: a, to: b, prr, rssi },
    { from: b, to: a, prr, rssi },
  ];
}
