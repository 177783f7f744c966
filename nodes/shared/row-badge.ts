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

/** Pieces of input that a network has dropped since its start, for whatever reason. */
export function droppedCount({ errors }: NetworkState): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}
