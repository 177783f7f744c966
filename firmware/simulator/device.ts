import { Reader, toHex } from '../../nodes/headend/bytes.ts';
import { WattmeshError } from '../../nodes/headend/errors.ts';
import type { ResetCause } from '../../nodes/headend/frame/fields.ts';
import { cryptoImports } from './crypto-imports.ts';
import { DeepSleep } from './deep-sleep.ts';
import type { DeviceClock } from './device-clock.ts';
import { configBytes, type DeviceConfig } from './device-config.ts';
import { bootFailed, type Firmware, type FirmwareImports, type FirmwareInstance, IO_BYTES } from './firmware.ts';
import { Flash, PowerCut, SECTOR_BYTES } from './flash.ts';
import { type InputSample, registerBytes } from './input-sample.ts';
import { EspNow } from './radio/esp-now.ts';
import type { Radio } from './radio/radio.ts';
import type { Station } from './radio/station.ts';
import type { Random } from './random.ts';
import type { EventHandle, Schedule } from './schedule.ts';
import { decodeTrace, type Trace } from './trace.ts';

/** What stands around a device. */
export interface DeviceSurroundings {
  readonly firmware: Firmware;
  readonly schedule: Schedule;
  readonly radio: Radio;
  /** The device's own source of random numbers. */
  readonly random: Random;
  /** Default: true time. */
  readonly clock?: DeviceClock;
  /** Said in the report of a failure, so that it can be played again. */
  readonly seed: string;
  /** The meter's input now; undefined: no valid value. */
  registers(): InputSample | undefined;
  /** Bytes for a gateway's host. */
  toHost(bytes: Uint8Array): void;
  traced(trace: Trace): void;
  /** The device went to sleep, or woke up; a wake in which it never listens is `brief`. */
  slept?(state: RestState): void;
  /** Power failed in the middle of a flash operation; the device is off. */
  powerLost(): void;
  /** The firmware restarts the chip; the device is off, and stays so unless it is powered on. */
  restarting?(): void;
  /** The firmware moved the switch. */
  switched?(on: boolean): void;
  /** The firmware shows for `seconds` which device this is. */
  identified?(seconds: number): void;
  /** The firmware seals something; both arrays are good for this call only. */
  sealed?(key: Uint8Array, nonce: Uint8Array): void;
}

/** What a device that may sleep does now. */
export type RestState = 'asleep' | 'awake' | 'brief';

/** What a device tells of itself. */
export interface DeviceState {
  readonly shortId: number;
  readonly parentShort: number;
  readonly hops: number;
  readonly cost: number;
  readonly attached: boolean;
  readonly joined: boolean;
  readonly session: number;
  /** Hex. */
  readonly nodeId: string;
  readonly members: number;
  readonly queue: number;
  /** Packets of others that wait in its flash. */
  readonly spooled: number;
  readonly counters: Readonly<Record<(typeof COUNTERS)[number], number>>;
}

const RADIO_COUNTERS = ['framesReceived', 'framesSent', 'sendsFailed'] as const;
const COUNTERS = [...RADIO_COUNTERS, 'badMac', 'replays', 'malformed', 'queueFull'] as const;
const NODE_ID_BYTES = 6;

/** Sectors of the records that every device keeps, of a meter's log (11,016 rows, a week of one-minute rows), and of a hub's spool. */
const RECORD_SECTORS = 2;
const LOG_SECTORS = 108;
const SPOOL_SECTORS = 17;

/** A firmware that wants to be called again and again without time passing hangs. */
const TICKS_AT_ONCE_MAX = 10_000;

/**
 * One device: an instance of the firmware, its flash and its place on the radio. Powering off discards the instance, powering on makes a
 * new one on the same flash. So does deep sleep, with what the firmware kept in the memory of its RTC.
 */
