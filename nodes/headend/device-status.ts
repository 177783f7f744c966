import { fromHex } from './bytes.ts';
import type { DeviceStatus, RegisterReading } from './messages.ts';
import { REGISTER_TABLE } from './metering/obis.ts';
import { labelDigits } from './security/label.ts';
import { suiteName } from './security/suites.ts';
import type { AdmissionRecord, NodeRecord, RegisterMarks } from './store/store.ts';

/** Energy registers count in these parts of a kWh. */
const PER_KWH = REGISTER_TABLE.find(({ name }) => name === 'importDwh')?.perUnit ?? 1;

/** A device as the operator sees it; `node`: once it has joined. */
export function deviceStatus(admission: AdmissionRecord, node: NodeRecord | undefined): DeviceStatus {
  const { key, nodeId, state, sinceMs, lastSeenMs, gateway, suite, groups, start, end } = admission;
  const digits = labelDigits(fromHex(key));
  return {
    key,
    nodeId,
    state,
    since: new Date(sinceMs).toISOString(),
    lastSeen: lastSeenMs === 0 ? null : new Date(lastSeenMs).toISOString(),
    gateway: gateway || null,
    role: node?.role ?? admission.role,
    suite: suite === null ? null : suiteName(suite),
    meter: node?.meter ?? (admission.meter || null),
    name: node?.name ?? (admission.name || null),
    hub: admission.hub || null,
    digits: digits.map((group, index) => (groups.includes(index) ? null : group)),
    asked: [groups[0] + 1, groups[1] + 1],
    start: start && readingOf(start),
    end: end && readingOf(end),
  };
}

function readingOf({ atMs, importDwh, exportDwh }: RegisterMarks): RegisterReading {
  return {
    at: new Date(atMs).toISOString(),
    energy_import_kwh: importDwh === null ? null : importDwh / PER_KWH,
    energy_export_kwh: exportDwh === null ? null : exportDwh / PER_KWH,
  };
}
