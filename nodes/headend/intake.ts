import { newLog, withOldest, withRows } from './delivery.ts';
import type { Draft } from './draft.ts';
import type { Readings } from './frame/readings.ts';
import type { UpSection } from './frame/sections.ts';
import { rowsOf } from './metering/reading.ts';
import { LOGS_PER_NODE_MAX, type MeshNode } from './registry.ts';
import { judgeCounter, type ReplayVerdict } from './security/replay.ts';
import { acceptedIn, type Session, slotOf } from './security/session.ts';
import type { Handshake } from './security/suites.ts';
import type { Arrival, CommitGroup, LogState } from './store/store.ts';

/** `lastSeenMs` of a stored node is at most this much behind, ms: it is not worth a write per packet. */
const LAST_SEEN_STEP_MS = 60_000;

/** A verified packet on its way into the store, with the envelope that wants to hear of it. */
export type Input = (JoinInput | TransportInput) & {
  /** Name of the gateway on its link. */
  readonly gateway: string;
  /** The same gateway as the store keeps it. */
  readonly gatewayRef: string;
  readonly upNumber: number;
  readonly nodeId: string;
  readonly receivedAtMs: number;
  /** As the gateway heard the last hop; 0: its own packet. */
  readonly rssiDbm: number;
  readonly route: readonly number[];
};

export interface JoinInput {
  readonly kind: 'join';
  readonly handshake: Handshake;
  /** SHA-256 of the M1, hex. */
  readonly hash: string;
}

export interface TransportInput {
  readonly kind: 'transport';
  readonly session: Session;
  readonly counter: number;
  readonly sections: readonly UpSection[];
}

/** `gone`: the session ended while the packet waited for its commit. */
export type Verdict = ReplayVerdict | 'gone';

type Transport = Input & TransportInput;
export type NewRow = CommitGroup['rows'][number];

/**
 * Takes a transport packet into the draft and appends its rows. A counter `seen` changes nothing; one `below` the window brings its readings,
 * which have an identity of their own, and nothing else.
 */
export function takeIn(draft: Draft, input: Transport, rows: NewRow[]): Verdict {
  const node = draft.get(input.nodeId);
  const slot = node && slotOf(node.sessions, input.session.sessionId);
  const session = slot && node.sessions[slot];
  if (!session || session.downlink !== input.session.downlink) return 'gone';
  const verdict = judgeCounter(session.window, input.counter);
  if (verdict === 'seen') return verdict;
  const batches = input.sections.filter((section) => section.kind === 'readings');
  const logs = takeBatches(node, input, batches, rows);
  if (verdict === 'below') {
    if (batches.length > 0) draft.put({ ...node, logs });
    return verdict;
  }
  const sessions = acceptedIn(node.sessions, slot, input.counter, batches.at(-1)?.logId);
  draft.put({ record: seenAt(node, input.receivedAtMs), sessions, logs });
  return verdict;
}

/** Rows that an input brings. */
export function rowCountOf(input: JoinInput | TransportInput): number {
  if (input.kind === 'join') return 0;
  return input.sections.reduce((count, section) => count + (section.kind === 'readings' ? section.rows.length : 0), 0);
}

function takeBatches(node: MeshNode, input: Transport, batches: readonly Readings[], rows: NewRow[]): readonly LogState[] {
  const { key } = node.record;
  let logs = node.logs;
  const arrival = batches.length > 0 ? arrivalOf(input) : undefined;
  for (const batch of batches) {
    const log = logs.find((each) => each.logId === batch.logId);
    const before = log ?? newLog(key, batch.logId);
    const last = batch.first + batch.rows.length - 1;
    const after = withOldest(withRows(before, batch.first, last), batch.oldest);
    if (after !== log) logs = [after, ...logs.filter((each) => each !== log)].slice(0, LOGS_PER_NODE_MAX);
    if (arrival) for (const row of rowsOf(key, batch)) rows.push({ row, arrival });
  }
  return logs;
}

function arrivalOf({ receivedAtMs, gatewayRef, session, rssiDbm, route }: Transport): Arrival {
  return { receivedAtMs, gateway: gatewayRef, session: session.sessionId, suite: session.suite, rssiDbm, route };
}

function seenAt({ record }: MeshNode, atMs: number): MeshNode['record'] {
  return atMs - record.lastSeenMs < LAST_SEEN_STEP_MS ? record : { ...record, lastSeenMs: atMs };
}
