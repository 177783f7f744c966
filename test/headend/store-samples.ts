import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AdmissionRecord,
  Arrival,
  CommitGroup,
  LogState,
  NodeRecord,
  ReadingRow,
  SessionRecord,
} from '../../nodes/headend/store/store.ts';

/** 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000;

export const keyA = 'a1'.repeat(32);
export const keyB = 'b2'.repeat(32);
export const logA = '01020304';

export function sampleRow(seq: number, changes: Partial<ReadingRow> = {}): ReadingRow {
  return {
    key: keyA,
    logId: logA,
    seq,
    measuredAtMs: START_MS + seq * 60_000,
    intervalS: 60,
    quality: 'good',
    importDwh: 1_000_000 + seq * 12,
    powerDw: 7_200,
    ...changes,
  };
}

export const sampleArrival: Arrival = {
  receivedAtMs: START_MS + 90_000,
  gateway: 'gw',
  session: 7,
  suite: 1,
  rssiDbm: -71,
  route: [12, 3],
};

export function sampleGroup(rows: readonly ReadingRow[], changes: Partial<CommitGroup> = {}): CommitGroup {
  return {
    rows: rows.map((row) => ({ row, arrival: sampleArrival })),
    nodes: [],
    sessions: [],
    clearedSessions: [],
    logs: [],
    outboxSent: 0,
    ...changes,
  };
}

export function sampleNode(changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    key: keyA,
    nodeId: 'a1a1a1a1a1a1',
    meter: 'a1a1a1a1a1a1',
    name: 'Wohnung 3 "links" — <b>',
    role: 'meter',
    shortId: 12,
    localHubId: 0,
    handshake: 4,
    intervalS: 60,
    pollCycleS: 60,
    firmware: '1.2.3',
    lastSeenMs: START_MS,
    energy: 'battery',
    relay: true,
    suite: 1,
    ...changes,
  };
}

export function sampleSession(changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    key: keyA,
    slot: 'current',
    sessionId: 7,
    suite: 1,
    highest: 41,
    window: 0xffff_ffff_ffff_fffen,
    downCounter: 5,
    handshakeHash: '5a'.repeat(32),
    logId: logA,
    beganMs: START_MS,
    sealedKeys: '0123',
    ...changes,
  };
}

export function sampleAdmission(changes: Partial<AdmissionRecord> = {}): AdmissionRecord {
  return {
    key: keyA,
    nodeId: 'a1a1a1a1a1a1',
    state: 'approved',
    sinceMs: START_MS,
    lastSeenMs: 0,
    gateway: '',
    role: null,
    suite: null,
    groups: [0, 7],
    meter: 'flat-3',
    name: 'Wohnung 3 "links" — <b>',
    hub: 0,
    start: { atMs: START_MS, importDwh: 2 ** 48 - 1, exportDwh: null },
    end: null,
    ...changes,
  };
}

export function sampleLog(changes: Partial<LogState> = {}): LogState {
  return { key: keyA, logId: logA, cumulative: 10, ranges: [[12, 15]], gaps: [[3, 4]], ...changes };
}

/** A folder that `remove` deletes with all in it. */
export function scratchFolder(): { readonly path: string; file(name: string): string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'wattmesh-store-'));
  return {
    path,
    file: (name) => join(path, name),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
