import type { Random } from '../random.ts';
import type { EventHandle, Schedule } from '../schedule.ts';
import { type Air, type Ear, ENGAGED, EVERYBODY, LISTENS, NOBODY, type OnAir, TRANSMITTING } from './air.ts';
import {
  ACK_TIMEOUT_US,
  ACK_US,
  CARRIER_DETECT_US,
  CW_MAX,
  CW_MIN,
  DIFS_US,
  dataAirtimeUs,
  SIFS_US,
  SLOT_US,
} from './airtime.ts';
import type { LinkTable } from './links.ts';
import { emptyStats, type RadioStats, type Station } from './station.ts';

/** What all stations of a radio share. */
export interface Shared {
  readonly schedule: Schedule;
  readonly links: LinkTable;
  readonly air: Air;
  /** Source of the backoffs. */
  readonly random: Random;
  readonly macRetries: number;
  /** Per link: sequence number of the last frame that its receiver accepted, -1 for none. */
  readonly accepted: Int32Array;
  /** MAC address of a station by its number. */
  addressOf(station: number): Uint8Array;
  /** Called at the end of every frame. */
  report(frame: OnAir): void;
}

type Phase = 'empty' | 'contending' | 'sending' | 'awaitingAck';

/** No backoff is due: an idle medium may be used at once. */
const NO_BACKOFF = -1;
const SEQUENCE_NUMBERS = 4096;

/**
 * The distributed coordination function of one station (IEEE 802.11-2016, 10.3): carrier sense, backoff, acknowledgement, repetition and
 * the filter of repeated frames. One outgoing frame at a time.
 */
export class Mac implements Ear {
  readonly #stats = emptyStats();
  #station: Station | undefined;

  readonly #index: number;
  readonly #shared: Shared;
  readonly #onAir: OnAir;

  #phase: Phase = 'empty';
  #frame: Uint8Array | undefined;
  #to = NOBODY;
  #toMac: Uint8Array = new Uint8Array(6);
  #ackLink = -1;
  #sequence = 0;
  #attempt = 0;
  #ackTo = NOBODY;

  #window = CW_MIN;
  #slots = NO_BACKOFF;
  /** When the running backoff began to count, or will; Infinity while the medium is busy. */
  #countFromUs = 0;
  #ackTimeoutUs = 0;

