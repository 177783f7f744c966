import { newLog, rowsIn, withLost, withOldest, withRows } from './delivery.ts';
import type { Draft } from './draft.ts';
import type { UpSection } from './frame/sections.ts';
import { rowOf } from './metering/reading.ts';
import { LOGS_PER_NODE_MAX, type MeshNode } from './registry.ts';
import { judgeCounter, type ReplayVerdict } from './security/replay.ts';
import { acceptedIn, type Session, sessionIn, slotOf } from './security/session.ts';
import type { Handshake } from './security/suite.ts';
import type { Arrival, CommitGroup, LogState } from './store/store.ts';

/** `lastSeenMs` of a stored node is at most this much behind, ms: it is not worth a write per packet. */
const LAST_SEEN_STEP_MS = 60_000;

/** How a packet came in, and the envelope that wants to hear of it. */
export interface Reception {
  /** Name of the gateway on its link. */
  readonly gateway: string;
  /** The same gateway as the store keeps it. */
  readonly gatewayRef: string;
  readonly upNumber: number;
  readonly receivedAtMs: number;
  /** As the gateway heard the last hop; 0: its own packet. */
  readonly rssiDbm: number;
  readonly route: readonly number[];
}

/** An M1 that has verified. */
export interface JoinRequest {
  readonly kind: 'join';
  readonly nodeId: string;
  readonly handshake: Handshake;
  /** SHA-256 of the M1, hex. */
  readonly hash: string;
}

/** A transport packet that has verified. */
export interface Transport {
  readonly kind: 'transport';
  readonly nodeId: string;
  readonly session: Session;
  readonly counter: number;
  readonly sections: readonly UpSection[];
}

/** A verified packet on its way into the store. */
export interface Input extends Reception {
  readonly opened: JoinRequest | Transport;
}

/** `gone`: the session ended while the packet waited for its commit. */
export type Verdict = ReplayVerdict | 'gone';

export type NewRow = CommitGroup['rows'][number];

/** What the packets of a group bring beside changes of the draft. */
export interface Harvest {
  readonly rows: NewRow[];
  /** Rows that meters say they have lost, by node id. */
  readonly lost: Map<string, number>;
}

/**
 * Takes a transport packet into the draft and what it brings into the harvest. A counter `seen` changes nothing; one `below` the window brings
 * its readings, which have an identity of their own, and nothing else.
 */
export function takeIn(draft: Draft, packet: Transport, reception: Reception, harvest: Harvest): Verdict {
  const node = draft.get(packet.nodeId);
  const slot = node && slotOf(node.sessions, packet.session.sessionId);
  const session = slot && sessionIn(node.sessions, slot);
  if (!session || session.downlink !== packet.session.downlink) return 'gone';
  const verdict = judgeCounter(session.window, packet.counter);
  if (verdict === 'seen') return verdict;
  const logs = takeBatches(node, takeLosses(node, packet, harvest), packet, reception, harvest.rows);
  if (verdict === 'below') {
    if (logs !== node.logs) draft.replace(node, { ...node, logs });
    return verdict;
  }
  const sessions = acceptedIn(node.sessions, slot, packet.counter, lastLogId(packet));
  draft.replace(node, { record: seenAt(node, reception.receivedAtMs), sessions, logs });
  return verdict;
}

/** The log that the node is writing, as its packet tells; undefined when it does not. */
function lastLogId({ sections }: Transport): string | undefined {
  for (let index = sections.length - 1; index >= 0; index--) {
    const section = sections[index];
    if (section?.kind === 'readings') return section.logId;
  }
  return undefined;
}

/** Rows that a packet brings. */
export function rowCountOf(opened: JoinRequest | Transport): number {
  if (opened.kind === 'join') return 0;
  let rows = 0;
  for (const section of opened.sections) if (section.kind === 'readings') rows += section.rows.length;
  return rows;
}

/** A packet in which a device tells of something at once. */
export function bringsEvent(opened: JoinRequest | Transport): boolean {
  return opened.kind === 'transport' && opened.sections.some(({ kind }) => kind === 'event');
}

function takeBatches(
  { record: { key } }: MeshNode,
  logsBefore: readonly LogState[],
  packet: Transport,
  reception: Reception,
  rows: NewRow[],
): readonly LogState[] {
  let logs = logsBefore;
  let arrival: Arrival | undefined;
  for (const batch of packet.sections) {
    if (batch.kind !== 'readings') continue;
    arrival ??= arrivalOf(packet, reception);
    const log = logs.find((each) => each.logId === batch.logId);
    const before = log ?? newLog(key, batch.logId);
    const last = batch.first + batch.rows.length - 1;
    const after = withOldest(withRows(before, batch.first, last), batch.oldest);
    if (after !== log) logs = newestFirst(logs, log, after);
    for (let index = 0; index < batch.rows.length; index++) rows.push({ row: rowOf(key, batch, index), arrival });
  }
  return logs;
}

/** Rows that can never come count as settled, so that nobody waits for them. */
function takeLosses({ record, logs: before }: MeshNode, { sections }: Transport, { lost }: Harvest) {
  const { key, nodeId } = record;
  let logs = before;
  for (const section of sections) {
    if (section.kind !== 'lost') continue;
    const { logId, first, last } = section;
    const log = logs.find((each) => each.logId === logId);
    const known = log ?? newLog(key, logId);
    const after = withLost(known, first, last);
    if (after === known) continue;
    lost.set(nodeId, (lost.get(nodeId) ?? 0) + rowsIn(after.gaps) - rowsIn(known.gaps));
    logs = newestFirst(logs, log, after);
  }
  return logs;
}

/** The list with `after` in the place of `before`, in front. */
function newestFirst(logs: readonly LogState[], before: LogState | undefined, after: LogState): readonly LogState[] {
  if (logs.length === 1 && before) return [after];
  return [after, ...logs.filter((each) => each !== before)].slice(0, LOGS_PER_NODE_MAX);
}

function arrivalOf({ session }: Transport, { receivedAtMs, gatewayRef, rssiDbm, route }: Reception): Arrival {
  return { receivedAtMs, gateway: gatewayRef, session: session.sessionId, suite: session.suite, rssiDbm, route };
}

function seenAt({ record }: MeshNode, atMs: number): MeshNode['record'] {
  const elapsedMs = atMs - record.lastSeenMs;
  // A clock that was set back must not keep a node in the past until it is there again.
  return elapsedMs >= 0 && elapsedMs < LAST_SEEN_STEP_MS ? record : { ...record, lastSeenMs: atMs };
}