export class Device implements Station {
  readonly id: string;
  readonly mac: Uint8Array;
  readonly neverSleeps: boolean;
  readonly config: DeviceConfig;
  readonly flash: Flash;
  readonly #around: DeviceSurroundings;
  #espNow: EspNow | undefined;
  /** In earlier lives. */
  #peersReplaced = 0;
  #instance: FirmwareInstance | undefined;
  #memory: Uint8Array = new Uint8Array(0);
  #io = 0;
  #bootUs = 0;
  #tick: EventHandle | undefined;
  #tickUs = 0;
  #cause: ResetCause = 'powerOn';
  #ticksAtOnce = 0;
  #lastTickUs = -1;
  /** When the firmware learns of the last event of its radio. */
  #toldUs = 0;
  #restarts = false;
  readonly #sleep: DeepSleep;
  #relayOn = false;
  readonly #onTick = (): void => this.#ticked();

  /** A device that is off, with an empty flash. */
  constructor(config: DeviceConfig, around: DeviceSurroundings) {
    this.id = config.id;
    this.mac = config.mac;
    this.neverSleeps = config.energy !== 'battery';
    this.config = config;
    this.#around = around;
    this.#sleep = new DeepSleep(around.firmware);
    this.flash = new Flash((RECORD_SECTORS + (config.role === 'meter' ? LOG_SECTORS : SPOOL_SECTORS)) * SECTOR_BYTES);
  }

  get on(): boolean {
    return this.#instance !== undefined;
  }

  /** How the switch stands. */
  get relayOn(): boolean {
    return this.#relayOn;
  }

  /** How often a peer of the radio made room for another one. */
  get peersReplaced(): number {
    return this.#peersReplaced + (this.#espNow?.replaced ?? 0);
  }

  /** Size of the firmware's memory; 0 while the device is off. */
  get memoryBytes(): number {
    return this.#instance?.memory.buffer.byteLength ?? 0;
  }

  listening(): boolean {
    return this.on && !this.#sleep.asleep;
  }

