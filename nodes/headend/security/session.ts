import type { Suite } from '../frame/packet.ts';
import { acceptCounter, type ReplayWindow } from './replay.ts';
import type { Keyed } from './suite.ts';
import { SESSION_LIFE_MS, SESSION_PACKETS_MAX } from './transport.ts';

/** What a session's downlinks need. One object per session for its whole life: a counter that was used stays used when a commit fails. */
export interface Downlink {
  /** Counter of the next downlink in this owner epoch. */
  nextCounter: number;
  /** False while the node may still hold marks of an earlier owner epoch: until it echoes this one. */
  echoed: boolean;
}

/** One session of a node. Immutable but for `downlink`. */
export interface Session extends Keyed {
  readonly sessionId: number;
  readonly suite: Suite;
  readonly window: ReplayWindow;
  /** SHA-256 of the M1 that made it, hex. */
  readonly handshakeHash: string;
  /** The log that its readings come from; empty when a release that did not keep it wrote the session, until the first of them. */
  readonly logId: string;
  /** UTC ms. */
  readonly beganMs: number;
  /** Its keys as the store keeps them; empty without keys. */
  readonly sealedKeys: string;
  readonly downlink: Downlink;
}

export type SessionSlot = 'previous' | 'current' | 'pending';

/** All sessions of a node: `current` answers now, `pending` waits for its first packet, `previous` may have packets under way. */
export type SessionSlots = { readonly [slot in SessionSlot]?: Session };

/** True once a session must not be used any more: it is too old, or `counter` is not one that it may use. */
export function isSpent({ beganMs }: Session, counter: number, nowMs: number): boolean {
  return counter >= SESSION_PACKETS_MAX || nowMs - beganMs >= SESSION_LIFE_MS;
}

/** In the order in which packets usually arrive. */
export const sessionSlots: readonly SessionSlot[] = ['current', 'pending', 'previous'];

/** The slot that holds session `sessionId`. */
export function slotOf(slots: SessionSlots, sessionId: number): SessionSlot | undefined {
  if (slots.current?.sessionId === sessionId) return 'current';
  if (slots.pending?.sessionId === sessionId) return 'pending';
  return slots.previous?.sessionId === sessionId ? 'previous' : undefined;
}

/** The session in a slot; by name, for every packet asks. */
export function sessionIn(slots: SessionSlots, slot: SessionSlot): Session | undefined {
  if (slot === 'current') return slots.current;
  return slot === 'pending' ? slots.pending : slots.previous;
}

/** The sessions after a `new` packet with `counter` in `slot`: its window moves, and the first packet of `pending` makes it current. */
export function acceptedIn(slots: SessionSlots, slot: SessionSlot, counter: number, logId?: string): SessionSlots {
  const { previous, current, pending } = slots;
  const before = sessionIn(slots, slot);
  if (!before) return slots;
  const session = movedOn(before, acceptCounter(before.window, counter), logId ?? before.logId);
  if (slot === 'pending') return slotsOf(current, session, undefined);
  if (slot === 'current') return slotsOf(previous, session, pending);
  return slotsOf(session, current, pending);
}

/** Slots that are empty are absent. */
function slotsOf(previous?: Session, current?: Session, pending?: Session): SessionSlots {
  const slots: { [slot in SessionSlot]?: Session } = {};
  if (current) slots.current = current;
  if (previous) slots.previous = previous;
  if (pending) slots.pending = pending;
  return slots;
}

/** Field by field: it happens with every packet, and spreading costs ten times as much. */
function movedOn(session: Session, window: ReplayWindow, logId: string): Session {
  const { keys, sessionId, suite, handshakeHash, beganMs, sealedKeys, downlink } = session;
  if (!keys) return { sessionId, suite, window, handshakeHash, logId, beganMs, sealedKeys, downlink };
  return { keys, sessionId, suite, window, handshakeHash, logId, beganMs, sealedKeys, downlink };
}

/** A session number in 1..255 that none of the node's sessions has: the first one from `random` (a byte) on. */
export function freeSessionId(slots: SessionSlots, random: number): number {
  let sessionId = random;
  while (sessionId === 0 || slotOf(slots, sessionId)) sessionId = (sessionId + 1) & 0xff;
  return sessionId;
}
