import type { Firmware, FirmwareImports, FirmwareInstance } from '../../../firmware/simulator/firmware.ts';
import { toHex } from '../../../nodes/headend/bytes.ts';

const MAC_AT = 2;
const MAC_BYTES = 6;

/** What a generator that does not work gives for a draw of `length` bytes. */
export type FaultyRandom = (length: number) => Uint8Array;

/** The firmware with somebody's hands on its chip: its source of randomness can fail, its memory can be looked into. Devices go by their MAC address. */
export class HandledFirmware implements Firmware {
  readonly #inner: Firmware;
  readonly #faults = new Map<string, FaultyRandom>();
  readonly #instances = new Map<string, FirmwareInstance>();

  constructor(inner: Firmware) {
    this.#inner = inner;
  }

  /** From now on a device draws this; undefined: its generator works again. */
  setRandom(mac: Uint8Array, random: FaultyRandom | undefined): void {
    if (random) this.#faults.set(toHex(mac), random);
    else this.#faults.delete(toHex(mac));
  }

  /** Memory of a device that is on. */
  memory(mac: Uint8Array): DataView {
    const instance = this.#instances.get(toHex(mac));
    if (!instance) throw new RangeError('this device has never been on');
    return new DataView(instance.memory.buffer as ArrayBuffer);
  }

  instantiate(imports: FirmwareImports): FirmwareInstance {
    let mac = '';
    const random = (out = 0, length = 0): void => {
      const fault = this.#faults.get(mac);
      if (fault) new Uint8Array(instance.memory.buffer, out, length).set(fault(length));
      else imports.random(out, length);
    };
    const instance = this.#inner.instantiate({ ...imports, random });
    return {
      ...instance,
      wm_boot: (length, nowUs) => {
        mac = toHex(new Uint8Array(instance.memory.buffer, instance.wm_io() + MAC_AT, MAC_BYTES));
        this.#instances.set(mac, instance);
        return instance.wm_boot(length, nowUs);
      },
    };
  }
}
