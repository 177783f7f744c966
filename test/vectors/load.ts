import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorName } from '../../nodes/headend/errors.ts';
import { repoRoot } from '../support/root.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface ValidCase {
  readonly name: string;
  readonly hex: string;
  readonly valid: true;
  readonly fields: { [name: string]: Json };
  /** What the fields encode to; absent: `hex`. */
  readonly canonical?: string;
}

export interface InvalidCase {
  readonly name: string;
  readonly hex: string;
  readonly valid: false;
  readonly error: ErrorName;
  readonly why: string;
  readonly fields?: { [name: string]: Json };
}

export interface VectorFile {
  readonly kind: string;
  readonly about: string;
  readonly cases: readonly (ValidCase | InvalidCase)[];
}

/** The kinds that a decoder can judge without keys, with the number by which the firmware knows them. */
export const KINDS = {
  radio: 1,
  'envelope-gateway': 2,
  'envelope-host': 3,
  packet: 4,
  'sections-up': 5,
  'sections-down': 6,
  'm1-payload': 7,
  'm2-payload': 8,
  slip: 9,
} as const;
export type Kind = keyof typeof KINDS;

export function loadVectors(kind: Kind | 'link-mac'): VectorFile {
  return JSON.parse(readFileSync(join(repoRoot(), 'test', 'vectors', `${kind}.json`), 'utf8')) as VectorFile;
}

/** Fields as JSON has them: bytes become hex, nothing else changes. */
export function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toJson(field)]));
  }
  if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) return value as Json;
  throw new TypeError(`a field of type ${typeof value} has no place in a vector`);
}
