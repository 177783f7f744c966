import type { Random } from '../random.ts';
import type { Schedule } from '../schedule.ts';
import { Air, EVERYBODY, NOBODY, type OnAir } from './air.ts';
import { MAX_PAYLOAD_BYTES } from './airtime.ts';
import type { LinkTable } from './links.ts';
import { Mac } from './mac.ts';
import { rssiFor } from './reception.ts';
import type { RadioConfig, RadioStats, Station, Transmission } from './station.ts';

const BROADCAST = 0xffffffffffff;

/** All stations of a simulation and the 802.11b medium between them. */
export class Radio {
  readonly #links: LinkTable;
  readonly #air: Air;
  readonly #macs: Mac[];
  readonly #accepted: Int32Array;
  readonly #addresses: Uint8Array[];
  readonly #byAddress = new Map<number, number>();
  readonly #listeners: ((transmission: Transmission) => void)[] = [];

  /** Every id of `links` may be attached; what is not is off. The random numbers are forks of `random`. */
  constructor(schedule: Schedule, random: Random, config: RadioConfig, links: LinkTable) {
    if (!Number.isInteger(config.macRetries) || config.macRetries < 0) {
      throw new RangeError(`macRetries is ${config.macRetries}: give a whole number from 0`);
    }
    this.#links = links;
    this.#accepted = new Int32Array(links.to.length).fill(-1);
    this.#addresses = links.ids.map(() => new Uint8Array(6));
    this.#macs = [];
    this.#air = new Air(links, this.#macs, config, random.fork('loss'));
    const shared = {
      schedule,
      links,
      air: this.#air,
      random: random.fork('backoff'),
      macRetries: config.macRetries,
      accepted: this.#accepted,
      addressOf: (station: number) => this.#addresses[station] as Uint8Array,
      report: (frame: OnAir) => this.#report(frame),
    };
    for (const index of links.ids.keys()) this.#macs.push(new Mac(index, shared));
  }

