import { errorCodes } from '../headend/errors.ts';
import { COST_NONE, HOPS_NONE } from '../headend/frame/beacon.ts';
import { OPERATIONS } from '../headend/frame/sections.ts';
import { REGISTER_TABLE } from '../headend/metering/obis.ts';
import { visible } from '../headend/visible.ts';

const INDENT = '  ';
const LABEL_COLUMNS = 20;
const ETX_UNIT = 128;

/** Units by the ending of a field's name. */
const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ['Dbm', 'dBm'],
  ['Bytes', 'B'],
  ['Mv', 'mV'],
  ['_kwh', 'kWh'],
  ['_hz', 'Hz'],
  ['_w', 'W'],
  ['_v', 'V'],
  ['_a', 'A'],
  ['S', 's'],
];

/** Fields whose number says more in another form. */
const FORMS: Readonly<Record<string, (value: number) => string>> = {
  rssiDbm: (value) => (value === 0 ? "none: the gateway's own packet" : `${value} dBm`),
  utcMs: (value) => (value === 0 ? 'unknown' : isoTime(value)),
  expiresS: (value) => isoTime(value * 1000),
  t0S: (value) => isoTime(value * 1000),
  shortId: shortId,
  parent: shortId,
  networkNumber: (value) => hexNumber(value, 8),
  bootId: (value) => hexNumber(value, 8),
  suite: (value) => hexNumber(value, 2),
  code: (value) => hexNumber(value, 2),
  etx: etx,
  cost: etx,
  hops: (value) => (value === HOPS_NONE ? 'none' : String(value)),
  operation: (value) => `${value} ${keyOf(OPERATIONS, value)}`,
  error: (value) => (value === 0 ? 'none: handed over' : `${value} ${keyOf(errorCodes, value)}`),
  mask: registers,
  registerMask: registers,
};

/** Text lines for named values, one field a line, nested values indented. */
export function printFields(fields: object, depth: number): string[] {
  return Object.entries(fields).flatMap(([name, value]) => printField(name, value, depth));
}

function printField(name: string, value: unknown, depth: number): string[] {
  if (name === 'rows' && Array.isArray(value)) return value.map((row) => printRow(row as object, depth));
  if (name === 'refused') return [line(depth, 'refused', refusal(value))];
  const flat = flatText(name, value);
  if (flat !== undefined) return [line(depth, labelOf(name), flat)];
  if (Array.isArray(value)) return value.flatMap((entry) => printSection(entry as object, depth));
  return [line(depth, labelOf(name), ''), ...printFields(value as object, depth + 1)];
}

/** A value that fits the line of its label; undefined for one that has fields of its own. */
function flatText(name: string, value: unknown): string | undefined {
  if (value instanceof Uint8Array) return value.length === 0 ? 'nothing' : Buffer.from(value).toString('hex');
  if (typeof value === 'number') return numberText(name, value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return visible(value);
  return Array.isArray(value) ? listText(name, value) : undefined;
}

function listText(name: string, value: unknown[]): string | undefined {
  if (name === 'route') return value.length === 0 ? 'the gateway itself' : (value as number[]).map(shortId).join(' > ');
  if (value.length === 0) return 'none';
  if (name === 'ranges') return (value as [number, number][]).map(([first, last]) => `${first}-${last}`).join(', ');
  return value.every((entry) => typeof entry === 'number') ? value.join(', ') : undefined;
}

function printSection(section: object, depth: number): string[] {
  const { kind, ...fields } = section as { kind: string };
  return [`${INDENT.repeat(depth)}section ${kind}`, ...printFields(fields, depth + 1)];
}

/** One row on one line: a batch of 64 stays readable. */
function printRow(row: object, depth: number): string {
  const values = Object.entries(row).map(([name, value]) => `${name} ${flatText(name, value)}`);
  return `${INDENT.repeat(depth)}row ${values.join(', ')}`;
}

function line(depth: number, label: string, text: string): string {
  const indent = INDENT.repeat(depth);
  return text === '' ? `${indent}${label}` : `${indent}${label.padEnd(LABEL_COLUMNS - indent.length)} ${text}`;
}

function labelOf(name: string): string {
  const unit = UNITS.find(([ending]) => name.endsWith(ending) && name.length > ending.length);
  const bare = name === 'utcMs' ? 'utc' : unit ? name.slice(0, -unit[0].length) : name;
  return bare.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function numberText(name: string, value: number): string {
  const form = FORMS[name];
  if (form) return form(value);
  const unit = UNITS.find(([ending]) => name.endsWith(ending) && name.length > ending.length);
  return unit ? `${value} ${unit[1]}` : String(value);
}

function refusal(value: unknown): string {
  const { reason, code, message } = value as { reason: string; code: number; message: string };
  return `${message} (${reason}, ${code})`;
}

/** ISO 8601; a number that no calendar holds stays a number. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

function hexNumber(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

function shortId(value: number): string {
  return value === 0 ? 'none' : hexNumber(value, 4);
}

function etx(value: number): string {
  if (value === COST_NONE) return 'none';
  return `${value} (ETX ${(value / ETX_UNIT).toFixed(2)})`;
}

function keyOf(numbers: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(numbers).find((name) => numbers[name] === value) ?? 'unknown';
}

function registers(mask: number): string {
  const names = REGISTER_TABLE.filter(({ bit }) => (mask & (1 << bit)) !== 0).map(({ obis }) => obis);
  return `${hexNumber(mask, 4)} ${names.join(' ')}`.trimEnd();
}
