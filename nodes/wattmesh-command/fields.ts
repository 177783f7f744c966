import { WattmeshError } from '../headend/errors.ts';

/** Where the fields come from, for error messages. */
const PLACE = 'msg.payload';

/** The fields of a payload. Null and undefined count as absent; what is there and of another type is `badField`, and never quoted: it may be a secret. */
export class PayloadFields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(payload: unknown) {
    this.#values = isRecord(payload) ? payload : {};
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  text(name: string): string | undefined {
    return this.#typed(name, (value): value is string => typeof value === 'string', 'a text');
  }

  /** A text that must not be empty where it is given. */
  filledText(name: string): string | undefined {
    const text = this.text(name)?.trim();
    if (text === '') throw badField(`${PLACE}.${name} is empty: fill it in, or leave it out`);
    return text;
  }

  number(name: string): number | undefined {
    return this.#typed(name, (value): value is number => typeof value === 'number', 'a number');
  }

  record(name: string): Readonly<Record<string, unknown>> | undefined {
    return this.#typed(name, isRecord, 'an object');
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined;
  }

  #typed<Type>(name: string, fits: (value: unknown) => value is Type, what: string): Type | undefined {
    const value = this.#get(name);
    if (value === undefined || fits(value)) return value;
    throw badField(`${PLACE}.${name} must be ${what} and is ${kindOf(value)}`);
  }
}

export function badField(message: string): WattmeshError {
  return new WattmeshError('badField', message);
}

/** What a value is, without the value. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