  /**
   * Powers a station on. Its id must be in the link table, its MAC address unlike the others'.
   * Throws a RangeError otherwise, or when it is attached already.
   */
  attach(station: Station): void {
    const index = this.#links.indexOf(station.id);
    const mac = this.#macs[index] as Mac;
    if (mac.station !== undefined) throw new RangeError(`${station.id} is attached already: detach it first`);
    const address = addressNumber(station.mac);
    const holder = this.#byAddress.get(address);
    if (address === BROADCAST || (holder !== undefined && holder !== index)) {
      throw new RangeError(`${station.id} has a MAC address that is taken: give every station its own`);
    }
    const former = addressNumber(this.#addresses[index] as Uint8Array);
    if (this.#byAddress.get(former) === index) this.#byAddress.delete(former);
    this.#byAddress.set(address, index);
    this.#addresses[index] = station.mac.slice();
    for (const sender of this.#links.ids.keys()) {
      const link = this.#links.find(sender, index);
      if (link >= 0) this.#accepted[link] = -1;
    }
    mac.station = station;
  }

  /** Powers a station off at once: what it is sending breaks off, its outstanding frame is dropped without a callback. */
  detach(id: string): void {
    this.#mac(id).powerOff();
  }

  /**
   * Sends a frame of 1 to 250 bytes, which is copied, to a MAC address or to ff:ff:ff:ff:ff:ff. True: `sent` will be called. False: a
   * frame of this station is outstanding already. Throws a RangeError for a station that is off and for a frame of any other length.
   */
  send(id: string, toMac: Uint8Array, frame: Uint8Array): boolean {
    const mac = this.#mac(id);
    if (mac.station === undefined) throw new RangeError(`${id} is off and cannot send: attach it first`);
    if (frame.length < 1 || frame.length > MAX_PAYLOAD_BYTES) {
      throw new RangeError(`a frame of ${frame.length} bytes does not fit the radio: send 1 to ${MAX_PAYLOAD_BYTES}`);
    }
    const address = addressNumber(toMac);
    const to = address === BROADCAST ? EVERYBODY : (this.#byAddress.get(address) ?? NOBODY);
    return mac.send(to, toMac.slice(), frame.slice());
  }

  /** Calls `listener` at the end of every frame on air. */
  observe(listener: (transmission: Transmission) => void): void {
    this.#listeners.push(listener);
  }

  /** Cuts the stations `ids` off from all others, in both directions, in addition to earlier cuts. Frames on their way are lost. */
  partition(ids: readonly string[]): void {
    this.#air.partition(new Set(ids.map((id) => this.#links.indexOf(id))));
  }

  /** Puts stations on a channel of 1 … 14; all begin on channel 1. Those on different channels do not notice each other. */
  tune(ids: readonly string[], channel: number): void {
    this.#air.tune(
      ids.map((id) => this.#links.indexOf(id)),
      channel,
    );
  }

  /** Gives the link of a pair another packet reception ratio, and the power that fits it; undefined: those that it had at first. */
  changeLink(from: string, to: string, prr: number | undefined): void {
    const link = this.#links.find(this.#links.indexOf(from), this.#links.indexOf(to));
    if (link < 0) throw new RangeError(`there is no link ${from} to ${to}: put one of ratio 0 into the table`);
    const { prr: ratios, rssiDbm } = this.#links;
    if (prr === undefined) this.#air.change(link, ratios[link] as number, rssiDbm[link] as number);
    else this.#air.change(link, prr, rssiFor(prr));
  }

  /** From now on this share of the MAC acknowledgements from `from` to `to` is lost; undefined stands for every station. */
  loseAcks(from: string | undefined, to: string | undefined, share: number): void {
    const [sender, receiver] = [from, to].map((id) => (id === undefined ? undefined : this.#links.indexOf(id)));
    for (let link = 0; link < this.#links.to.length; link++) {
      const matches =
        (sender ?? this.#links.from[link]) === this.#links.from[link] &&
        (receiver ?? this.#links.to[link]) === this.#links.to[link];
      if (matches) this.#air.loseAcks(link, share);
    }
  }

  /** Ends all partitions; frames that began before stay unheard. */
  heal(): void {
    this.#air.heal();
  }

  /** The stations that hear this one, and that it hears, with at least this packet reception ratio now. */
  neighbours(id: string, least: number): string[] {
    const { first, to, ids } = this.#links;
    const station = this.#links.indexOf(id);
    const found: string[] = [];
    for (let link = first[station] as number; link < (first[station + 1] as number); link++) {
      const neighbour = to[link] as number;
      const back = this.#links.find(neighbour, station);
      const isGood = back >= 0 && this.#air.prr(link) >= least && this.#air.prr(back) >= least;
      if (isGood) found.push(ids[neighbour] as string);
    }
    return found;
  }

  /** Live counters of a station. */
  stats(id: string): Readonly<RadioStats> {
    return this.#mac(id).stats;
  }

  #mac(id: string): Mac {
    return this.#macs[this.#links.indexOf(id)] as Mac;
  }

  #report(frame: OnAir): void {
    if (this.#listeners.length === 0) return;
    const { ids } = this.#links;
    const transmission: Transmission = {
      from: ids[frame.from] as string,
      to: frame.to === EVERYBODY ? 'broadcast' : (ids[frame.to] ?? Buffer.from(frame.toMac).toString('hex')),
      bytes: frame.bytes,
      kind: frame.ack ? 'ack' : 'data',
      attempt: frame.attempt,
      startUs: frame.startUs,
      endUs: frame.endUs,
      collided: frame.collided,
    };
    for (const listener of this.#listeners) listener(transmission);
  }
}

/** A MAC address as a 48-bit number. */
function addressNumber(mac: Uint8Array): number {
  if (mac.length !== 6) throw new RangeError(`a MAC address of ${mac.length} bytes: give 6`);
  return mac.reduce((value, byte) => value * 256 + byte, 0);
}
