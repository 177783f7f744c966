import type { SqlValue } from './sqlite-driver.ts';
import type { UpsertTarget } from './sqlite-upsert.ts';
import type { CommitGroup, LogState, NodeRecord, SessionRecord } from './store.ts';

/**
 * The tables whose records are replaced, and their records as values, one record after the other: flat lists cross to another thread, and
 * into a statement, at a fraction of what objects cost. The first value of each is the device key, for which its id is stored.
 */
export interface PackedRecords {
  readonly nodes: SqlValue[];
  readonly sessions: SqlValue[];
  readonly logs: SqlValue[];
}

export const nodesTarget: UpsertTarget = {
  table: 'nodes',
  identity: ['key_id'],
  content: [
    'node_id',
    'meter',
    'name',
    'role',
    'short_id',
    'local_hub_id',
    'handshake',
    'interval_s',
    'poll_cycle_s',
    'firmware',
    'last_seen_ms',
    'energy',
    'relay',
    'suite',
  ],
};

export const sessionsTarget: UpsertTarget = {
  table: 'sessions',
  identity: ['key_id', 'slot'],
  content: [
    'session_id',
    'suite',
    'highest',
    'replay_window',
    'down_counter',
    'handshake_hash',
    'log_id',
    'began_ms',
    'sealed_keys',
  ],
};

export const logsTarget: UpsertTarget = {
  table: 'logs',
  identity: ['key_id', 'log_id'],
  content: ['cumulative', 'ranges', 'gaps'],
};

export function packRecords({ nodes, sessions, logs }: CommitGroup): PackedRecords {
  const packed: PackedRecords = { nodes: [], sessions: [], logs: [] };
  for (const node of nodes) addNode(packed.nodes, node);
  for (const session of sessions) addSession(packed.sessions, session);
  for (const log of logs) addLog(packed.logs, log);
  return packed;
}

function addNode(values: SqlValue[], node: NodeRecord): void {
  values.push(node.key, node.nodeId, node.meter, node.name, node.role, node.shortId, node.localHubId, node.handshake);
  values.push(node.intervalS, node.pollCycleS, node.firmware, node.lastSeenMs, node.energy, node.relay ? 1 : 0);
  values.push(node.suite);
}

function addSession(values: SqlValue[], session: SessionRecord): void {
  values.push(session.key, session.slot, session.sessionId, session.suite, session.highest, session.window.toString());
  values.push(session.downCounter, session.handshakeHash, session.logId, session.beganMs, session.sealedKeys);
}

function addLog(values: SqlValue[], { key, logId, cumulative, ranges, gaps }: LogState): void {
  values.push(key, logId, cumulative, spansText(ranges), spansText(gaps));
}

/** Mostly there are none. */
function spansText(spans: LogState['ranges']): string {
  return spans.length === 0 ? '[]' : JSON.stringify(spans);
}
