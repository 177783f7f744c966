import { createHash } from 'node:crypto';
import { toHex } from '../bytes.ts';

const NODE_ID_BYTES = 6;

/** SHA-256 (FIPS 180-4) of the parts one after the other, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Node id of a device key: the first 6 bytes of its SHA-256, hex (PROTOCOL.md, section 1). */
export function nodeIdOf(deviceKey: Uint8Array): string {
  return toHex(sha256(deviceKey).subarray(0, NODE_ID_BYTES));
}

/** Network number of a network id: u32, the first 4 bytes of SHA-256("wattmesh network " ‖ text), little-endian (PROTOCOL.md, section 1). */
export function networkNumber(network: string): number {
  const digest = createHash('sha256').update(`wattmesh network ${network}`).digest();
  return digest.readUInt32LE(0);
}
