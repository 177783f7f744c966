import type { Suite } from './frame/packet.ts';
import type { Keyring } from './keyring.ts';
import { LOGS_PER_NODE_MAX, type MeshNode } from './registry.ts';
import { windowBits, windowFromBits } from './security/replay.ts';
import type { Session, SessionSlot, SessionSlots } from './security/session.ts';
import type { LogState, SessionRecord, StoredState } from './store/store.ts';

/** A session as the store keeps it. */
export function sessionRecord(key: string, slot: SessionSlot, session: Session): SessionRecord {
  return {
    key,
    slot,
    sessionId: session.sessionId,
    suite: session.suite,
    highest: session.window.highest,
    window: windowBits(session.window),
    downCounter: session.downlink.nextCounter,
    handshakeHash: session.handshakeHash,
    logId: session.logId,
    beganMs: session.beganMs,
    sealedKeys: session.sealedKeys,
  };
}

/**
 * A session out of the store. Its downlinks count from 0, for the owner epoch is a new one, and the node has not echoed that yet.
 */
function sessionOf(record: SessionRecord, keyring: Keyring, nowMs: number): Session {
  const keys = keyring.openSession(record);
  return {
    ...(keys ? { keys } : {}),
    sessionId: record.sessionId,
    suite: record.suite as Suite,
    window: windowFromBits(record.highest, record.window),
    handshakeHash: record.handshakeHash,
    logId: record.logId,
    beganMs: record.beganMs === 0 ? nowMs : record.beganMs,
    sealedKeys: record.sealedKeys,
    downlink: { nextCounter: 0, echoed: false },
  };
}

/** The nodes of a stored state; the error of the keyring when it does not open their sessions' keys. */
export function nodesOf(state: StoredState, keyring: Keyring, nowMs: number): MeshNode[] {
  const sessions = new Map<string, SessionSlots>();
  for (const record of state.sessions) {
    sessions.set(record.key, { ...sessions.get(record.key), [record.slot]: sessionOf(record, keyring, nowMs) });
  }
  const logs = new Map<string, LogState[]>();
  for (const log of state.logs) {
    const known = logs.get(log.key);
    if (known) known.unshift(log);
    else logs.set(log.key, [log]);
  }
  return state.nodes.map((record) => ({
    record,
    sessions: sessions.get(record.key) ?? {},
    logs: (logs.get(record.key) ?? []).slice(0, LOGS_PER_NODE_MAX),
  }));
}
