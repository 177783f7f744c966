import { type ErrorName, errorCodes } from '../headend/errors.ts';
import { explain, type Found, type Place } from './capture.ts';
import { type DissectedEnvelope, dissectEnvelope, type Refusal, refusalOf, toPlain } from './dissect.ts';
import { printFields } from './print.ts';

/** Prints what is found in a capture, as text or as one JSON object a line, and counts it. */
export class Report {
  readonly #json: boolean;
  readonly #out: (text: string) => void;
  readonly #envelopes = new Map<string, number>();
  readonly #refused = new Map<ErrorName, number>();
  #packetsRefused = 0;
  #rows = 0;

  constructor(json: boolean, out: (text: string) => void) {
    this.#json = json;
    this.#out = out;
  }

  add(found: Found): void {
    if ('refused' in found) {
      const { refused: reason, length, at } = found;
      this.#refuse(at, length, { reason, code: errorCodes[reason], message: explain(reason) });
      return;
    }
    const { at, envelope: bytes } = found;
    let dissected: DissectedEnvelope;
    try {
      dissected = dissectEnvelope(bytes);
    } catch (error) {
      this.#refuse(at, bytes.length, refusalOf(error));
      return;
    }
    this.#count(dissected);
    const { from, envelope } = dissected;
    const { type, ...fields } = envelope;
    this.#print({ ...at, bytes: bytes.length, from, envelope }, () => [
      `${place(at)}: ${type} from the ${from}, ${bytes.length} B`,
      ...printFields(fields, 1),
    ]);
  }

  /** The counts, after the last. */
  finish(): void {
    const summary = {
      envelopes: Object.fromEntries(this.#envelopes),
      refused: Object.fromEntries(this.#refused),
      packetsRefused: this.#packetsRefused,
      rows: this.#rows,
    };
    this.#print({ summary }, () => [
      'summary',
      `  envelopes: ${list(this.#envelopes)}`,
      `  refused: ${list(this.#refused)}`,
      `  packets refused: ${this.#packetsRefused}`,
      `  rows: ${this.#rows}`,
    ]);
  }

  #refuse(at: Place, bytes: number, refused: Refusal): void {
    this.#refused.set(refused.reason, (this.#refused.get(refused.reason) ?? 0) + 1);
    const { message, reason, code } = refused;
    this.#print({ ...at, bytes, refused }, () => [
      `${place(at)}: refused, ${bytes} B: ${message} (${reason}, ${code})`,
    ]);
  }

  #count({ from, envelope }: DissectedEnvelope): void {
    const name = `${envelope.type} from the ${from}`;
    this.#envelopes.set(name, (this.#envelopes.get(name) ?? 0) + 1);
    const item = envelope.item as { packet?: unknown } | undefined;
    const packet = item?.packet ?? envelope.packet;
    if (typeof packet !== 'object' || packet === null) return;
    const { refused, sections } = packet as { refused?: Refusal; sections?: { rows?: unknown[] }[] };
    if (refused) this.#packetsRefused++;
    for (const section of sections ?? []) this.#rows += section.rows?.length ?? 0;
  }

  #print(record: object, lines: () => string[]): void {
    this.#out(`${this.#json ? JSON.stringify(toPlain(record)) : lines().join('\n')}\n`);
  }
}

function list(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? 'none' : [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

function place(at: Place): string {
  return 'offset' in at ? `offset ${at.offset}` : `line ${at.line}`;
}