  // One closure per event and station, made once.
  #access: EventHandle | undefined;
  #accessUs = 0;
  #ending: EventHandle | undefined;
  #ackDue: EventHandle | undefined;
  #timeout: EventHandle | undefined;
  readonly #onAccess = (): void => this.#sendData();
  readonly #onEnding = (): void => this.#transmissionEnded();
  readonly #onAckDue = (): void => this.#sendAck();
  readonly #onTimeout = (): void => this.#timedOut();
  readonly #onNoAck = (): void => {
    this.#timeout = undefined;
    this.#failed();
  };

  constructor(index: number, shared: Shared) {
    this.#index = index;
    this.#shared = shared;
    const none = { to: NOBODY, toMac: this.#toMac, ack: false, bytes: undefined, sequence: 0, attempt: 0 };
    this.#onAir = { from: index, ...none, startUs: 0, endUs: 0, collided: false };
  }

  /** What uses this MAC; undefined: it is off. */
  get station(): Station | undefined {
    return this.#station;
  }

  /** Live counters, but for the time of reception, which is brought up to date here. */
  get stats(): RadioStats {
    this.#stats.rxUs = this.#shared.air.rxUs[this.#index] as number;
    return this.#stats;
  }

  powerOn(station: Station): void {
    this.#station = station;
    this.#flag(LISTENS, station.neverSleeps === true);
  }

  listening(): boolean {
    return this.#station?.listening() ?? false;
  }

  /**
   * Takes a frame to send; `to` is a station's number, EVERYBODY or NOBODY. False: one is outstanding already. A frame that finds the
   * medium idle and no backoff running goes as soon as the medium has been idle for DIFS, one that finds it busy draws a backoff.
   */
  send(to: number, toMac: Uint8Array, frame: Uint8Array): boolean {
    if (this.#phase !== 'empty') return false;
    const now = this.#shared.schedule.nowUs;
    this.#phase = 'contending';
    this.#to = to;
    this.#toMac = toMac;
    this.#ackLink = to >= 0 ? this.#shared.links.find(to, this.#index) : -1;
    this.#frame = frame;
    this.#attempt = 0;
    this.#sequence = (this.#sequence + 1) % SEQUENCE_NUMBERS;
    const wasEngaged = this.#has(ENGAGED);
    this.#flag(ENGAGED, true);
    if (!this.#mediumIdle()) return true;
    if (!wasEngaged) this.#countFromUs = this.#freeFromUs();
    if (this.#backoffEndUs() <= now) this.#slots = NO_BACKOFF;
    if (this.#slots === NO_BACKOFF) {
      if (now < (this.#shared.air.navUntilUs[this.#index] as number)) this.#drawBackoff();
      else this.#slots = 0;
      this.#countFromUs = Math.max(this.#countFromUs, now + DIFS_US);
    }
    this.#scheduleAccess(this.#backoffEndUs());
    return true;
  }

  /** The station loses power: what it was sending breaks off, and it forgets everything but its counters. */
  powerOff(): void {
    this.#station = undefined;
    this.#flag(LISTENS | ENGAGED, false);
    this.#phase = 'empty';
    this.#frame = undefined;
    this.#window = CW_MIN;
    this.#slots = NO_BACKOFF;
    this.#cancelAccess();
    this.#cancelTimeout();
    if (this.#ackDue !== undefined) this.#shared.schedule.cancel(this.#ackDue);
    this.#ackDue = undefined;
    if (!this.#has(TRANSMITTING)) return;
    this.#shared.schedule.cancel(this.#ending as EventHandle);
    this.#flag(TRANSMITTING, false);
    this.#onAir.endUs = this.#shared.schedule.nowUs;
    this.#shared.air.breakOff(this.#onAir);
    this.#accountTransmission();
    if (this.#mediumIdle()) this.#shared.air.idleSinceUs[this.#index] = this.#onAir.endUs;
  }

  carrierOn(): void {
    if (!this.#has(TRANSMITTING)) this.#freeze(this.#shared.schedule.nowUs + CARRIER_DETECT_US);
  }

  carrierOff(): void {
    if (!this.#has(TRANSMITTING)) this.#resume();
  }

  take(frame: OnAir, link: number): void {
    if (this.#station === undefined) return;
    if (frame.ack) {
      if (this.#phase === 'awaitingAck' && frame.from === this.#to) this.#concluded(true);
      return;
    }
    if (frame.to !== EVERYBODY) {
      this.#ackTo = frame.from;
      this.#ackDue = this.#shared.schedule.at(this.#shared.schedule.nowUs + SIFS_US, this.#onAckDue);
      if (frame.attempt > 1 && this.#shared.accepted[link] === frame.sequence) {
        this.#stats.duplicates++;
        this.#station.repeated?.(frame.bytes as Uint8Array, this.#shared.addressOf(frame.from));
        return;
      }
      this.#shared.accepted[link] = frame.sequence;
    }
    this.#stats.received++;
    const rssiDbm = this.#shared.air.rssiDbm(link);
    this.#station.received(frame.bytes as Uint8Array, this.#shared.addressOf(frame.from), frame.toMac, rssiDbm);
  }

  ackLost(from: number): void {
    if (this.#phase === 'awaitingAck' && from === this.#to) this.#failed();
  }

  #mediumIdle(): boolean {
    return !this.#has(TRANSMITTING) && !this.#shared.air.busyAt(this.#index);
  }

  #has(flag: number): boolean {
    return ((this.#shared.air.flags[this.#index] as number) & flag) !== 0;
  }

  #flag(flags: number, on: boolean): void {
    const before = this.#shared.air.flags[this.#index] as number;
    this.#shared.air.flags[this.#index] = on ? before | flags : before & ~flags;
  }

  /** From when on an idle medium may be used: after the waits that the standard asks for. */
  #freeFromUs(): number {
    const { air } = this.#shared;
    const index = this.#index;
    return Math.max(
      (air.idleSinceUs[index] as number) + DIFS_US,
      air.eifsUntilUs[index] as number,
      (air.navUntilUs[index] as number) + DIFS_US,
      this.#ackTimeoutUs + DIFS_US,
    );
  }

  #drawBackoff(): void {
    this.#slots = this.#shared.random.int(this.#window + 1);
  }

  /** When the backoff ends if the medium stays idle; without one, when the medium may be used. */
  #backoffEndUs(): number {
    return this.#countFromUs + Math.max(0, this.#slots) * SLOT_US;
  }

  /** A backoff begins, now or once the medium is idle. */
  #backOff(): void {
    this.#drawBackoff();
    this.#flag(ENGAGED, true);
    if (this.#mediumIdle()) this.#resume();
    else this.#countFromUs = Number.POSITIVE_INFINITY;
  }

  /** The medium is idle: lets the backoff count. */
  #resume(): void {
    this.#countFromUs = this.#freeFromUs();
    if (this.#phase !== 'contending' || this.#access !== undefined) return;
    if (this.#slots === NO_BACKOFF) this.#drawBackoff();
    this.#scheduleAccess(this.#backoffEndUs());
  }

  /** The medium is busy, which the station notices at `noticedUs`: keeps the slots that are left. An access before that still happens. */
  #freeze(noticedUs: number): void {
    if (this.#slots !== NO_BACKOFF && noticedUs > this.#countFromUs) {
      this.#slots -= Math.floor((noticedUs - this.#countFromUs) / SLOT_US);
      if (this.#slots <= 0) this.#slots = NO_BACKOFF;
      if (this.#slots === NO_BACKOFF && this.#phase !== 'contending') this.#flag(ENGAGED, false);
    }
    this.#countFromUs = Number.POSITIVE_INFINITY;
    if (this.#accessUs > noticedUs) this.#cancelAccess();
  }

  #scheduleAccess(timeUs: number): void {
    this.#accessUs = timeUs;
    this.#access = this.#shared.schedule.at(timeUs, this.#onAccess);
  }

  #cancelAccess(): void {
    if (this.#access !== undefined) this.#shared.schedule.cancel(this.#access);
    this.#access = undefined;
  }

  #cancelTimeout(): void {
    if (this.#timeout !== undefined) this.#shared.schedule.cancel(this.#timeout);
    this.#timeout = undefined;
  }

  #sendData(): void {
    this.#access = undefined;
    if (this.#has(TRANSMITTING)) return;
    this.#phase = 'sending';
    this.#slots = NO_BACKOFF;
    this.#flag(ENGAGED, false);
    this.#attempt++;
    const onAir = this.#onAir;
    onAir.ack = false;
    onAir.to = this.#to;
    onAir.toMac = this.#toMac;
    onAir.bytes = this.#frame;
    onAir.sequence = this.#sequence;
    onAir.attempt = this.#attempt;
    this.#transmit(dataAirtimeUs((this.#frame as Uint8Array).length));
  }

  #sendAck(): void {
    this.#ackDue = undefined;
    if (this.#has(TRANSMITTING)) return;
    const onAir = this.#onAir;
    onAir.ack = true;
    onAir.to = this.#ackTo;
    onAir.toMac = this.#shared.addressOf(this.#ackTo);
    onAir.bytes = undefined;
    onAir.attempt = 1;
    this.#transmit(ACK_US);
  }

  #transmit(airtimeUs: number): void {
    const now = this.#shared.schedule.nowUs;
    this.#freeze(now);
    this.#flag(TRANSMITTING, true);
    this.#onAir.startUs = now;
    this.#onAir.endUs = now + airtimeUs;
    this.#ending = this.#shared.schedule.at(now + airtimeUs, this.#onEnding);
    this.#shared.air.begin(this.#onAir);
  }

  #transmissionEnded(): void {
    const { air, schedule } = this.#shared;
    const frame = this.#onAir;
    this.#flag(TRANSMITTING, false);
    air.end(frame);
    this.#accountTransmission();
    if (this.#mediumIdle()) {
      air.idleSinceUs[this.#index] = frame.endUs;
      if (this.#has(ENGAGED)) this.#resume();
    }
    if (!frame.ack && frame.to !== EVERYBODY) {
      this.#phase = 'awaitingAck';
      this.#timeout = schedule.at(schedule.nowUs + ACK_TIMEOUT_US, this.#onTimeout);
    }
    air.deliver(frame);
    // A receiver's callback may have powered this station off in between.
    if (!frame.ack && frame.to === EVERYBODY && this.#phase === 'sending') this.#concluded(true);
  }

  #accountTransmission(): void {
    const frame = this.#onAir;
    this.#stats.txUs += frame.endUs - frame.startUs;
    if (frame.ack) {
      this.#stats.acks++;
    } else {
      this.#stats.attempts++;
      if (frame.attempt > 1) this.#stats.retries++;
      if (frame.collided) this.#stats.collided++;
    }
    this.#shared.report(frame);
  }

  /**
   * An acknowledgement that is arriving decides at its end; the preamble stops the clock (IEEE 802.11-2016, 10.3.2.9). What arrives may
   * also be another frame of that station, so the wait ends when an acknowledgement would have.
   */
  #timedOut(): void {
    this.#timeout = undefined;
    if (this.#ackLink < 0 || !this.#shared.air.arrivingBy(this.#ackLink)) {
      this.#failed();
      return;
    }
    const { schedule } = this.#shared;
    this.#timeout = schedule.at(schedule.nowUs + SIFS_US + ACK_US - ACK_TIMEOUT_US + 1, this.#onNoAck);
  }

  #failed(): void {
    this.#ackTimeoutUs = this.#shared.schedule.nowUs;
    if (this.#attempt > this.#shared.macRetries) {
      this.#stats.failures++;
      this.#concluded(false);
      return;
    }
    this.#cancelTimeout();
    this.#window = Math.min(2 * this.#window + 1, CW_MAX);
    this.#phase = 'contending';
    this.#backOff();
  }

  /** The frame is done; a backoff follows it whether another one waits or not. */
  #concluded(ok: boolean): void {
    this.#cancelTimeout();
    this.#phase = 'empty';
    this.#frame = undefined;
    this.#window = CW_MIN;
    this.#backOff();
    this.#station?.sent(ok);
  }
}
