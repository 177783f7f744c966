import type { Admissions } from './admissions.ts';
import type { Draft } from './draft.ts';
import type { NewRow } from './intake.ts';
import type { ReadingRow } from './store/store.ts';

/** Notes the registers of approved devices with their first readings: from there on they count for their metering points. */
export function noteStarts(draft: Draft, { awaitingStart }: Admissions, rows: readonly NewRow[]): void {
  if (awaitingStart.size === 0) return;
  const first = new Map<string, ReadingRow>();
  for (const { row } of rows) {
    if (!awaitingStart.has(row.key)) continue;
    const before = first.get(row.key);
    if (!before || row.measuredAtMs < before.measuredAtMs) first.set(row.key, row);
  }
  for (const { key, measuredAtMs, importDwh, exportDwh } of first.values()) {
    const admission = draft.admissions.get(key);
    if (admission?.state !== 'approved' || admission.start) continue;
    const start = { atMs: measuredAtMs, importDwh: importDwh ?? null, exportDwh: exportDwh ?? null };
    draft.admissions.put({ ...admission, start });
  }
}
