import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorName } from '../../../nodes/headend/errors.ts';
import type { CryptoProvider } from '../../../nodes/headend/security/provider.ts';
import { nobleProvider } from '../../../nodes/headend/security/provider-noble.ts';
import { nodeProvider } from '../../../nodes/headend/security/provider-node.ts';
import { repoRoot } from '../../support/root.ts';

/** Every vector is judged on each of them. */
export const providers: readonly CryptoProvider[] = [nodeProvider, nobleProvider];

/** A case of `suite-*.json`. */
export interface SuiteCase {
  readonly name: string;
  readonly packet: 'm1' | 'm2' | 'up' | 'down';
  readonly hex?: string;
  readonly fragments?: readonly string[];
  readonly valid: boolean;
  readonly error?: ErrorName;
  readonly fields?: Readonly<Record<string, string | number>>;
}

export interface SuiteVectors {
  readonly keys: Readonly<Record<string, string>> & { readonly networkNumber: number };
  readonly cases: readonly SuiteCase[];
}

/** A file of test/vectors, without its ending. */
export function projectVectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(repoRoot(), 'test', 'vectors', `${name}.json`), 'utf8')) as T;
}

/**
 * Test vectors of others, which are not part of the project: undefined where WATTMESH_SHARED does not name the folder that has them. Where it
 * does, a missing file is an error.
 */
export function foreignVectors<T>(path: string): T | undefined {
  const shared = process.env.WATTMESH_SHARED;
  return shared ? (JSON.parse(readFileSync(join(shared, 'vectors', path), 'utf8')) as T) : undefined;
}

export function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}

/** A copy with one bit of another value. */
export function flipped(data: Uint8Array, bit: number): Uint8Array {
  const copy = data.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** The provider, but its randomness is `secret`, for answers that a vector knows. */
export function withRandom(provider: CryptoProvider, secret: Uint8Array): CryptoProvider {
  return { ...provider, randomBytes: () => secret.slice() };
}
