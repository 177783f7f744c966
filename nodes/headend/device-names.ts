import { WattmeshError } from './errors.ts';
import { isVisible } from './visible.ts';

/** Longest name of a node and longest id of a metering point, characters. */
export const NAME_CHARS_MAX = 64;
const METER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Names are for people and may hold anything that can be seen. */
export function isGoodName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= NAME_CHARS_MAX && name === name.trim() && isVisible(name);
}

/** `badField` for a name that cannot be used. */
export function checkName(name: string): string {
  if (isGoodName(name)) return name;
  throw new WattmeshError(
    'badField',
    `a name has 1 to ${NAME_CHARS_MAX} characters, none of them a control character, and no space around it`,
  );
}

/** `badField` for a metering point's id that cannot be used: it becomes part of topics and file names. */
export function checkMeterId(meter: string): string {
  if (METER_ID.test(meter)) return meter;
  throw new WattmeshError(
    'badField',
    `a metering point's id has 1 to ${NAME_CHARS_MAX} letters, digits, dots, hyphens or underscores and begins with a letter or digit`,
  );
}
