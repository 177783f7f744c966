import { type ErrorName, WattmeshError } from '../errors.ts';
import { crc32 } from './crc.ts';

/** Largest envelope on any link. */
export const ENVELOPE_BYTES_MAX = 512;

const CRC_BYTES = 4;
const FRAME_BYTES_MIN = 1 + CRC_BYTES;
const FRAME_BYTES_MAX = ENVELOPE_BYTES_MAX + CRC_BYTES;

/** RFC 1055, "Protocol". */
const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** Throws `truncated` for an empty envelope and `oversize` for one above ENVELOPE_BYTES_MAX: a programmer's error, on every link alike. */
export function checkEnvelopeLength(envelope: Uint8Array): void {
  if (envelope.length === 0)
    throw new WattmeshError('truncated', 'an empty envelope cannot be sent: give at least its type byte');
  if (envelope.length > ENVELOPE_BYTES_MAX) {
    throw new WattmeshError(
      'oversize',
      `an envelope of ${envelope.length} bytes cannot be sent: the limit is ${ENVELOPE_BYTES_MAX}`,
    );
  }
}

/** One envelope (1 to ENVELOPE_BYTES_MAX bytes) for the serial line: END, envelope and CRC-32 (little-endian) escaped, END. */
export function encodeSlip(envelope: Uint8Array): Uint8Array {
  checkEnvelopeLength(envelope);
  const crc = crc32(envelope);
  const line = new Uint8Array(2 + 2 * (envelope.length + CRC_BYTES));
  let length = 0;
  const put = (byte: number): void => {
    if (byte === END || byte === ESC) {
      line[length++] = ESC;
      line[length++] = byte === END ? ESC_END : ESC_ESC;
    } else {
      line[length++] = byte;
    }
  };
  line[length++] = END;
  for (const byte of envelope) put(byte);
  for (let shift = 0; shift < 32; shift += 8) put((crc >>> shift) & 0xff);
  line[length++] = END;
  return line.slice(0, length);
}

/** What a decoder found; neither may throw. */
export interface SlipEvents {
  /** A whole envelope; its CRC was right and is removed. The bytes are the receiver's own. */
  frame(envelope: Uint8Array): void;
  /** Something that was no frame, reported once: `length` is the number of decoded bytes when it was given up. */
  bad(reason: ErrorName, length: number): void;
}

/**
 * Finds envelopes in a byte stream that is cut anywhere. After any garbage the next END starts afresh; memory is one frame, whatever arrives.
 * `oversize`: more than ENVELOPE_BYTES_MAX + 4 bytes without an END; `badField`: an escape that RFC 1055 does not know; `truncated`: fewer
 * than 5 bytes; `badCrc`: another CRC. END END is silence.
 */
export class SlipDecoder {
  readonly #events: SlipEvents;
  readonly #frame = new Uint8Array(FRAME_BYTES_MAX);
  #length = 0;
  #escaped = false;
  #skipping = false;

  constructor(events: SlipEvents) {
    this.#events = events;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#skipping ? this.#skip(chunk, at) : this.#collect(chunk, at);
  }

  /** The stream is over: a frame that had begun is reported as `truncated`, and the decoder is as new. */
  end(): void {
    const length = this.#length;
    const begun = !this.#skipping && (length > 0 || this.#escaped);
    this.#restart();
    if (begun) this.#events.bad('truncated', length);
  }

  /** Leaves out everything up to the next END; returns where to go on. */
  #skip(chunk: Uint8Array, from: number): number {
    const end = chunk.indexOf(END, from);
    if (end < 0) return chunk.length;
    this.#restart();
    return end + 1;
  }

  /** Decodes up to the end of the frame, of the chunk, or of patience; returns where to go on. */
  #collect(chunk: Uint8Array, from: number): number {
    const frame = this.#frame;
    let length = this.#length;
    let escaped = this.#escaped;
    for (let at = from; at < chunk.length; at++) {
      let byte = chunk[at] as number;
      if (byte === END) {
        this.#finish(length, escaped);
        return at + 1;
      }
      if (escaped) {
        if (byte !== ESC_END && byte !== ESC_ESC) return this.#giveUp('badField', length, at + 1);
        byte = byte === ESC_END ? END : ESC;
        escaped = false;
      } else if (byte === ESC) {
        escaped = true;
        continue;
      }
      if (length === FRAME_BYTES_MAX) return this.#giveUp('oversize', length + 1, at + 1);
      frame[length++] = byte;
    }
    this.#length = length;
    this.#escaped = escaped;
    return chunk.length;
  }

  #giveUp(reason: ErrorName, length: number, next: number): number {
    this.#skipping = true;
    this.#events.bad(reason, length);
    return next;
  }

  /** An END has come after `length` decoded bytes. */
  #finish(length: number, escaped: boolean): void {
    this.#restart();
    if (length === 0 && !escaped) return;
    const envelope = this.#frame.slice(0, Math.max(0, length - CRC_BYTES));
    const fault = escaped ? 'badField' : this.#fault(envelope, length);
    if (fault) this.#events.bad(fault, length);
    else this.#events.frame(envelope);
  }

  #fault(envelope: Uint8Array, length: number): ErrorName | undefined {
    if (length < FRAME_BYTES_MIN) return 'truncated';
    const expected = new DataView(this.#frame.buffer).getUint32(envelope.length, true);
    return crc32(envelope) === expected ? undefined : 'badCrc';
  }

  #restart(): void {
    this.#length = 0;
    this.#escaped = false;
    this.#skipping = false;
  }
}
