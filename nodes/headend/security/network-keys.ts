import { fromHex, toHex } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import { inRange, NETWORK_KEY_BYTES } from '../frame/fields.ts';
import { sha256 } from './keys.ts';

/** Key ids of K_net; 0 is the join key (PROTOCOL.md, section 1). */
const KEY_ID_MAX = 15;
const KEY_HEX = new RegExp(`^[0-9a-f]{${2 * NETWORK_KEY_BYTES}}$`);
/** How long nodes have, ms, to hear of a new K_net before it is used, unless the options say otherwise; and the most that those may say. */
export const ROTATION_GRACE_MS = 30 * 60_000;
export const ROTATION_GRACE_MS_MAX = 24 * 3600_000;

/** K_net with its id. */
export interface NetworkKey {
  /** 1..15. */
  readonly keyId: number;
  /** 16 bytes. */
  readonly key: Uint8Array;
}

/** The network's keys: the one in use, and the one that follows it at `useAtMs` (UTC). */
export interface NetworkKeyRing {
  readonly current: NetworkKey;
  readonly next: (NetworkKey & { readonly useAtMs: number }) | undefined;
  /** Tells the key that the operator gave from others; empty when none was given. */
  readonly given: string;
}

/** A ring of one key: the operator's, or one that was drawn. `badConfig` for what is no K_net. */
export function newRing(given: NetworkKey | undefined, random: (length: number) => Uint8Array): NetworkKeyRing {
  const current = given ?? { keyId: 1, key: random(NETWORK_KEY_BYTES) };
  return { current: checked(current), next: undefined, given: given ? markOf(given) : '' };
}

/** True when the operator has given another key than the one that this ring began with: theirs counts. */
export function isReplaced(ring: NetworkKeyRing, given: NetworkKey | undefined): boolean {
  return given !== undefined && markOf(given) !== ring.given;
}

/** The key that nodes use at this moment. */
export function keyInUse(ring: NetworkKeyRing, nowMs: number): NetworkKey {
  return ring.next && isDue(ring.next, nowMs) ? ring.next : ring.current;
}

/** The ring with another key on its way: in use after `graceMs`. */
export function rotated(ring: NetworkKeyRing, key: Uint8Array, nowMs: number, graceMs: number): NetworkKeyRing {
  const keyId = ((ring.next ?? ring.current).keyId % KEY_ID_MAX) + 1;
  return { ...ring, current: keyInUse(ring, nowMs), next: { keyId, key, useAtMs: nowMs + graceMs } };
}

/** The ring once everybody has the key that follows. */
export function settled(ring: NetworkKeyRing): NetworkKeyRing {
  return ring.next ? { ...ring, current: { keyId: ring.next.keyId, key: ring.next.key }, next: undefined } : ring;
}

/** Seconds until a key is used. A clock that was set back must not put it off for years. */
export function untilUseS({ useAtMs }: { readonly useAtMs: number }, nowMs: number): number {
  const leftMs = useAtMs - nowMs;
  return leftMs > ROTATION_GRACE_MS_MAX ? 0 : Math.max(0, Math.ceil(leftMs / 1000));
}

function isDue(next: { readonly useAtMs: number }, nowMs: number): boolean {
  return untilUseS(next, nowMs) === 0;
}

/** A ring as bytes, for the key table. */
export function encodeRing({ current, next, given }: NetworkKeyRing): Uint8Array {
  const plain = ({ keyId, key }: NetworkKey) => ({ keyId, key: toHex(key) });
  const content = {
    current: plain(current),
    given,
    ...(next ? { next: { ...plain(next), useAtMs: next.useAtMs } } : {}),
  };
  return new TextEncoder().encode(JSON.stringify(content));
}

/** The ring that `encodeRing` wrote; `storeFailed` for bytes that it cannot have written. */
export function decodeRing(bytes: Uint8Array): NetworkKeyRing {
  const { current, next, given } = fieldsOf(bytes);
  if (typeof given !== 'string') throw unreadable();
  return { current: keyOf(current), next: next === undefined ? undefined : announcedOf(next), given };
}

function fieldsOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The parser's own message would quote the keys.
    throw unreadable();
  }
  return recordOf(value);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw unreadable();
  return value as Record<string, unknown>;
}

function keyOf(value: unknown): NetworkKey {
  const { keyId, key } = recordOf(value);
  if (!isKeyId(keyId) || typeof key !== 'string' || !KEY_HEX.test(key)) throw unreadable();
  return { keyId, key: fromHex(key) };
}

function announcedOf(value: unknown): NetworkKey & { readonly useAtMs: number } {
  const { useAtMs } = recordOf(value);
  if (typeof useAtMs !== 'number') throw unreadable();
  return { ...keyOf(value), useAtMs };
}

function isKeyId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= KEY_ID_MAX;
}

function unreadable(): WattmeshError {
  return new WattmeshError(
    'storeFailed',
    'the network keys in the store cannot be read: restore the store from a backup',
  );
}

function checked(key: NetworkKey): NetworkKey {
  inRange(key.keyId, 1, KEY_ID_MAX, 'key id');
  if (key.key.length === NETWORK_KEY_BYTES) return { keyId: key.keyId, key: key.key.slice() };
  throw new WattmeshError(
    'badConfig',
    `the network key has ${key.key.length} bytes instead of ${NETWORK_KEY_BYTES}: make another one`,
  );
}

function markOf({ keyId, key }: NetworkKey): string {
  return toHex(sha256(new TextEncoder().encode('wattmesh given key'), Uint8Array.of(keyId), key));
}
