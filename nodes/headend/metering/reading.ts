import { measuredAtMs, type Quality, type Readings, type RegisterValues } from '../frame/readings.ts';
import type { ReadingMessage } from '../messages.ts';
import { toMessageFields } from './obis.ts';

/** One row of interval data with its identity (key, logId, seq). */
export type Reading = RegisterValues & {
  /** Device key, hex. */
  readonly key: string;
  readonly logId: string;
  readonly seq: number;
  /** End of the row's interval, UTC ms. */
  readonly measuredAtMs: number;
  readonly intervalS: number;
  readonly quality: Quality;
};

/** Row `index` of a batch; the first one is the oldest. */
export function rowOf(key: string, batch: Readings, index: number): Reading {
  const { logId, first, intervalS, quality, rows } = batch;
  const identity = { key, logId, seq: first + index, measuredAtMs: measuredAtMs(batch, index), intervalS, quality };
  return Object.assign(identity, rows[index]);
}

/** A reading's identity as text: consumers de-duplicate by it. */
export function readingId(reading: Pick<Reading, 'key' | 'logId' | 'seq'>): string {
  return `${reading.key}:${reading.logId}:${reading.seq}`;
}

/** What a message says beside the row itself. */
export interface ReadingContext extends Omit<ReadingMessage['wattmesh'], 'id' | 'seq' | 'late'> {
  readonly meter: string;
  readonly name: string;
  /** Seconds between polls of the node, for `late`. */
  readonly pollCycleS: number;
  readonly receivedAtMs: number;
}

/** The message of one row. */
export function readingMessage(reading: Reading, context: ReadingContext): ReadingMessage {
  const { meter, name, pollCycleS, receivedAtMs, network, ...way } = context;
  return {
    topic: `${network}/${meter}`,
    payload: {
      meter,
      name,
      measuredAt: new Date(reading.measuredAtMs).toISOString(),
      receivedAt: new Date(receivedAtMs).toISOString(),
      interval_s: reading.intervalS,
      ...toMessageFields(reading),
      quality: reading.quality,
    },
    wattmesh: {
      id: readingId(reading),
      network,
      ...way,
      seq: reading.seq,
      late: receivedAtMs - reading.measuredAtMs > lateAfterMs(pollCycleS, reading.intervalS),
    },
  };
}

/** Age on receipt beyond which a reading is late: two poll cycles or two intervals, whichever is longer. */
export function lateAfterMs(pollCycleS: number, intervalS: number): number {
  return 2 * Math.max(pollCycleS, intervalS) * 1000;
}
