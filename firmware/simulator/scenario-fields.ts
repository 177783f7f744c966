import { WattmeshError } from '../../nodes/headend/errors.ts';

/** Reads the fields of a JSON value and says exactly where one is wrong: every fault is `badScenario` with the JSON path and what to do. */

export type Path = string;

export function fault(path: Path, problem: string, advice: string): WattmeshError {
  return new WattmeshError('badScenario', `${path || 'the scenario'}: ${problem}; ${advice}`);
}

/** Text that shows a JSON value in an error. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** An object whose fields are all known; each is taken out by its reader. */
export class Fields {
  readonly path: Path;
  readonly #object: Readonly<Record<string, unknown>>;

  /** `advice`: what the author may have meant by a field that is not in `known`. */
  constructor(value: unknown, path: Path, known: readonly string[], advice = 'remove it or correct its name') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw fault(path, `${shown(value)} is no object`, `give an object with ${known.join(', ')}`);
    }
    this.path = path;
    this.#object = value as Record<string, unknown>;
    for (const name of Object.keys(value)) {
      if (!known.includes(name))
        throw fault(this.at(name), 'there is no such field', `${advice} (known: ${known.join(', ')})`);
    }
  }

  at(name: string): Path {
    return this.path ? `${this.path}.${name}` : name;
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  get(name: string): unknown {
    return this.#object[name];
  }

  text(name: string, fallback?: string): string {
    const value = this.#value(name, fallback);
    if (typeof value === 'string' && value.length > 0 && value.length <= 64) return value;
    throw fault(this.at(name), `${shown(value)} is no name`, 'give a text of 1 to 64 characters');
  }

  number(name: string, range: { min: number; max: number; fallback?: number; whole?: boolean }): number {
    const value = this.#value(name, range.fallback);
    const inRange = typeof value === 'number' && value >= range.min && value <= range.max;
    if (inRange && (!range.whole || Number.isInteger(value))) return value;
    const kind = range.whole ? 'a whole number' : 'a number';
    throw fault(this.at(name), `${shown(value)} is not possible`, `give ${kind} from ${range.min} to ${range.max}`);
  }

  /** Like {@link number}, with null for "none". */
  nullable(name: string, range: { min: number; max: number; whole?: boolean; fallback: number | null }): number | null {
    const value = this.#value(name, range.fallback);
    return value === null ? null : this.number(name, { ...range, fallback: value as number });
  }

  /** True or false; false when it is absent. */
  flag(name: string): boolean {
    const value = this.#object[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw fault(this.at(name), `${shown(value)} is not possible`, 'give true or false');
  }

  oneOf<Name extends string>(name: string, names: readonly Name[], fallback?: Name): Name {
    const value = this.#value(name, fallback);
    const found = names.find((each) => each === value);
    if (found === undefined)
      throw fault(this.at(name), `${shown(value)} is not possible`, `give one of ${names.join(', ')}`);
    return found;
  }

  /** The elements of a list with their paths; none when the field is absent. */
  list(name: string): { value: unknown; path: Path }[] {
    const value = this.#object[name];
    if (value === undefined) return [];
    if (!Array.isArray(value))
      throw fault(this.at(name), `${shown(value)} is no list`, 'give a list in square brackets');
    return value.map((each: unknown, index) => ({ value: each, path: `${this.at(name)}[${index}]` }));
  }

  /** An object inside this one; an absent one has no fields. */
  inner(name: string, known: readonly string[]): Fields {
    const value = this.#object[name];
    return new Fields(value === undefined ? {} : value, this.at(name), known);
  }

  #value(name: string, fallback: unknown): unknown {
    const own = this.#object[name];
    const value = own === undefined ? fallback : own;
    if (value === undefined) throw fault(this.at(name), 'it is missing', 'add it');
    return value;
  }
}
