import type { Reader, Writer } from '../bytes.ts';
import { reasonOf, WattmeshError } from '../errors.ts';

/** A section of a kind that this version does not know: skipped and counted by whoever handles sections. */
export interface UnknownSection {
  readonly kind: 'unknown';
  readonly code: number;
  readonly body: Uint8Array;
}

/** Largest body that a length byte can name. */
export const SECTION_BODY_BYTES_MAX = 255;

/** What a kind knows of its body. The reader spans exactly the body. */
export type SectionDecoder<Section> = (body: Reader) => Section;

/**
 * Reads `kind u8 ‖ length u8 ‖ body` until nothing is left. A section that ends outside the bytes is `truncated`; a known kind whose
 * body is shorter or longer than its fields is `badLength`.
 */
export function readSections<Section>(
  reader: Reader,
  decoders: Readonly<Record<number, SectionDecoder<Section>>>,
): (Section | UnknownSection)[] {
  if (reader.remaining === 0) return [];
  // Mostly there is one: a list that begins with it takes no more room than that.
  const sections = [readSection(reader, decoders)];
  while (reader.remaining > 0) sections.push(readSection(reader, decoders));
  return sections;
}

function readSection<Section>(
  reader: Reader,
  decoders: Readonly<Record<number, SectionDecoder<Section>>>,
): Section | UnknownSection {
  const code = reader.u8();
  const body = reader.part(reader.u8());
  const decode = decoders[code];
  return decode ? decodeBody(code, body, decode) : { kind: 'unknown', code, body: body.rest() };
}

/** Writes one section; a body of more than 255 bytes is `oversize`. */
export function writeSection(writer: Writer, code: number, body: Uint8Array): void {
  if (body.length > SECTION_BODY_BYTES_MAX) {
    throw new WattmeshError(
      'oversize',
      `a section body has ${body.length} bytes: at most ${SECTION_BODY_BYTES_MAX} fit`,
    );
  }
  writer.u8(code).u8(body.length).bytes(body);
}

function decodeBody<Section>(code: number, reader: Reader, decode: SectionDecoder<Section>): Section {
  const length = reader.remaining;
  try {
    const section = decode(reader);
    reader.end();
    return section;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason !== 'truncated' && reason !== 'trailingBytes') throw error;
    const message = `section 0x${code.toString(16)} cannot have ${length} bytes`;
    throw new WattmeshError('badLength', message, { cause: error });
  }
}
