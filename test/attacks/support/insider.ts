import { createHmac, hkdfSync } from 'node:crypto';
import type { Firmware, FirmwareImports, FirmwareInstance } from '../../../firmware/simulator/firmware.ts';
import { toHex } from '../../../nodes/headend/bytes.ts';
import { type Beacon, decodeBeacon, encodeBeacon } from '../../../nodes/headend/frame/beacon.ts';
import { decodeData, encodeData } from '../../../nodes/headend/frame/data.ts';
import {
  BODY_BYTES_MAX,
  BROADCAST,
  decodeFrame,
  encodeFrameUnsealed,
  LINK_MAC_BYTES,
  sealFrame,
  type UnsealedFrame,
} from '../../../nodes/headend/frame/radio.ts';
import { networkNumber } from '../../../nodes/headend/security/keys.ts';

const MAC_AT = 2;
const MAC_BYTES = 6;
const LINK_KEY_BYTES = 16;

/** What a stolen node does otherwise than its firmware. */
export interface Treason {
  /** What it tells in place of its true beacon. */
  readonly claims?: (beacon: Beacon) => Beacon;
  /** It takes what others hand over, and hands on what is its own. */
  readonly swallows?: boolean;
  /** Gets a frame of it that is made for another receiver than the true one. */
  readonly doubles?: { readonly to: Uint8Array; readonly deliver: (frame: Uint8Array) => void };
}

/**
 * The firmware, with nodes in it that somebody has stolen: they hold the network key and do what their new owner wants with all that leaves
 * them by radio. Devices go by their MAC address.
 */
export class InsiderFirmware implements Firmware {
  readonly #inner: Firmware;
  readonly #network: string;
  readonly #linkKey: Uint8Array;
  readonly #treasons = new Map<string, Treason>();
  readonly #keyId: number;
  /** Last true beacon of each device, and how far the link counter has got. */
  readonly #beacons = new Map<string, Beacon>();
  readonly #counters = new Map<string, number>();
  /** By how much its counter is ahead of what the firmware thinks. */
  readonly #ahead = new Map<string, number>();

  constructor(inner: Firmware, network: string, networkKey: { readonly keyId: number; readonly key: Uint8Array }) {
    this.#inner = inner;
    this.#network = network;
    this.#keyId = networkKey.keyId;
    const number = Buffer.alloc(4);
    number.writeUInt32LE(networkNumber(network));
    const info = Buffer.concat([Buffer.from('wattmesh link'), number, Uint8Array.of(networkKey.keyId)]);
    this.#linkKey = new Uint8Array(hkdfSync('sha256', networkKey.key, new Uint8Array(0), info, LINK_KEY_BYTES));
  }

  /** From now on a device does this; undefined: it is honest again. */
  turn(mac: Uint8Array, treason: Treason | undefined): void {
    if (treason) this.#treasons.set(toHex(mac), treason);
    else this.#treasons.delete(toHex(mac));
  }

  /** A beacon of a device as its new owner wants it, out of turn. */
  shout(mac: Uint8Array, nowUtcMs: number): Uint8Array {
    const name = toHex(mac);
    const beacon = this.#beacons.get(name);
    const claims = this.#treasons.get(name)?.claims;
    if (!beacon || !claims) throw new RangeError('this device has told nothing yet that could be altered');
    const number = (beacon.number + 1) & 0xff;
    this.#beacons.set(name, { ...beacon, number });
    const counter = (this.#counters.get(name) ?? 0) + 1;
    this.#counters.set(name, counter);
    this.#ahead.set(name, (this.#ahead.get(name) ?? 0) + 1);
    const body = encodeBeacon(claims({ ...beacon, number, timeMs: nowUtcMs }));
    return this.#sealed({ type: 'beacon', keyId: this.#keyId, counter, body }, mac, BROADCAST);
  }

  instantiate(imports: FirmwareImports): FirmwareInstance {
    let mac: Uint8Array = new Uint8Array(MAC_BYTES);
    const radio_send = (to = 0, frame = 0, length = 0): unknown => {
      const memory = new Uint8Array(instance.memory.buffer as ArrayBuffer);
      const sent = this.#betrayed(mac, memory.slice(to, to + MAC_BYTES), memory.slice(frame, frame + length));
      memory.set(sent, frame);
      return imports.radio_send(to, frame, sent.length);
    };
    const instance = this.#inner.instantiate({ ...imports, radio_send });
    return {
      ...instance,
      wm_boot: (length, nowUs) => {
        const at = instance.wm_io() + MAC_AT;
        mac = new Uint8Array(instance.memory.buffer as ArrayBuffer).slice(at, at + MAC_BYTES);
        return instance.wm_boot(length, nowUs);
      },
    };
  }

  /** What goes on air in place of a frame; it is no longer than that. */
  #betrayed(from: Uint8Array, to: Uint8Array, bytes: Uint8Array): Uint8Array {
    const name = toHex(from);
    const given = decodeFrame(bytes);
    if (given.keyId !== this.#keyId) return bytes;
    const treason = this.#treasons.get(name) ?? {};
    const frame = { ...given, counter: given.counter + (this.#ahead.get(name) ?? 0) };
    this.#counters.set(name, frame.counter);
    if (frame.type === 'data') {
      if (treason.doubles) treason.doubles.deliver(this.#sealed(frame, from, treason.doubles.to));
      return treason.swallows ? this.#stripped(frame, from, to) : this.#sealed(frame, from, to);
    }
    if (frame.type !== 'beacon') return this.#sealed(frame, from, to);
    const beacon = decodeBeacon(frame.body);
    this.#beacons.set(name, beacon);
    return this.#sealed(
      { ...frame, body: treason.claims ? encodeBeacon(treason.claims(beacon)) : frame.body },
      from,
      to,
    );
  }

  /** The frame without what others have handed over; when nothing is left, one that is of no use to its receiver. */
  #stripped(frame: UnsealedFrame, from: Uint8Array, to: Uint8Array): Uint8Array {
    const data = decodeData(frame.body);
    const items = data.items.filter(({ route }) => route.length === 1);
    if (items.length > 0)
      return this.#sealed({ ...frame, body: encodeData({ ...data, items }, BODY_BYTES_MAX) }, from, to);
    const useless = this.#sealed(frame, from, to);
    useless.fill(0, useless.length - LINK_MAC_BYTES);
    return useless;
  }

  #sealed({ type, keyId, counter, body }: UnsealedFrame, transmitter: Uint8Array, receiver: Uint8Array): Uint8Array {
    const context = { transmitter, receiver, networkNumber: networkNumber(this.#network) };
    const unsealed = encodeFrameUnsealed({ type, keyId, counter, body });
    return sealFrame(unsealed, context, (message) => createHmac('sha256', this.#linkKey).update(message).digest());
  }
}
