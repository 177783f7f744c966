import { toHex } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { crc32 } from '../frame/crc.ts';
import { badField } from '../frame/fields.ts';
import { DEVICE_KEY_BYTES } from '../frame/handshake.ts';
import { sha256 } from './keys.ts';

/**
 * What stands on a device's label (PROTOCOL.md, "Labels"): its public key as text for a QR code, and a fingerprint of that key as 40 digits for
 * people.
 */
const QR_PREFIX = 'WM1:';
const QR_TEXT = /^WM1:([A-Z2-7]{52}):([0-9A-F]{8})$/;
/** RFC 4648, section 6. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Groups of digits on a label. */
export const DIGIT_GROUPS = 8;
/** Digits of the fingerprint in a group; one check digit follows them. */
const DATA_DIGITS = 4;
const DIGITS_PREFIX = ascii('wattmesh label');

/** The QR text of a device key; upper-case throughout, so that a QR code takes it in its alphanumeric mode. */
export function labelText(deviceKey: Uint8Array): string {
  if (deviceKey.length !== DEVICE_KEY_BYTES) throw badField('length of a device key', deviceKey.length);
  const text = `${QR_PREFIX}${base32(deviceKey)}`;
  return `${text}:${crcOf(text)}`;
}

/**
 * The device key of a QR text; case and spaces around it do not matter. `badField` for text of another form, `badVersion` for a later version's,
 * `badCrc` when it was mistyped.
 */
export function parseLabelText(text: string): Uint8Array {
  const plain = text.trim().toUpperCase();
  const match = QR_TEXT.exec(plain);
  if (!match) {
    if (/^WM\d+:/.test(plain) && !plain.startsWith(QR_PREFIX)) {
      throw new WattmeshError('badVersion', 'this label is of a later version: update this package');
    }
    throw new WattmeshError(
      'badField',
      'this is no label of a Wattmesh device: its text starts with WM1: and has 65 characters',
    );
  }
  const [, key = '', crc] = match;
  if (crcOf(`${QR_PREFIX}${key}`) !== crc) {
    throw new WattmeshError('badCrc', 'the text of the label does not fit its check digits: read it again');
  }
  const deviceKey = base32Bytes(key);
  // 52 letters are 260 bits, 4 more than a key has: another last letter would be another text for the same key.
  if (base32(deviceKey) !== key)
    throw new WattmeshError('badField', 'the text of the label has bits left over: read it again');
  return deviceKey;
}

/** The eight groups of five digits of a device key. */
export function labelDigits(deviceKey: Uint8Array): string[] {
  if (deviceKey.length !== DEVICE_KEY_BYTES) throw badField('length of a device key', deviceKey.length);
  const digest = sha256(DIGITS_PREFIX, deviceKey);
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return Array.from({ length: DIGIT_GROUPS }, (_, index) => {
    const data = String(view.getUint32(4 * index, true) % 10 ** DATA_DIGITS).padStart(DATA_DIGITS, '0');
    return `${data}${checkDigit(index, data)}`;
  });
}

/** True when five digits can be group `index` (0..7) of some label: every single mistyped digit is found, and most swapped ones. */
export function isDigitGroup(index: number, digits: string): boolean {
  return /^\d{5}$/.test(digits) && checkDigit(index, digits.slice(0, DATA_DIGITS)) === digits.at(-1);
}

/**
 * Check digit over the group's number (1..8) and its four digits: ISO/IEC 7064, MOD 11,10. The number is in it so that a group in another's
 * place is noticed.
 */
function checkDigit(index: number, data: string): string {
  let product = 10;
  for (const digit of `${index + 1}${data}`) {
    const sum = (product + Number(digit)) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return String((11 - product) % 10);
}

function crcOf(text: string): string {
  return crc32(ascii(text)).toString(16).toUpperCase().padStart(8, '0');
}

/** Without padding. */
function base32(bytes: Uint8Array): string {
  let bits = BigInt(`0x${toHex(bytes)}`);
  const letters = Math.ceil((bytes.length * 8) / 5);
  bits <<= BigInt(letters * 5 - bytes.length * 8);
  let text = '';
  for (let letter = 0; letter < letters; letter++) {
    text = BASE32[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
}

/** Bytes of 52 letters; the 4 bits behind the last byte are dropped. */
function base32Bytes(text: string): Uint8Array {
  let bits = 0n;
  for (const letter of text) bits = (bits << 5n) | BigInt(BASE32.indexOf(letter));
  bits >>= BigInt(text.length * 5 - DEVICE_KEY_BYTES * 8);
  return new Uint8Array(Buffer.from(bits.toString(16).padStart(DEVICE_KEY_BYTES * 2, '0'), 'hex'));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
