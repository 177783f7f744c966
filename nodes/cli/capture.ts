import { fromHex } from '../headend/bytes.ts';
import { type ErrorName, reasonOf } from '../headend/errors.ts';
import { SlipDecoder } from '../headend/frame/slip.ts';

const END = 0xc0;

/** Something found in a capture: an envelope, or bytes that were none. */
export type Found =
  | { readonly at: Place; readonly envelope: Uint8Array }
  | { readonly at: Place; readonly refused: ErrorName; readonly length: number };

/** Where it begins: its first byte in the stream (behind the END), or a line of the text. */
export type Place = { readonly offset: number } | { readonly line: number };

/** Finds SLIP packets in a byte stream as the serial port gave it, cut anywhere, and says where they begin. Keeps one packet in memory. */
export class StreamCapture {
  readonly #decoder: SlipDecoder;
  /** Bytes seen, and of them the first one behind the last END. */
  #offset = 0;
  #start = 0;

  constructor(found: (found: Found) => void) {
    this.#decoder = new SlipDecoder({
      frame: (envelope) => found({ at: { offset: this.#start }, envelope }),
      bad: (refused, length) => found({ at: { offset: this.#start }, refused, length }),
    });
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const end = chunk.indexOf(END, at);
      const next = end < 0 ? chunk.length : end + 1;
      this.#decoder.push(chunk.subarray(at, next));
      this.#offset += next - at;
      if (end >= 0) this.#start = this.#offset;
      at = next;
    }
  }

  end(): void {
    this.#decoder.end();
  }
}

/** Reads one line of text as the hexadecimal bytes of an envelope; nothing for an empty line or one that begins with `#`. */
export function readHexLine(text: string, line: number): Found | undefined {
  const digits = text.replace(/\s+/g, '');
  if (digits === '' || digits.startsWith('#')) return undefined;
  try {
    return { at: { line }, envelope: fromHex(digits) };
  } catch (error) {
    const refused = reasonOf(error);
    if (!refused) throw error;
    return { at: { line }, refused, length: digits.length };
  }
}

const EXPLANATIONS: { readonly [Reason in ErrorName]?: string } = {
  truncated: 'too short for an envelope with its CRC',
  oversize: 'longer than any envelope, skipped to the next END',
  badCrc: 'the CRC does not match',
  badField: 'neither a SLIP escape nor hexadecimal text',
};

/** What bytes that were no envelope did wrong. */
export function explain(refused: ErrorName): string {
  return EXPLANATIONS[refused] ?? 'not an envelope';
}
