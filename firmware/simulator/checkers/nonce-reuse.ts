import type { CryptoProvider } from '../../../nodes/headend/security/provider.ts';
import type { Violation } from './violation.ts';

/** Most violations kept: a counter that starts over shows with every packet. */
export const NONCE_VIOLATIONS_MAX = 100;
/** Keys remembered, each with one owner epoch, some 25 MB: the oldest is forgotten first. Every handshake takes six of them. */
export const SEALING_KEYS_MAX = 1 << 17;
/** Runs of counters remembered of one key: the oldest is forgotten first. Counters rise one by one, so that most keys have a single run. */
export const COUNTER_RUNS_MAX = 64;

/** Where the counter stands in a nonce: 0⁴ ‖ LE32(counter) ‖ LE32(owner epoch) (PROTOCOL.md, section 3.1). */
const COUNTER_AT = 4;
const EPOCH_AT = 8;
/** A key and those two thirds of a nonce that are not the counter. */
const KEY_BYTES = 32;
const LINE_BYTES = KEY_BYTES + 8;

/** Runs of counters that were used: the first and the last of one, then of the next. */
type Runs = number[];

/**
 * No (key, nonce) pair is ever used for two seals, by devices and head-end together: ChaCha20-Poly1305 gives away both plaintexts and its
 * authentication key otherwise (RFC 8439, section 4). What is sent again are the bytes that were kept, so that a second seal is a violation
 * whatever it contains. Fed with every seal as it happens.
 */
export class NonceReuseChecker {
  readonly violations: Violation[] = [];
  /** Seals so far. */
  seals = 0;
  readonly #seed: string;
  /** Counters used, by key and the rest of the nonce. */
  readonly #used = new Map<string, Runs>();
  readonly #line = Buffer.alloc(LINE_BYTES);

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** `who` seals something now. `nonce`: 12 bytes. */
  sealed(who: string, key: Uint8Array, nonce: Uint8Array, atS: number): void {
    this.seals++;
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
    const counter = view.getUint32(COUNTER_AT, true);
    this.#line.set(key);
    this.#line.set(nonce.subarray(0, COUNTER_AT), KEY_BYTES);
    this.#line.set(nonce.subarray(EPOCH_AT), KEY_BYTES + COUNTER_AT);
    if (this.#use(this.#line.toString('latin1'), counter)) return;
    const epoch = view.getUint32(EPOCH_AT, true);
    const what = `a key is used twice with counter ${counter} of owner epoch ${epoch}`;
    if (this.violations.length < NONCE_VIOLATIONS_MAX)
      this.violations.push({ checker: 'nonce-reuse', what, who, atS, seed: this.#seed });
  }

  /** The same provider, all of whose seals are told here as those of `who`. */
  watched(provider: CryptoProvider, who: string, nowS: () => number): CryptoProvider {
    return {
      ...provider,
      aeadSeal: (key, nonce, aad, plaintext) => {
        this.sealed(who, key, nonce, nowS());
        return provider.aeadSeal(key, nonce, aad, plaintext);
      },
    };
  }

  #use(line: string, counter: number): boolean {
    const runs = this.#used.get(line);
    if (runs) return use(runs, counter);
    if (this.#used.size >= SEALING_KEYS_MAX) this.#used.delete(this.#used.keys().next().value as string);
    this.#used.set(line, [counter, counter]);
    return true;
  }
}

/** Notes a counter; false when it was used before. */
function use(runs: Runs, counter: number): boolean {
  let before = -1;
  for (let run = 0; run < runs.length; run += 2) {
    const [first, last] = [runs[run] as number, runs[run + 1] as number];
    if (counter >= first && counter <= last) return false;
    if (last === counter - 1) before = run;
  }
  if (before >= 0) runs[before + 1] = counter;
  else runs.push(counter, counter);
  if (runs.length > 2 * COUNTER_RUNS_MAX) runs.splice(0, 2);
  return true;
}
