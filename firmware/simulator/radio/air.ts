import type { Random } from '../random.ts';
import { Bursts } from './bursts.ts';
import type { LinkTable } from './links.ts';
import type { RadioConfig } from './station.ts';

/** Receivers that are no single station. */
export const EVERYBODY = -1;
export const NOBODY = -2;

/** The frame that a station is sending. Every station has one such object for all its frames. */
export interface OnAir {
  readonly from: number;
  /** Number of a station, {@link EVERYBODY}, or {@link NOBODY} for an address that no station has. */
  to: number;
  toMac: Uint8Array;
  ack: boolean;
  bytes: Uint8Array | undefined;
  sequence: number;
  attempt: number;
  startUs: number;
  endUs: number;
  collided: boolean;
}

/** What the air tells a station's MAC. */
export interface Ear {
  readonly transmitting: boolean;
  listening(): boolean;
  /** The first carrier begins. */
  carrierOn(): void;
  /** The last carrier has ended. */
  carrierOff(): void;
  /** A frame that was noticed as such has ended; comes before {@link carrierOff}. */
  frameEnded(frame: OnAir, intact: boolean): void;
  /** Delivers an intact frame for this station or for everybody. */
  take(frame: OnAir, link: number): void;
  /** An acknowledgement for this station has ended and did not arrive. */
  ackLost(from: number): void;
}

/** What becomes of the frame on a link. */
const SILENT = 0;
const INTACT = 1;
const OVERLAPPED = 2;
/** The receiver is itself transmitting. */
const DEAF = 3;
/** The receiver or the sender is switched off, or the link is cut. */
const UNHEARD = 4;

/** Why a link is cut: bits. */
const PARTITION = 1;
const OTHER_CHANNEL = 2;
const FIRST_CHANNEL = 1;

/**
 * The shared medium: which frames are on air at which station, which of them destroy each other, and which arrive. Only stations that
 * have a link from the sender are touched, and nothing is allocated per frame.
 */
export class Air {
  readonly #links: LinkTable;
  readonly #ears: readonly Ear[];
  readonly #random: Random;
  readonly #captureDb: number | null;
  readonly #bursts: Bursts | undefined;
  readonly #interferencePrr: number;
  readonly #prr: Float64Array;
  readonly #rssiDbm: Float64Array;
  /** Per link: 1 where the sender collides at the receiver, 1 where it is sensed there, not 0 while the link is cut. */
  readonly #disturbs: Uint8Array;
  readonly #sensed: Uint8Array;
  readonly #cut: Uint8Array;
  /** Per link: 1 while a frame on it counts as a carrier at the receiver. */
  readonly #carried: Uint8Array;
  /** Per link: share of the acknowledgements on it that is lost; undefined: none anywhere. */
  #ackLoss: Float64Array | undefined;
  readonly #channel: Uint8Array;
  /** Per link: what becomes of the frame that its sender has on air. */
  readonly #fate: Uint8Array;
  /** The links by which frames are arriving, as a chained list per station: the newest, and for each link its neighbours; -1 ends. */
  readonly #newest: Int32Array;
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  /** Per station: how many frames that it senses are on air. */
  readonly #carriers: Uint16Array;
  readonly #delivering: number[] = [];

  constructor(links: LinkTable, ears: readonly Ear[], config: RadioConfig, random: Random) {
    this.#links = links;
    this.#ears = ears;
    this.#random = random;
    this.#captureDb = config.captureDb;
    if (config.burst.meanBadS > 0) this.#bursts = new Bursts(links.to.length, config.burst, random.fork('bursts'));
    this.#interferencePrr = config.interferencePrr;
    this.#prr = links.prr.slice();
    this.#rssiDbm = links.rssiDbm.slice();
    this.#disturbs = links.disturbs.map((always, link) => always | this.#reaches(link));
    this.#sensed = links.sensed.map((always, link) => always | this.#reaches(link));
    this.#cut = new Uint8Array(links.to.length);
    this.#carried = new Uint8Array(links.to.length);
    this.#channel = new Uint8Array(links.ids.length).fill(FIRST_CHANNEL);
    this.#fate = new Uint8Array(links.to.length);
    this.#newest = new Int32Array(links.ids.length).fill(-1);
    this.#older = new Int32Array(links.to.length).fill(-1);
    this.#newer = new Int32Array(links.to.length).fill(-1);
    this.#carriers = new Uint16Array(links.ids.length);
  }

