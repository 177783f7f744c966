import { toHex } from './bytes.ts';
import type { Draft } from './draft.ts';
import { WattmeshError } from './errors.ts';
import { SUITE_NONE } from './frame/packet.ts';
import { DIGIT_GROUPS } from './security/label.ts';
import type { Handshake } from './security/suite.ts';
import type { AdmissionRecord } from './store/store.ts';

/** Who lets devices in: the operator, one by one, or nobody has to. */
export type Approval = 'operator' | 'everyone';

/** A waiting device's `lastSeenMs` is at most this much behind, ms: it is not worth a write per handshake. */
const LAST_SEEN_STEP_MS = 60_000;

/** What admitting needs from its surroundings. */
export interface AdmittingContext {
  readonly approval: Approval;
  /** The network speaks suites with keys. */
  readonly keyed: boolean;
  readonly nowMs: number;
  /** The gateway that the handshake came through, as the store keeps it. */
  readonly gatewayRef: string;
  random(length: number): Uint8Array;
}

/**
 * True when the device of a verified handshake may join. False when it has been put on the list of those that wait for the operator. Throws
 * `idConflict` when another key holds its node id, `revoked`, `unknownNode` when it has been rejected, and `suiteRefused` when it has come down
 * to suite 0x00, where everybody can claim a key.
 */
export function isAdmitted(draft: Draft, handshake: Handshake, context: AdmittingContext): boolean {
  const { nodeId, deviceKey, suite } = handshake;
  const key = toHex(deviceKey);
  const holder = draft.admissions.byNodeId(nodeId);
  if (holder && holder.key !== key) throw idConflict(nodeId);
  if (holder?.state === 'revoked') throw new WattmeshError('revoked', `device ${nodeId} has been revoked`);
  if (holder?.state === 'rejected') throw new WattmeshError('unknownNode', `device ${nodeId} has been rejected`);
  const suiteBefore = draft.get(nodeId)?.record.suite ?? SUITE_NONE;
  const hasKeys = context.keyed && holder?.state === 'approved' && holder.suite !== SUITE_NONE;
  if (suite === SUITE_NONE && (hasKeys || suiteBefore !== SUITE_NONE)) {
    throw new WattmeshError(
      'suiteRefused',
      `device ${nodeId} is known with keys and came without: revoke it and approve it again if that is meant`,
    );
  }
  if (context.approval === 'everyone' || holder?.state === 'approved') return true;
  list(draft, handshake, holder, context);
  return false;
}

/** The error for a node id that another key holds. */
export function idConflict(nodeId: string): WattmeshError {
  return new WattmeshError(
    'idConflict',
    `node id ${nodeId} belongs to another key: give one of the two devices a new key`,
  );
}

/** A device of which nothing is known but its key. */
export function newAdmission(
  device: Pick<AdmissionRecord, 'key' | 'nodeId' | 'state'>,
  { nowMs, random }: Pick<AdmittingContext, 'nowMs' | 'random'>,
): AdmissionRecord {
  const nothing = {
    lastSeenMs: 0,
    gateway: '',
    role: null,
    suite: null,
    meter: '',
    name: '',
    hub: 0,
    start: null,
    end: null,
  };
  return { ...device, sinceMs: nowMs, ...nothing, groups: groupsOf(random(2)) };
}

/** Puts a device on the list, or notes that it is still there. What it proves of its key is not taken back by a claim without proof. */
function list(
  draft: Draft,
  { nodeId, deviceKey, suite, payload }: Handshake,
  known: AdmissionRecord | undefined,
  context: AdmittingContext,
): void {
  const { nowMs, gatewayRef } = context;
  const before = known ?? newAdmission({ key: toHex(deviceKey), nodeId, state: 'pending' }, context);
  if (suite === SUITE_NONE && before.suite !== null && before.suite !== SUITE_NONE) return;
  const elapsedMs = nowMs - before.lastSeenMs;
  if (before.suite === suite && elapsedMs >= 0 && elapsedMs < LAST_SEEN_STEP_MS) return;
  draft.admissions.put({ ...before, lastSeenMs: nowMs, gateway: gatewayRef, role: payload.role, suite });
}

/** Two different groups of a label's digits, in their order. */
function groupsOf(random: Uint8Array): [number, number] {
  const [low = 0, high = 0] = random;
  const one = low % DIGIT_GROUPS;
  const other = (one + 1 + (high % (DIGIT_GROUPS - 1))) % DIGIT_GROUPS;
  return one < other ? [one, other] : [other, one];
}
