import type { Request } from 'express';
import { WattmeshError } from '../../headend/errors.ts';

/** Longest text of a field that has no limit of its own: label texts, names, ids, digits. */
export const FIELD_CHARS_MAX = 256;

/** Fields of a request, unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a JSON body; `badField` for a body that is no object. */
export function bodyOf({ body }: Pick<Request, 'body'>): Fields {
  return objectOf(body, 'the request');
}

/** A field that is an object; none when it is absent. */
export function innerOf(fields: Fields, name: string): Fields {
  return fields[name] === undefined ? {} : objectOf(fields[name], name);
}

/** A text; undefined when it is absent or empty. `badField` for something else, or a longer one; the error does not quote it. */
export function optionalText(fields: Fields, name: string, charsMax = FIELD_CHARS_MAX): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw wrong(`${name} must be a text`);
  if (value.length > charsMax) throw wrong(`${name} is too long: at most ${charsMax} characters`);
  return value;
}

/** A text that must be there. */
export function requiredText(fields: Fields, name: string, charsMax = FIELD_CHARS_MAX): string {
  const text = optionalText(fields, name, charsMax);
  if (text === undefined) throw wrong(`${name} is missing`);
  return text;
}

/** Those of the named texts that are there. */
export function textsOf<Name extends string>(
  fields: Fields,
  names: readonly Name[],
  charsMax = FIELD_CHARS_MAX,
): Partial<Record<Name, string>> {
  const texts: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const text = optionalText(fields, name, charsMax);
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

function objectOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw wrong(`${what} must be a JSON object`);
}

function wrong(message: string): WattmeshError {
  return new WattmeshError('badField', message);
}
