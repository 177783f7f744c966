import { fromHex } from './bytes.ts';
import type { ReadingMessage } from './messages.ts';
import { readingMessage } from './metering/reading.ts';
import type { Places } from './places.ts';
import type { Registry } from './registry.ts';
import { nodeIdOf } from './security/keys.ts';
import { suiteName } from './security/suites.ts';
import type { OutboxEntry } from './store/store.ts';

/** Where a message takes its names from. */
export interface EmissionParts {
  readonly network: string;
  readonly registry: Registry;
  readonly places: Places;
}

/** The message of a stored row, in the names of now. */
export function messageOf({ row, arrival }: OutboxEntry, redelivered: boolean, parts: EmissionParts): ReadingMessage {
  const record = parts.registry.byKey(row.key)?.record;
  const nodeId = record?.nodeId ?? nodeIdOf(fromHex(row.key));
  const { hub, gateway, path, hops } = parts.places.way(arrival.route, arrival.gateway);
  return readingMessage(row, {
    meter: record?.meter ?? nodeId,
    name: record?.name ?? nodeId,
    pollCycleS: record?.pollCycleS ?? row.intervalS,
    receivedAtMs: arrival.receivedAtMs,
    network: parts.network,
    nodeId,
    hub: hub?.record.name ?? null,
    localHubId: hub?.record.localHubId ?? null,
    gateway,
    hops,
    path,
    rssi_dbm: hops === 0 ? null : arrival.rssiDbm,
    session: arrival.session,
    suite: suiteName(arrival.suite),
    redelivered,
  });
}
