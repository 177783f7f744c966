import type { Firmware, FirmwareInstance } from './firmware.ts';

/** Of what memory holds while nobody runs: whoever looks at it falls over. */
const POISON = 0xa5;
/** Far enough apart that the rate of a clock shows: 1,000 s, us. */
const RATE_SPAN_US = 1e9;

/** Memory of an instance that has not been called yet, by module: all start alike. */
const pristine = new WeakMap<Firmware, Uint8Array>();

/** What could be seen of a device when it fell asleep. */
interface Resting {
  readonly state: Uint8Array;
  readonly atUs: number;
  /** Negative: it has no time. */
  readonly utcUs: number;
  /** Microseconds of UTC per local one. */
  readonly rate: number;
}

/**
 * The deep sleep of one device: its RAM is lost, and wakes as that of a new instance; what the firmware wrote to the memory of its RTC stays
 * until power fails.
 */
export class DeepSleep {
  readonly #firmware: Firmware;
  #rtc: Uint8Array = new Uint8Array(0);
  #resting: Resting | undefined;
  #falling = false;

  constructor(firmware: Firmware) {
    this.#firmware = firmware;
  }

  get asleep(): boolean {
    return this.#resting !== undefined;
  }

  /** Power failed: the memory of the RTC is lost too. */
  powerOff(): void {
    this.#rtc = new Uint8Array(0);
    this.#resting = undefined;
    this.#falling = false;
  }

  /** Copies what the firmware kept to the start of `out`; returns its length. */
  rtcRead(out: Uint8Array): number {
    const kept = this.#rtc.subarray(0, out.length);
    out.set(kept);
    return kept.length;
  }

  rtcWrite(bytes: Uint8Array): void {
    this.#rtc = bytes.slice();
  }

  /** A new instance was initialized, and not called yet. */
  made({ memory }: FirmwareInstance): void {
    if (!pristine.has(this.#firmware)) pristine.set(this.#firmware, new Uint8Array(memory.buffer).slice());
  }

  /** The firmware wants to sleep; it does once its call has returned. */
  fall(): void {
    this.#falling = true;
  }

  /** It does not after all: something else happened. */
  stay(): void {
    this.#falling = false;
    this.#rtc = new Uint8Array(0);
  }

  /** Sleeps if the call that returned at local `nowUs` wanted to. `state` is what the device tells of itself. */
  settle(instance: FirmwareInstance, nowUs: number, state: () => Uint8Array): boolean {
    if (!this.#falling) return false;
    this.#falling = false;
    const utcUs = instance.wm_utc(nowUs);
    const rate = (instance.wm_utc(nowUs + RATE_SPAN_US) - utcUs) / RATE_SPAN_US;
    this.#resting = { state: state().slice(), atUs: nowUs, utcUs, rate };
    new Uint8Array(instance.memory.buffer).fill(POISON);
    return true;
  }

  /** Memory is that of a new instance again. */
  wake({ memory }: FirmwareInstance): void {
    this.#resting = undefined;
    new Uint8Array(memory.buffer).set(pristine.get(this.#firmware) as Uint8Array);
  }

  /** What the device told of itself when it fell asleep; undefined while it is awake. */
  get state(): Uint8Array | undefined {
    return this.#resting?.state;
  }

  /** What time it would be for the sleeping device at local `nowUs`, microseconds of UTC; negative: it has none. */
  utcUs(nowUs: number): number {
    const { atUs, utcUs, rate } = this.#resting as Resting;
    return utcUs < 0 ? utcUs : utcUs + (nowUs - atUs) * rate;
  }
}
