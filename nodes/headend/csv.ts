import { WattmeshError } from './errors.ts';

/** One line of CSV (RFC 4180, one record a line). */

/** What makes a spreadsheet take a field for a formula, also behind marks. */
const FORMULA = /^'*[=+\-@]/;
/** In front of such a field: spreadsheets show it as text, and write it back with the field. */
const TEXT_MARK = "'";

/** The fields of a line; a quoted field may hold commas, and quotes as two. `badField` for a quote out of place. */
export function csvFields(line: string): string[] {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(,|$)/.exec(rest);
    const match = quoted ?? /^([^",]*)(,|$)/.exec(rest);
    if (!match) throw new WattmeshError('badField', 'a quote is out of place: write quotes in a quoted name twice');
    const [whole, field = '', end] = match;
    fields.push(withoutMark(quoted ? field.replaceAll('""', '"') : field));
    if (end !== ',') return fields;
    rest = rest.slice(whole.length);
  }
}

/** A text as a field: `csvFields` gives it back, and no spreadsheet computes it. */
export function csvField(text: string): string {
  const field = FORMULA.test(text) ? `${TEXT_MARK}${text}` : text;
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function withoutMark(field: string): string {
  const text = field.slice(TEXT_MARK.length);
  return field.startsWith(TEXT_MARK) && FORMULA.test(text) ? text : field;
}
