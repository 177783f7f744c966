import { WattmeshError } from './errors.ts';

/** Largest value of a 64-bit varint: ten groups of seven bits (LEB128). */
const VARINT_BYTES_MAX = 10;
const SHORT_VARINT_BYTES = 4;

/** Bounds-checked little-endian reader. Every read past the end throws `truncated`; nothing is ever read twice by accident. */
export class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    // A plain view: `slice` of a Buffer would share its memory, and what we hand out must be a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** 48-bit unsigned; always a safe integer. */
  u48(): number {
    const at = this.#take(6);
    return this.#view.getUint32(at, true) + this.#view.getUint16(at + 4, true) * 0x1_0000_0000;
  }

  /** 64-bit unsigned that must be a safe integer (all of ours are times and counters): otherwise `badField`. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new WattmeshError('badField', `64-bit field ${value} is out of range`);
    return Number(value);
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** A copy of everything left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** Zigzag LEB128 of at most 64 bits that must be a safe integer: otherwise `badField`. */
  varint(): number {
    // Nearly all are short: four groups are 28 bits, which plain numbers hold.
    let raw = 0;
    for (let group = 0; group < SHORT_VARINT_BYTES; group++) {
      const byte = this.u8();
      raw |= (byte & 0x7f) << (7 * group);
      if ((byte & 0x80) === 0) return (raw >>> 1) ^ -(raw & 1);
    }
    return this.#longVarint(BigInt(raw));
  }

  /** Throws `trailingBytes` unless everything has been read. */
  end(): void {
    if (this.remaining > 0) throw new WattmeshError('trailingBytes', `${this.remaining} bytes left over`);
  }

  #longVarint(start: bigint): number {
    let raw = start;
    for (let group = SHORT_VARINT_BYTES; ; group++) {
      if (group === VARINT_BYTES_MAX) throw new WattmeshError('badField', 'a varint is longer than 10 bytes');
      const byte = this.u8();
      raw |= BigInt(byte & 0x7f) << BigInt(7 * group);
      if ((byte & 0x80) === 0) break;
    }
    const value = (raw >> 1n) ^ -(raw & 1n);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      throw new WattmeshError('badField', `varint ${value} is out of range`);
    }
    return Number(value);
  }

  #take(length: number): number {
    if (length > this.remaining) {
      throw new WattmeshError('truncated', `${length} bytes wanted at ${this.#offset}, ${this.remaining} there`);
    }
    const at = this.#offset;
    this.#offset += length;
    return at;
  }
}

/** Bounds-checked little-endian writer over a fixed capacity; writing past it throws `oversize`. */
export class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#offset;
  }

  get room(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(value: number): this {
    this.#view.setUint8(this.#take(1), value);
    return this;
  }

  i8(value: number): this {
    this.#view.setInt8(this.#take(1), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#take(2), value, true);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#take(4), value, true);
    return this;
  }

  u48(value: number): this {
    const at = this.#take(6);
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint16(at + 4, Math.floor(value / 0x1_0000_0000), true);
    return this;
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#take(8), BigInt(value), true);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#take(value.length));
    return this;
  }

  /** Zigzag LEB128 of a safe integer. */
  varint(value: number): this {
    let raw = value >= 0 ? BigInt(value) << 1n : (BigInt(-value) << 1n) - 1n;
    while (raw > 0x7fn) {
      this.u8(Number(raw & 0x7fn) | 0x80);
      raw >>= 7n;
    }
    return this.u8(Number(raw));
  }

  /** A copy of what has been written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#offset);
  }

  #take(length: number): number {
    if (length > this.room) throw new WattmeshError('oversize', `${length} bytes do not fit the ${this.room} left`);
    const at = this.#offset;
    this.#offset += length;
    return at;
  }
}

/** Lower-case hexadecimal text of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Bytes of hexadecimal text; anything else throws `badField`. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) {
    throw new WattmeshError('badField', 'this is not hexadecimal text: use an even number of 0-9 and a-f');
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** True when both hold the same bytes. Not constant-time: never for keys or tags. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
