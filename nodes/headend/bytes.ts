import { WattmeshError } from './errors.ts';

/** Largest value of a 64-bit varint: ten groups of seven bits (LEB128). */
const VARINT_BYTES_MAX = 10;
const SHORT_VARINT_BYTES = 4;
/** The upper 32 bits of the largest safe integer. */
const MAX_SAFE_HIGH = 2 ** 21 - 1;

/**
 * Bounds-checked little-endian reader. Every read past the end throws `truncated`; nothing is ever read twice by accident. It takes bytes one by
 * one: for fields of this size that is faster than a DataView, which costs more to make than a whole packet to read.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  /** Reads bytes `from` to `end`. */
  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = from;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    const at = this.#take(1);
    return this.#bytes[at] as number;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.#take(2);
    const bytes = this.#bytes;
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  }

  u32(): number {
    return this.#u32At(this.#take(4));
  }

  /** 48-bit unsigned; always a safe integer. */
  u48(): number {
    const at = this.#take(6);
    const bytes = this.#bytes;
    return this.#u32At(at) + ((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8)) * 0x1_0000_0000;
  }

  /** 64-bit unsigned that must be a safe integer (all of ours are times and counters): otherwise `badField`. */
  u64(): number {
    const at = this.#take(8);
    const high = this.#u32At(at + 4);
    if (high > MAX_SAFE_HIGH) throw new WattmeshError('badField', 'a 64-bit field is out of range');
    return this.#u32At(at) + high * 0x1_0000_0000;
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    return copyOf(this.#bytes, this.#take(length), length);
  }

  /** The next `length` bytes where they lie: valid as long as nobody writes to them. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A copy of everything left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** The next `length` bytes as lower-case hexadecimal text. */
  hex(length: number): string {
    return hexOf(this.#bytes, this.#take(length), length);
  }

  /** A reader of the next `length` bytes alone. */
  part(length: number): Reader {
    const at = this.#take(length);
    return new Reader(this.#bytes, at, at + length);
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

  #u32At(at: number): number {
    const bytes = this.#bytes;
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
  }

  #take(length: number): number {
    if (length > this.#end - this.#offset) {
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
  #offset = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#offset;
  }

  get room(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(value: number): this {
    const at = this.#take(1);
    this.#bytes[at] = value;
    return this;
  }

  i8(value: number): this {
    return this.u8(value);
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
    return this;
  }

  u32(value: number): this {
    const at = this.#take(4);
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    return this;
  }

  u48(value: number): this {
    return this.u32(value % 0x1_0000_0000).u16(Math.floor(value / 0x1_0000_0000));
  }

  u64(value: number): this {
    return this.u32(value % 0x1_0000_0000).u32(Math.floor(value / 0x1_0000_0000));
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
  return hexOf(bytes, 0, bytes.length);
}

/** Two digits for each byte value. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Short texts are put together digit by digit: handing them to a Buffer costs more. */
const SHORT_HEX_BYTES = 8;

function hexOf(bytes: Uint8Array, at: number, length: number): string {
  if (length > SHORT_HEX_BYTES) return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('hex');
  let text = '';
  for (let index = at; index < at + length; index++) text += HEX[bytes[index] as number];
  return text;
}

/** A plain copy: `slice` of a Buffer would share its memory. */
function copyOf(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  for (let index = 0; index < length; index++) copy[index] = bytes[at + index] as number;
  return copy;
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
