import type { ErrorName } from '../headend/errors.ts';
import type { NetworkState } from '../headend/messages.ts';
import { type Badge, compact, fine, waiting } from './badges.ts';
import { RowRate } from './row-rate.ts';

/** Counts rows for a badge: how many came in the last minute or, where they are rarer than that, when the last one came. */
export class RowBadge {
  readonly #rate = new RowRate();
  #lastMs = 0;

  /** A row has come; `nowMs` is UTC. */
  add(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#rate.add(nowMs);
  }

  /** `bad`: pieces of input that were dropped. */
  badge(nowMs: number, bad = 0): Badge {
    const dropped = bad > 0 ? `, ${compact(bad)} bad` : '';
    if (this.#lastMs === 0) return waiting(`no rows yet${dropped}`);
    const perMinute = this.#rate.perMinute(nowMs);
    if (perMinute > 0) return fine(dropped ? `${compact(perMinute)}/min${dropped}` : `${compact(perMinute)} rows/min`);
    const time = new Date(this.#lastMs);
    const two = (value: number): string => String(value).padStart(2, '0');
    return fine(`last ${two(time.getHours())}:${two(time.getMinutes())}${dropped}`);
  }
}

/** Drops that belong to a healthy mesh: repeats whose answer was lost, nodes that find out that they must join again, a full queue. */
const ORDINARY: ReadonlySet<string> = new Set<ErrorName>(['replay', 'staleHandshake', 'notJoined', 'queueFull']);

/** Pieces of bad input that a network has dropped since its start. */
export function droppedCount({ errors }: NetworkState): number {
  const bad = Object.entries(errors).filter(([name]) => !ORDINARY.has(name));
  return bad.reduce((sum, [, count]) => sum + count, 0);
}
