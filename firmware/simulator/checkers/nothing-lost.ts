import { fromHex } from '../../../nodes/headend/bytes.ts';
import { nodeIdOf } from '../../../nodes/headend/security/keys.ts';
import { type Evidence, simulatedS } from './evidence.ts';
import type { Violation } from './violation.ts';

/** Every row that was measured is in the head-end's store or still held by its meter. */
export function checkNothingLost(evidence: Evidence): Violation[] {
  const stored = new Set(evidence.stored.map((row) => `${nodeIdOf(fromHex(row.key))}:${row.logId}:${row.seq}`));
  return evidence.meters.flatMap((meter) =>
    meter.rows
      .filter(({ row, held }) => !held && !stored.has(`${meter.nodeId}:${row.logId}:${row.seq}`))
      .map(({ row }) => ({
        checker: 'nothing-lost' as const,
        what: `row ${row.logId}:${row.seq} is neither stored nor held by its meter any more`,
        who: meter.id,
        atS: simulatedS(evidence, row.measuredAtMs),
        seed: evidence.seed,
      })),
  );
}
