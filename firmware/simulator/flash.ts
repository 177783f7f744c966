import type { Random } from './random.ts';

/** Erase unit of the serial flash of ESP32 and ESP8266. */
export const SECTOR_BYTES = 4096;

/** Thrown out of a flash operation at the moment power fails; the device's instance is of no more use then. */
export class PowerCut extends Error {
  constructor() {
    super('power failed during a flash operation');
    this.name = 'PowerCut';
  }
}

/**
 * The serial flash of one device, with the rules of NOR cells: a write only clears bits, an erase sets a whole sector. Sectors that were
 * never written take no memory. Its content outlives a power-off.
 */
export class Flash {
  readonly bytes: number;
  /** So far, those that power broke off included. */
  writes = 0;
  erases = 0;
  readonly #sectors: (Uint8Array | undefined)[];
  #cut: { readonly at: number; readonly random: Random } | undefined;

  /** `bytes` is a multiple of {@link SECTOR_BYTES}; otherwise a RangeError. */
  constructor(bytes: number) {
    if (!Number.isInteger(bytes / SECTOR_BYTES) || bytes < SECTOR_BYTES) {
      throw new RangeError(`a flash of ${bytes} bytes is not possible: give a multiple of ${SECTOR_BYTES}`);
    }
    this.bytes = bytes;
    this.#sectors = new Array<Uint8Array | undefined>(bytes / SECTOR_BYTES);
  }

  /** Writes and erases so far. */
  get operations(): number {
    return this.writes + this.erases;
  }

  /** Sectors that hold anything. */
  get sectorsInUse(): number {
    return this.#sectors.filter((sector) => sector !== undefined).length;
  }

  /**
   * Lets power fail at the n-th write or erase from now (1: the next one), which stops anywhere in between: {@link PowerCut} is thrown then.
   * Once it has fired, operations work again.
   */
  cutPowerAt(operation: number, random: Random): void {
    this.#cut = { at: this.operations + operation, random };
  }

  /** Fills `out`. False: outside the flash. */
  read(address: number, out: Uint8Array): boolean {
    if (!this.#contains(address, out.length)) return false;
    for (let done = 0; done < out.length; ) {
      const at = (address + done) % SECTOR_BYTES;
      const part = Math.min(out.length - done, SECTOR_BYTES - at);
      const sector = this.#sectors[Math.floor((address + done) / SECTOR_BYTES)];
      if (sector) out.set(sector.subarray(at, at + part), done);
      else out.fill(0xff, done, done + part);
      done += part;
    }
    return true;
  }

  /** Clears the bits that are 0 in `data`. False: outside the flash. */
  write(address: number, data: Uint8Array): boolean {
    if (!this.#contains(address, data.length)) return false;
    this.writes++;
    const cut = this.#cutNow();
    const whole = cut ? cut.int(data.length + 1) : data.length;
    for (let index = 0; index < whole; index++) this.#program(address + index, data[index] as number);
    if (!cut) return true;
    // The byte that was being programmed has only some of its cells changed.
    if (whole < data.length) this.#program(address + whole, (data[whole] as number) | cut.int(256));
    throw new PowerCut();
  }

  /** Sets the sector that starts at `address` to 0xff. False: no sector starts there. */
  erase(address: number): boolean {
    if (!this.#contains(address, SECTOR_BYTES) || address % SECTOR_BYTES !== 0) return false;
    this.erases++;
    const cut = this.#cutNow();
    const sector = this.#sectors[address / SECTOR_BYTES];
    if (!cut) {
      this.#sectors[address / SECTOR_BYTES] = undefined;
      return true;
    }
    // An erase that breaks off leaves cells of the whole sector anywhere between before and after.
    const share = cut.float();
    if (sector) for (let at = 0; at < SECTOR_BYTES; at++) if (cut.float() < share) sector[at] = 0xff;
    throw new PowerCut();
  }

  #program(address: number, byte: number): void {
    const index = Math.floor(address / SECTOR_BYTES);
    let sector = this.#sectors[index];
    if (!sector) {
      if (byte === 0xff) return;
      sector = new Uint8Array(SECTOR_BYTES).fill(0xff);
      this.#sectors[index] = sector;
    }
    const at = address % SECTOR_BYTES;
    sector[at] = (sector[at] as number) & byte;
  }

  #contains(address: number, length: number): boolean {
    return address >= 0 && address + length <= this.bytes;
  }

  /** The source of randomness when this operation is the one that breaks off. */
  #cutNow(): Random | undefined {
    if (this.#cut?.at !== this.operations) return undefined;
    const { random } = this.#cut;
    this.#cut = undefined;
    return random;
  }
}
