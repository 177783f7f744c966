import { fromHex } from '../../../nodes/headend/bytes.ts';
import { readingId } from '../../../nodes/headend/metering/reading.ts';
import { nodeIdOf } from '../../../nodes/headend/security/keys.ts';
import type { ReadingRow } from '../../../nodes/headend/store/store.ts';
import type { LoggedRow } from '../meter-log.ts';
import { type Evidence, type MeterEvidence, simulatedS } from './evidence.ts';
import type { Violation } from './violation.ts';

/**
 * Every row in the head-end's store was measured, is there once, and says what its meter's own log says; every stored row went out as a
 * message, and a message that went out again says so.
 */
export function checkExactlyOnce(evidence: Evidence): Violation[] {
  const report = reporter(evidence);
  const meters = new Map(evidence.meters.map((meter) => [meter.nodeId, meter]));
  const found = [
    ...evidence.meters.flatMap((meter) =>
      meter.conflicts.map(({ row }) =>
        report(meter.id, row.measuredAtMs, `row ${row.logId}:${row.seq} was measured twice with other values`),
      ),
    ),
    ...checkRows(evidence, meters, report),
    ...checkMessages(evidence, meters, report),
  ];
  return found;
}

type Meters = ReadonlyMap<string | undefined, MeterEvidence>;
type Report = (who: string, utcMs: number, what: string) => Violation;

function reporter(evidence: Evidence): Report {
  return (who, utcMs, what) => ({
    checker: 'exactly-once',
    what,
    who,
    atS: simulatedS(evidence, utcMs),
    seed: evidence.seed,
  });
}

function checkRows({ stored }: Evidence, meters: Meters, report: Report): Violation[] {
  const found: Violation[] = [];
  const measured = new Map<string, LoggedRow>();
  for (const meter of meters.values()) {
    for (const entry of meter.rows) measured.set(`${meter.nodeId}:${entry.row.logId}:${entry.row.seq}`, entry);
  }
  const identities = new Set<string>();
  const moments = new Set<string>();
  for (const row of stored) {
    const nodeId = nodeIdOf(fromHex(row.key));
    const who = meters.get(nodeId)?.id ?? nodeId;
    const identity = `${nodeId}:${row.logId}:${row.seq}`;
    const moment = `${nodeId}:${row.measuredAtMs}`;
    const entry = measured.get(identity);
    if (!entry)
      found.push(report(who, row.measuredAtMs, `row ${row.logId}:${row.seq} is stored and was never measured`));
    if (identities.has(identity))
      found.push(report(who, row.measuredAtMs, `row ${row.logId}:${row.seq} is stored twice`));
    else if (moments.has(moment))
      found.push(report(who, row.measuredAtMs, `two rows of this moment are stored, one is ${row.logId}:${row.seq}`));
    identities.add(identity);
    moments.add(moment);
    for (const field of entry ? differences(entry, row) : []) {
      found.push(
        report(who, row.measuredAtMs, `row ${row.logId}:${row.seq} is stored with another ${field} than was measured`),
      );
    }
  }
  return found;
}

/** Fields in which a stored row is not what was measured. */
function differences({ row }: LoggedRow, stored: ReadingRow): string[] {
  const { key, ...content } = stored;
  const fields = new Set([...Object.keys(row), ...Object.keys(content)]) as Set<keyof typeof row>;
  return [...fields].filter((field) => row[field] !== content[field]);
}

function checkMessages({ stored, messages }: Evidence, meters: Meters, report: Report): Violation[] {
  const found: Violation[] = [];
  const waiting = new Map(stored.map((row) => [readingId(row), row]));
  const sent = new Set<string>();
  for (const message of messages) {
    const who = nameOf(message.id, meters);
    const isRepeat = sent.has(message.id);
    if (isRepeat && !message.redelivered) {
      found.push(report(who, message.measuredAtMs, `message ${message.id} went out again and does not say so`));
    }
    const row = waiting.get(message.id);
    if (!isRepeat && !row)
      found.push(report(who, message.measuredAtMs, `message ${message.id} went out for a row that is not stored`));
    if (row && row.measuredAtMs !== message.measuredAtMs) {
      found.push(report(who, message.measuredAtMs, `message ${message.id} has another measuredAt than its row`));
    }
    sent.add(message.id);
    waiting.delete(message.id);
  }
  for (const [id, row] of waiting)
    found.push(report(nameOf(id, meters), row.measuredAtMs, `row ${id} is stored and no message went out`));
  return found;
}

function nameOf(id: string, meters: Meters): string {
  const nodeId = nodeIdOf(fromHex(id.split(':', 1)[0] ?? ''));
  return meters.get(nodeId)?.id ?? nodeId;
}