  /** True while the station senses another one's carrier. */
  busyAt(station: number): boolean {
    return (this.#carriers[station] as number) > 0;
  }

  /** True while a frame is arriving by this link that the receiver has noticed. */
  arrivingBy(link: number): boolean {
    return this.#fate[link] === INTACT || this.#fate[link] === OVERLAPPED;
  }

  /** Puts a frame on air; its sender is `transmitting` already. */
  begin(frame: OnAir): void {
    const { first, to } = this.#links;
    const [older, cut, fate, sensed, carried, carriers] = [
      this.#older,
      this.#cut,
      this.#fate,
      this.#sensed,
      this.#carried,
      this.#carriers,
    ];
    for (let own = this.#newest[frame.from] as number; own >= 0; own = older[own] as number) this.#spoil(own, DEAF);
    const end = first[frame.from + 1] as number;
    for (let link = first[frame.from] as number; link < end; link++) {
      if (cut[link]) continue;
      const receiver = to[link] as number;
      const ear = this.#ears[receiver] as Ear;
      fate[link] = ear.transmitting ? DEAF : ear.listening() ? INTACT : UNHEARD;
      const newest = this.#newest[receiver] as number;
      for (let other = newest; other >= 0; other = older[other] as number) this.#overlap(link, other);
      this.#append(link, receiver, newest);
      if (!sensed[link]) continue;
      carried[link] = 1;
      if ((carriers[receiver] as number)++ === 0) ear.carrierOn();
    }
  }

  /**
   * Takes a frame off the air and tells every station that its medium changed. {@link deliver} comes next, once the sender has settled
   * its own state.
   */
  end(frame: OnAir): void {
    this.#delivering.length = 0;
    this.#clear(frame);
  }

  /** Hands the frame that has just ended to the stations it arrived at. */
  deliver(frame: OnAir): void {
    const { to } = this.#links;
    for (const link of this.#delivering) (this.#ears[to[link] as number] as Ear).take(frame, link);
    if (frame.ack && this.#delivering.length === 0) (this.#ears[frame.to] as Ear).ackLost(frame.from);
  }

  /** Breaks off a frame whose sender was powered off: it arrives nowhere. May be called while another frame is delivered. */
  breakOff(frame: OnAir): void {
    const { first } = this.#links;
    const end = first[frame.from + 1] as number;
    for (let link = first[frame.from] as number; link < end; link++) this.#spoil(link, UNHEARD);
    this.#clear(frame);
    if (frame.ack) (this.#ears[frame.to] as Ear).ackLost(frame.from);
  }

  /** Cuts every link between a station of `group` and one outside it, in addition to those that are cut. */
  partition(group: ReadonlySet<number>): void {
    const { from, to } = this.#links;
    for (let link = 0; link < to.length; link++) {
      if (group.has(from[link] as number) === group.has(to[link] as number)) continue;
      this.#cutOff(link, PARTITION);
    }
  }

  /** Ends all partitions. */
  heal(): void {
    for (let link = 0; link < this.#cut.length; link++) this.#cut[link] = (this.#cut[link] as number) & ~PARTITION;
  }

  /** Puts stations on a channel; all begin on the same one. Stations on different channels do not notice each other. */
  tune(group: readonly number[], channel: number): void {
    const { from, to } = this.#links;
    for (const station of group) this.#channel[station] = channel;
    for (let link = 0; link < to.length; link++) {
      const together = this.#channel[from[link] as number] === this.#channel[to[link] as number];
      if (together) this.#cut[link] = (this.#cut[link] as number) & ~OTHER_CHANNEL;
      else this.#cutOff(link, OTHER_CHANNEL);
    }
  }

  /** Gives a link another ratio and power; it then also interferes, or no longer does, as the ratio says. */
  change(link: number, prr: number, rssiDbm: number): void {
    this.#prr[link] = prr;
    this.#rssiDbm[link] = rssiDbm;
    this.#disturbs[link] = (this.#links.disturbs[link] as number) | this.#reaches(link);
    this.#sensed[link] = (this.#links.sensed[link] as number) | this.#reaches(link);
  }

  /** Packet reception ratio of a link now, 0 while it is cut; bursts apart. */
  prr(link: number): number {
    return this.#cut[link] ? 0 : (this.#prr[link] as number);
  }

  /** Power received by a link now, dBm. */
  rssiDbm(link: number): number {
    return this.#rssiDbm[link] as number;
  }

  /** From now on this share of the acknowledgements that go by the link is lost. */
  loseAcks(link: number, share: number): void {
    this.#ackLoss ??= new Float64Array(this.#cut.length);
    this.#ackLoss[link] = share;
  }

  /** Probability that a frame that ends at `nowUs` arrives by this link if nothing disturbs it. */
  #ratio(link: number, nowUs: number): number {
    const prr = this.#prr[link] as number;
    return this.#bursts?.ratio(link, prr, nowUs) ?? prr;
  }

  /** Settles the fate of a frame on each of its links and notes where it is to be delivered. */
  #clear(frame: OnAir): void {
    const { first, to } = this.#links;
    const prr = this.#prr;
    frame.collided = false;
    const end = first[frame.from + 1] as number;
    for (let link = first[frame.from] as number; link < end; link++) {
      const fate = this.#fate[link] as number;
      if (fate === SILENT) continue;
      this.#fate[link] = SILENT;
      const receiver = to[link] as number;
      const ear = this.#ears[receiver] as Ear;
      this.#remove(link, receiver);
      const addressed = frame.to === receiver;
      const meant = addressed || (frame.to === EVERYBODY && (prr[link] as number) > 0);
      if (meant && (fate === OVERLAPPED || fate === DEAF)) frame.collided = true;
      if ((fate === INTACT || fate === OVERLAPPED) && (prr[link] as number) > 0 && ear.listening()) {
        const intact =
          fate === INTACT && this.#random.float() < this.#ratio(link, frame.endUs) && !this.#ackFails(frame, link);
        ear.frameEnded(frame, intact);
        if (intact && (addressed || frame.to === EVERYBODY)) this.#delivering.push(link);
      }
      if (!this.#carried[link]) continue;
      this.#carried[link] = 0;
      if (--(this.#carriers[receiver] as number) === 0) ear.carrierOff();
    }
  }

  #ackFails(frame: OnAir, link: number): boolean {
    if (!frame.ack || this.#ackLoss === undefined) return false;
    const share = this.#ackLoss[link] as number;
    return share > 0 && this.#random.float() < share;
  }

  #cutOff(link: number, why: number): void {
    this.#cut[link] = (this.#cut[link] as number) | why;
    this.#spoil(link, UNHEARD);
  }

  #reaches(link: number): number {
    const prr = this.#prr[link] as number;
    return prr > 0 && prr >= this.#interferencePrr ? 1 : 0;
  }

  /** Adds a link to what is arriving at a station, whose newest so far is `newest`. */
  #append(link: number, receiver: number, newest: number): void {
    this.#older[link] = newest;
    this.#newer[link] = -1;
    if (newest >= 0) this.#newer[newest] = link;
    this.#newest[receiver] = link;
  }

  #remove(link: number, receiver: number): void {
    const [older, newer] = [this.#older[link] as number, this.#newer[link] as number];
    if (newer >= 0) this.#older[newer] = older;
    else this.#newest[receiver] = older;
    if (older >= 0) this.#newer[older] = newer;
  }

  #spoil(link: number, fate: number): void {
    if (this.#fate[link] === INTACT) this.#fate[link] = fate;
  }

  /** Two frames meet at one receiver. */
  #overlap(a: number, b: number): void {
    if (this.#disturbs[b] && !this.#captures(a, b)) this.#spoil(a, OVERLAPPED);
    if (this.#disturbs[a] && !this.#captures(b, a)) this.#spoil(b, OVERLAPPED);
  }

  /** True when the frame on link `a` is strong enough to survive the one on link `b`, whichever came first. */
  #captures(a: number, b: number): boolean {
    const aboveDb = (this.#rssiDbm[a] as number) - (this.#rssiDbm[b] as number);
    return this.#captureDb !== null && aboveDb > 0 && aboveDb >= this.#captureDb;
  }
}
