import { Findings, type Violation } from './violation.ts';

/** Keys remembered of one device, the oldest is forgotten first: a session has two, and a handshake some more. */
const KEYS_OF_DEVICE_MAX = 64;

interface DeviceCounters {
  /** Link counter of the last new frame. */
  link: number;
  /** Last counter sealed with each key, by the key. */
  readonly sealed: Map<string, bigint>;
  /** Last values found in the flash, by name. */
  readonly stored: Map<string, number>;
}

/**
 * No counter of a device ever goes back, over reboots and power cuts either: the link counter of its frames, the counters that it seals
 * packets with, and the numbers in its flash (handshakes, boots, reserved link counters, owner epoch); the number of boots alone comes round.
 * Fed with events as they happen.
 */
export class CountersRiseChecker {
  readonly #findings: Findings;
  readonly #devices = new Map<string, DeviceCounters>();

  constructor(seed: string) {
    this.#findings = new Findings('counters-rise', seed);
  }

  get violations(): readonly Violation[] {
    return this.#findings.violations;
  }

  /** A device put a frame with this link counter on air; a repetition by its MAC has the counter of the frame that it repeats. */
  frame(who: string, counter: number, isRepetition: boolean, atS: number): void {
    const device = this.#device(who);
    if (isRepetition ? counter !== device.link : counter <= device.link) {
      this.#findings.report(who, `its link counter goes from ${device.link} to ${counter}`, atS);
    }
    device.link = counter;
  }

  /** A device seals a packet: `nonce` is 0⁴ ‖ LE64(counter) (PROTOCOL.md, section 3.1). One that comes again is the nonce checker's. */
  sealed(who: string, key: Uint8Array, nonce: Uint8Array, atS: number): void {
    const { sealed } = this.#device(who);
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
    const counter = new DataView(nonce.buffer, nonce.byteOffset, nonce.length).getBigUint64(4, true);
    const last = sealed.get(name);
    if (last !== undefined && counter < last) {
      this.#findings.report(who, `a counter that it seals with goes from ${last} to ${counter}`, atS);
    }
    sealed.set(name, counter);
    if (sealed.size > KEYS_OF_DEVICE_MAX) sealed.delete(sealed.keys().next().value as string);
  }

  /** A number that was found in a device's flash. `bits`: it comes round behind so many (serial number arithmetic, RFC 1982); default: it does not. */
  stored(who: string, name: string, value: number, atS: number, bits?: number): void {
    const { stored } = this.#device(who);
    const last = stored.get(name) ?? value;
    const isBehind = bits === undefined ? value < last : (value - last) & (1 << (bits - 1));
    if (isBehind) this.#findings.report(who, `${name} in its flash goes from ${last} to ${value}`, atS);
    stored.set(name, value);
  }

  #device(who: string): DeviceCounters {
    const known = this.#devices.get(who);
    if (known) return known;
    const device = { link: -1, sealed: new Map<string, bigint>(), stored: new Map<string, number>() };
    this.#devices.set(who, device);
    return device;
  }
}