  /** Boots the firmware; nothing happens when the device is on. Throws the firmware's error when it cannot start, `firmwareTrap` when it traps. */
  powerOn(cause: ResetCause = 'powerOn'): void {
    if (this.on) return;
    const { schedule, radio, firmware } = this.#around;
    this.#bootUs = schedule.nowUs;
    this.#peersReplaced = this.peersReplaced;
    this.#espNow = this.config.peersMax === undefined ? undefined : new EspNow(this.config.peersMax);
    this.#instance = firmware.instantiate(this.#imports());
    this.#cause = cause;
    radio.attach(this);
    this.#run((instance) => {
      instance._initialize?.();
      this.#sleep.made(instance);
      this.#io = instance.wm_io();
      return this.#boot(instance);
    });
  }

  /** Starts the firmware, or wakes it: it looks into the memory of the RTC. */
  #boot(instance: FirmwareInstance): number {
    const next = instance.wm_boot(this.#put(configBytes(this.config, this.#cause, this.flash.bytes)), this.#nowUs());
    if (next < 0) throw bootFailed(this.id, -next);
    return next;
  }

  /** Power is gone at once; the flash keeps what it has. */
  powerOff(): void {
    if (!this.#instance) return;
    this.#instance = undefined;
    this.#sleep.powerOff();
    this.#memory = new Uint8Array(0);
    if (this.#tick !== undefined) this.#around.schedule.cancel(this.#tick);
    this.#tick = undefined;
    this.#around.radio.detach(this.id);
  }

  received(frame: Uint8Array, from: Uint8Array, to: Uint8Array, rssiDbm: number): void {
    this.#whenTold(() => {
      this.#run((instance) => instance.wm_receive(this.#put(from, to, frame), rssiDbm, this.#nowUs()));
    });
  }

  sent(ok: boolean): void {
    this.#whenTold(() => this.#run((instance) => instance.wm_sent(ok ? 1 : 0, this.#nowUs())));
  }

  /** Bytes from a gateway's host, at most {@link IO_BYTES}; lost when the device is off. */
  hostBytes(bytes: Uint8Array): void {
    this.#run((instance) => instance.wm_host(this.#put(bytes), this.#nowUs()));
  }

  /** Something happens that the head-end is to hear of at once (PROTOCOL.md, section 4.3); nobody notices when the device is off. */
  raise(code: number, value: number): void {
    const raise = (instance: FirmwareInstance): number => instance.wm_raise(code, value, this.#nowUs());
    if (this.#sleep.asleep) this.#wake(raise);
    else this.#run(raise);
  }

  /** What the firmware knows of itself; undefined while the device is off. */
  state(): DeviceState | undefined {
    const instance = this.#instance;
    if (!instance) return undefined;
    const reader = new Reader(this.#sleep.state ?? this.#stateBytes(instance));
    const position = { shortId: reader.u16(), parentShort: reader.u16(), hops: reader.u8(), cost: reader.u16() };
    const session = { attached: reader.u8() === 1, joined: reader.u8() === 1, session: reader.u8() };
    const rest = {
      nodeId: toHex(reader.bytes(NODE_ID_BYTES)),
      members: reader.u16(),
      queue: reader.u16(),
      spooled: reader.u16(),
    };
    const counters = Object.fromEntries(COUNTERS.map((name) => [name, reader.u32()])) as DeviceState['counters'];
    return { ...position, ...session, ...rest, counters };
  }

  /** What time it is for the device, microseconds of UTC; undefined while it is off or has not been told the time. */
  utcUs(): number | undefined {
    if (!this.#instance) return undefined;
    const nowUs = this.#nowUs();
    const utcUs = this.#sleep.asleep ? this.#sleep.utcUs(nowUs) : this.#instance.wm_utc(nowUs);
    return utcUs < 0 ? undefined : utcUs;
  }

  #stateBytes(instance: FirmwareInstance): Uint8Array {
    return this.#view(this.#io, instance.wm_state());
  }

  #nowUs(): number {
    const { schedule, clock } = this.#around;
    const sinceBootUs = schedule.nowUs - this.#bootUs;
    return clock ? clock.local(sinceBootUs) : sinceBootUs;
  }

  /** Tells the firmware of an event of its radio, at once or a little late, in the order of the events; not at all when power failed. */
  #whenTold(tell: () => void): void {
    const { schedule, clock } = this.#around;
    const delayUs = clock?.callbackDelayUs() ?? 0;
    const atUs = Math.max(this.#toldUs, schedule.nowUs + delayUs);
    if (atUs === schedule.nowUs) {
      tell();
      return;
    }
    this.#toldUs = atUs;
    const instance = this.#instance;
    schedule.at(atUs, () => {
      if (this.#instance === instance && !this.#sleep.asleep) tell();
    });
  }

  #ticked(): void {
    this.#tick = undefined;
    const now = this.#around.schedule.nowUs;
    this.#ticksAtOnce = now === this.#lastTickUs ? this.#ticksAtOnce + 1 : 0;
    this.#lastTickUs = now;
    if (this.#ticksAtOnce > TICKS_AT_ONCE_MAX) throw this.#trapped(new Error('it asks for ticks without time passing'));
    if (this.#sleep.asleep) this.#wake();
    else this.#run((instance) => instance.wm_tick(this.#nowUs()));
  }

  /** The chip starts at the end of its sleep, or before it because of what is to be called. */
  #wake(call?: (instance: FirmwareInstance) => number): void {
    this.#run((instance) => {
      this.#sleep.wake(instance);
      const next = this.#boot(instance);
      if (!call) return next;
      this.#sleep.stay();
      return call(instance);
    });
    if (this.on) this.#around.slept?.(this.#sleep.asleep ? 'brief' : 'awake');
  }

  /** Calls the firmware, unless the device is off, and sees to its next tick. */
  #run(call: (instance: FirmwareInstance) => number): void {
    const instance = this.#instance;
    if (!instance) return;
    try {
      const slept = this.#sleep.asleep;
      this.#scheduleTick(call(instance));
      // A leaf that sleeps hears nothing until its next tick.
      const sleeps = this.#sleep.settle(instance, this.#nowUs(), () => this.#stateBytes(instance));
      if (sleeps && !slept) this.#around.slept?.('asleep');
    } catch (error) {
      this.powerOff();
      if (error instanceof PowerCut) this.#around.powerLost();
      else if (error instanceof WebAssembly.RuntimeError) throw this.#trapped(error);
      else throw error;
    }
    if (!this.#restarts) return;
    this.#restarts = false;
    this.powerOff();
    this.#around.restarting?.();
  }

  #scheduleTick(wantedUs: number): void {
    const { schedule, clock } = this.#around;
    const sinceBootUs = clock ? clock.whenLocal(wantedUs) : Math.ceil(wantedUs);
    const atUs = Math.max(schedule.nowUs, this.#bootUs + sinceBootUs);
    if (this.#tick !== undefined) {
      if (atUs === this.#tickUs) return;
      schedule.cancel(this.#tick);
      this.#tick = undefined;
    }
    // "Never" is infinity or the largest number of the firmware's clock.
    if (!Number.isSafeInteger(atUs)) return;
    this.#tickUs = atUs;
    this.#tick = schedule.at(atUs, this.#onTick);
  }

  #trapped(cause: Error): WattmeshError {
    const atS = this.#around.schedule.nowUs / 1e6;
    const where = `at ${atS} s, seed ${this.#around.seed}`;
    const advice = 'run the same scenario and seed with --checked to find the place';
    return new WattmeshError(
      'firmwareTrap',
      `the firmware of ${this.id} trapped ${where}: ${cause.message}; ${advice}`,
      { cause },
    );
  }

  /** Copies parts into the io buffer; returns their length. */
  #put(...parts: Uint8Array[]): number {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length > IO_BYTES)
      throw new RangeError(`${length} bytes do not fit the ${IO_BYTES} of the io buffer: hand them over in parts`);
    const view = this.#view(this.#io, length);
    let at = 0;
    for (const part of parts) {
      view.set(part, at);
      at += part.length;
    }
    return length;
  }

  /** Bytes of the instance's memory, good until it is called again. */
  #view(address: number, length: number): Uint8Array {
    // Views of a memory that has grown are detached and have no length.
    if (this.#memory.length === 0) this.#memory = new Uint8Array((this.#instance as FirmwareInstance).memory.buffer);
    return this.#memory.subarray(address, address + length);
  }

  #imports(): FirmwareImports {
    const { radio, random, registers, toHost } = this.#around;
    const view = (address = 0, length = 0): Uint8Array => this.#view(address, length);
    return {
      radio_send: (to, frame, length) => {
        const mac = view(to, NODE_ID_BYTES);
        if (this.#espNow?.sendsTo(mac) === false) return 0;
        return radio.send(this.id, mac, view(frame, length)) ? 1 : 0;
      },
      host_send: (data, length) => {
        toHost(view(data, length).slice());
        return 1;
      },
      nv_read: (address = 0, out, length) => (this.flash.read(address, view(out, length)) ? 1 : 0),
      nv_write: (address = 0, data, length) => (this.flash.write(address, view(data, length)) ? 1 : 0),
      nv_erase: (address = 0) => (this.flash.erase(address) ? 1 : 0),
      random: (out, length = 0) => view(out, length).set(random.bytes(length)),
      ...cryptoImports(view, { random, sealed: (key, nonce) => this.#around.sealed?.(key, nonce) }),
      registers: (out) => {
        const sample = registers();
        if (!sample) return 0;
        const bytes = registerBytes(sample);
        view(out, bytes.length).set(bytes);
        return 1;
      },
      free_ram: () => 0,
      trace: (kind = 0, body, length) => {
        const trace = decodeTrace(kind, view(body, length));
        if (trace) this.#around.traced(trace);
      },
      relay_set: (on) => {
        this.#relayOn = on === 1;
        this.#around.switched?.(this.#relayOn);
        return 1;
      },
      relay_get: () => (this.#relayOn ? 1 : 0),
      identify: (seconds = 0) => this.#around.identified?.(seconds),
      reboot: () => {
        this.#restarts = true;
      },
      rtc_read: (out, capacity) => this.#sleep.rtcRead(view(out, capacity)),
      rtc_write: (data, length) => this.#sleep.rtcWrite(view(data, length)),
      deep_sleep: () => this.#sleep.fall(),
    };
  }
}
