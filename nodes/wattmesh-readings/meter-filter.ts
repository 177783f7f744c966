import type { ReadingMessage } from '../headend/messages.ts';

/** Most meters that a filter names. */
export const FILTER_METERS_MAX = 1_000;

/** True for readings of the meters in a comma list of ids and names, whatever their case; an empty list takes all. */
export function meterFilter(list: string): (message: ReadingMessage) => boolean {
  const wanted = new Set(
    list
      .split(',', FILTER_METERS_MAX)
      .map((entry) => entry.trim().toLowerCase())
      .filter((entry) => entry !== ''),
  );
  if (wanted.size === 0) return () => true;
  return ({ payload, wattmesh }) =>
    wanted.has(payload.meter.toLowerCase()) ||
    wanted.has(payload.name.toLowerCase()) ||
    wanted.has(wattmesh.nodeId.toLowerCase());
}
