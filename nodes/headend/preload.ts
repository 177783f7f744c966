import { fromHex, toHex } from './bytes.ts';
import { csvFields } from './csv.ts';
import { isGoodName, NAME_CHARS_MAX } from './device-names.ts';
import { WattmeshError } from './errors.ts';
import { DEVICE_KEY_BYTES } from './frame/handshake.ts';
import { parseLabelText } from './security/label.ts';
import { PSK_BYTES } from './security/suite-rsa.ts';

/** Most lines and characters of a list. */
export const PRELOAD_LINES_MAX = 20_000;
export const PRELOAD_CHARS_MAX = 8 * 1024 * 1024;
/** Column heads; a first line that begins so is skipped. */
const HEAD = ['key', 'name', 'hub', 'psk'];
const HUB_MAX = 0xffff;

/** A device of a list. */
export interface ListedDevice {
  /** Line of the list, from 1. */
  readonly line: number;
  /** Hex. */
  readonly key: string;
  readonly name: string;
  /** 0: none. */
  readonly hub: number;
  readonly psk: Uint8Array | undefined;
}

/** A line that cannot be used. It says what is wrong and quotes no secret. */
export interface ListFault {
  readonly line: number;
  readonly message: string;
}

/**
 * Reads a list of devices: CSV (RFC 4180, one record a line) with the columns key, name, hub, psk, of which all but the first may be empty. The
 * key is the label's WM1 text or 64 hexadecimal digits. `badConfig` for a list that is too long.
 */
export function readDeviceList(text: string): { devices: ListedDevice[]; faults: ListFault[] } {
  if (text.length > PRELOAD_CHARS_MAX) throw tooLong(`${PRELOAD_CHARS_MAX} characters`);
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.length > PRELOAD_LINES_MAX) throw tooLong(`${PRELOAD_LINES_MAX} lines`);
  const devices: ListedDevice[] = [];
  const faults: ListFault[] = [];
  const keys = new Map<string, number>();
  lines.forEach((content, index) => {
    const line = index + 1;
    if (content.trim() === '') return;
    try {
      const fields = csvFields(content);
      if (index === 0 && fields[0]?.toLowerCase() === HEAD[0]) return;
      const device = deviceOf(line, fields);
      const earlier = keys.get(device.key);
      if (earlier !== undefined) throw wrong(`this key stands in line ${earlier} already`);
      keys.set(device.key, line);
      devices.push(device);
    } catch (error) {
      if (!(error instanceof WattmeshError)) throw error;
      faults.push({ line, message: error.message });
    }
  });
  return { devices, faults };
}

/** A device key as people have it: the label's WM1 text, or 64 hexadecimal digits. */
export function parseDeviceKey(text: string): Uint8Array {
  const plain = text.trim();
  if (/^[0-9a-f]+$/i.test(plain) && plain.length === 2 * DEVICE_KEY_BYTES) return fromHex(plain);
  return parseLabelText(plain);
}

/** A PSK of 64 hexadecimal digits; the error does not quote it. */
export function parsePsk(text: string): Uint8Array {
  const plain = text.trim();
  if (/^[0-9a-f]+$/i.test(plain) && plain.length === 2 * PSK_BYTES) return fromHex(plain);
  throw wrong(`the psk must have ${2 * PSK_BYTES} hexadecimal digits`);
}

/** A hub's number; an empty text is 0: none. */
export function parseHub(text: string): number {
  const plain = text.trim();
  if (plain === '') return 0;
  if (/^\d{1,5}$/.test(plain) && Number(plain) >= 1 && Number(plain) <= HUB_MAX) return Number(plain);
  throw wrong(`the hub must be a number from 1 to ${HUB_MAX}`);
}

function deviceOf(line: number, fields: readonly string[]): ListedDevice {
  const [key = '', name = '', hub = '', psk = ''] = fields;
  if (fields.length > HEAD.length) throw wrong(`a line has the columns ${HEAD.join(',')}: quote names with commas`);
  const plainName = name.trim();
  if (plainName !== '' && !isGoodName(plainName)) {
    throw wrong(`the name must have at most ${NAME_CHARS_MAX} characters, none of them a control character`);
  }
  return {
    line,
    key: toHex(parseDeviceKey(key)),
    name: plainName,
    hub: parseHub(hub),
    psk: psk.trim() === '' ? undefined : parsePsk(psk),
  };
}

function wrong(message: string): WattmeshError {
  return new WattmeshError('badField', message);
}

function tooLong(limit: string): WattmeshError {
  return new WattmeshError('badConfig', `the list of devices is too long: at most ${limit}`);
}
