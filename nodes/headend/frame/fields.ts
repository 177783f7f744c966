import { fromHex, type Reader, type Writer } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';

/** Names of the numbers of one field: the index is the number on the wire, a hole is a number that is refused. */
type Names<Name extends string> = readonly (Name | undefined)[];

/** PROTOCOL.md, section 1. */
export const ROLES = [undefined, 'meter', 'hub', 'gateway'] as const;
export type Role = NonNullable<(typeof ROLES)[number]>;

/** PROTOCOL.md, section 1. */
export const ENERGY_CLASSES = ['mains', 'backup', 'battery'] as const;
export type EnergyClass = (typeof ENERGY_CLASSES)[number];

/** PROTOCOL.md, section 3.1. */
export const RESET_CAUSES = [
  'unknown',
  'powerOn',
  'resetPin',
  'software',
  'watchdog',
  'brownOut',
  'deepSleep',
] as const;
export type ResetCause = (typeof RESET_CAUSES)[number];

/** Version of the wire format: bits 7..4 of the first byte of frames, packets and envelopes. */
const WIRE_VERSION = 1;

/** Most entries of a route, on every way. */
export const HOPS_MAX = 20;
/** Bytes of a node id and of a MAC address. */
export const NODE_ID_BYTES = 6;
/** Bytes of a log id. */
export const LOG_ID_BYTES = 4;
/** Bytes of a network key. */
export const NETWORK_KEY_BYTES = 16;

/** The `badField` of a value outside its range. */
export function badField(field: string, value: number | string): WattmeshError {
  return new WattmeshError('badField', `${field} ${value} is not allowed`);
}

/** The name of a number on the wire; `badField` when the table has none. */
export function nameOf<Name extends string>(names: Names<Name>, code: number, field: string): Name {
  const name = names[code];
  if (name === undefined) throw badField(field, code);
  return name;
}

/** The number of a name; `badField` for a name that the table does not have. */
export function codeOf<Name extends string>(names: Names<Name>, name: Name, field: string): number {
  const code = names.indexOf(name);
  if (code < 0) throw badField(field, name);
  return code;
}

/** The names of a table of types, for `readType`. */
export function namesOf<Name extends string>(types: Readonly<Record<Name, number>>): Names<Name> {
  const names: (Name | undefined)[] = [];
  for (const name of Object.keys(types) as Name[]) names[types[name]] = name;
  return names;
}

/** The type in a first byte of version and type; `badVersion` or `unknownType`. */
export function readType<Name extends string>(reader: Reader, names: Names<Name>, what: string): Name {
  const byte = reader.u8();
  const version = byte >> 4;
  if (version !== WIRE_VERSION) {
    throw new WattmeshError('badVersion', `${what} version ${version} is not ${WIRE_VERSION}`);
  }
  const name = names[byte & 0x0f];
  if (name === undefined) throw new WattmeshError('unknownType', `${what} type ${byte & 0x0f} is not in the table`);
  return name;
}

/** The first byte of version and type. */
export function typeByte(type: number): number {
  return (WIRE_VERSION << 4) | type;
}

/** `value` when it is an integer within [min, max], otherwise `badField`. */
export function inRange(value: number, min: number, max: number, field: string): number {
  if (!Number.isInteger(value) || value < min || value > max) throw badField(field, value);
  return value;
}

/** Bytes of hexadecimal text that must have `length` bytes; otherwise `badField`. */
export function fixedHex(text: string, length: number, field: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes.length !== length) throw badField(field, text);
  return bytes;
}

/** The next `length` bytes as lower-case hexadecimal text. */
export function readHex(reader: Reader, length: number): string {
  return reader.hex(length);
}

/** Three bytes: major, minor, patch. */
export function readFirmware(reader: Reader): string {
  return `${reader.u8()}.${reader.u8()}.${reader.u8()}`;
}

export function writeFirmware(writer: Writer, version: string): void {
  const parts = version.split('.').map(Number);
  if (parts.length !== 3) throw badField('firmware version', version);
  for (const part of parts) writer.u8(inRange(part, 0, 255, 'firmware version'));
}

/** `hops` short ids. */
export function readRoute(reader: Reader, hops: number): number[] {
  const route = new Array<number>(hops);
  for (let hop = 0; hop < hops; hop++) route[hop] = reader.u16();
  return route;
}

export function writeRoute(writer: Writer, route: readonly number[]): void {
  for (const shortId of route) writer.u16(shortId);
}

/** Bits of a flags byte by name, from bit 0 up. */
export function readFlags<Name extends string>(names: readonly Name[], value: number): Record<Name, boolean> {
  return Object.fromEntries(names.map((name, bit) => [name, (value & (1 << bit)) !== 0])) as Record<Name, boolean>;
}

export function flagsOf<Name extends string>(names: readonly Name[], flags: Readonly<Record<Name, boolean>>): number {
  return names.reduce((value, name, bit) => (flags[name] ? value | (1 << bit) : value), 0);
}

/** Two's complement of 16 bits. */
export function i16(value: number): number {
  return value < 0x8000 ? value : value - 0x1_0000;
}
