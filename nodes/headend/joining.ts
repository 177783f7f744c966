import { type AdmittingContext, idConflict, isAdmitted } from './admitting.ts';
import { toHex } from './bytes.ts';
import { newLog } from './delivery.ts';
import type { Draft } from './draft.ts';
import { WattmeshError } from './errors.ts';
import { NETWORK_KEY_BYTES } from './frame/fields.ts';
import type { M1Payload } from './frame/handshake.ts';
import { SUITE_NONE, type Suite } from './frame/packet.ts';
import { LOGS_PER_NODE_MAX, type MeshNode } from './registry.ts';
import { nodeIdOf } from './security/keys.ts';
import { keyInUse, type NetworkKey, type NetworkKeyRing } from './security/network-keys.ts';
import { emptyWindow } from './security/replay.ts';
import { freeSessionId, type Session } from './security/session.ts';
import type { Handshake, SessionKeys } from './security/suite.ts';
import type { SuitePolicy } from './security/suites.ts';
import type { AdmissionRecord, NodeRecord } from './store/store.ts';

/** Short ids of hubs and gateways begin here, so that a recorded route shows who is a hub (PROTOCOL.md, section 1). */
export const HUB_SHORT_ID_MIN = 0x8000;
const SHORT_ID_MAX = 0xfffe;
/** Gateways without a number are counted from here, so that none takes the number that an operator has set on a hub. */
export const GATEWAY_LOCAL_HUB_ID_MIN = 1001;

/** What joining needs from its surroundings. */
export interface JoinContext extends AdmittingContext {
  readonly epoch: number;
  readonly policy: SuitePolicy & { readonly flooding?: boolean };
  /** Names given by the operator, by node id or key. */
  readonly names: ReadonlyMap<string, string>;
  /** What nodes are called until somebody names them, by node id. */
  readonly defaultNames: ReadonlyMap<string, string>;
}

/** An M1 accepted in a draft: M2 may go out once that is committed. */
export interface Joined {
  readonly nodeId: string;
  readonly m2: Uint8Array;
  /** Of the K_net that M2 brings; 0: none. */
  readonly keyId: number;
  /** Its log is one that it had given up for another. */
  readonly wentBack: boolean;
}

/** What an M1 says of itself must fit: `badField` for a node id or a header's handshake number that does not. */
export function checkHandshake(handshake: Handshake, headerCounter: number): void {
  if (nodeIdOf(handshake.deviceKey) !== handshake.nodeId) {
    throw new WattmeshError('badField', `node id ${handshake.nodeId} is not that of the key in this M1`);
  }
  if (handshake.payload.handshake !== headerCounter) {
    throw new WattmeshError(
      'badField',
      `M1 carries handshake number ${handshake.payload.handshake}, its header ${headerCounter}`,
    );
  }
}

/**
 * Lets a node in: a pending session, a short id, the number of its handshake, all in the draft. Undefined when the device waits for the operator
 * now. `idConflict` when another key holds the node id, `staleHandshake` when the number is not above the stored one, `queueFull` when the
 * network has no room, and the errors of `isAdmitted`.
 */
export function join(draft: Draft, handshake: Handshake, hash: string, context: JoinContext): Joined | undefined {
  const known = draft.get(handshake.nodeId);
  const key = toHex(handshake.deviceKey);
  checkKnown(known, key, handshake);
  if (!isAdmitted(draft, handshake, context)) return undefined;
  if (!known && draft.full) {
    throw new WattmeshError('queueFull', 'the network is full: this node cannot join');
  }
  const record = recordOf(draft, known?.record, key, handshake, context);
  const { logId } = handshake.payload;
  const log = known?.logs.find((each) => each.logId === logId) ?? newLog(key, logId);
  const sessions = known?.sessions ?? {};
  const sessionId = freeSessionId(sessions, context.random(1)[0] as number);
  const networkKey = networkKeyFor(handshake.suite, draft.vault.ring, context.nowMs);
  // Each answer has keys of its own: this one is given once.
  const { m2, keys } = handshake.respond(
    {
      session: sessionId,
      shortId: record.shortId,
      keyId: networkKey.keyId,
      networkKey: networkKey.key,
      localHubId: record.localHubId,
      utcMs: context.nowMs,
      acknowledged: log.cumulative,
      policy: { suiteNone: context.policy.allowSuiteNone, flooding: context.policy.flooding ?? false },
    },
    context.epoch,
  );
  const pending: Session = {
    sessionId,
    suite: handshake.suite,
    window: emptyWindow,
    handshakeHash: hash,
    logId,
    beganMs: context.nowMs,
    ...keysFor(draft, key, hash, keys),
    // M2 tells the node its marks under this owner epoch: there is nothing older to heal.
    downlink: { nextCounter: 0, echoed: true },
  };
  const others = known?.logs.filter((each) => each !== log) ?? [];
  draft.put({ record, sessions: { ...sessions, pending }, logs: [log, ...others].slice(0, LOGS_PER_NODE_MAX) });
  return { nodeId: record.nodeId, m2, keyId: networkKey.keyId, wentBack: wentBack(known, logId) };
}

/** A log id is drawn when a log starts empty: a meter that has begun another log never comes back to a former one. */
function wentBack(known: MeshNode | undefined, logId: string): boolean {
  const session = known?.sessions.pending ?? known?.sessions.current;
  if (!known || !session || session.logId === '' || session.logId === logId) return false;
  return known.logs.some((log) => log.logId === logId);
}

/** K_net goes only where nobody else can read it. */
function networkKeyFor(suite: Suite, ring: NetworkKeyRing | undefined, nowMs: number): NetworkKey {
  if (suite !== SUITE_NONE && ring) return keyInUse(ring, nowMs);
  return { keyId: 0, key: new Uint8Array(NETWORK_KEY_BYTES) };
}

function keysFor(
  draft: Draft,
  key: string,
  hash: string,
  keys: SessionKeys | undefined,
): Pick<Session, 'keys' | 'sealedKeys'> {
  return keys ? { keys, sealedKeys: draft.vault.keyring.sealSession(key, hash, keys) } : { sealedKeys: '' };
}

/** A name that says what a node is until somebody names it: role and the last four digits of its node id. */
export function defaultName(role: NodeRecord['role'], nodeId: string, isFree: (name: string) => boolean): string {
  return freeName(`${role}-${nodeId.slice(-4)}`, isFree);
}

function freeName(base: string, isFree: (name: string) => boolean): string {
  let name = base;
  for (let number = 2; !isFree(name); number++) name = `${base}-${number}`;
  return name;
}

function checkKnown(known: MeshNode | undefined, key: string, { nodeId, payload, suite }: Handshake): void {
  if (!known) return;
  if (known.record.key !== key) throw idConflict(nodeId);
  // A number that came without keys proves nothing: it must not keep the device itself out.
  const isProven = known.record.suite !== SUITE_NONE || suite === SUITE_NONE;
  if (isProven && payload.handshake <= known.record.handshake) {
    throw new WattmeshError(
      'staleHandshake',
      `handshake ${payload.handshake} of ${nodeId} is not above ${known.record.handshake}`,
    );
  }
}

function recordOf(
  draft: Draft,
  known: NodeRecord | undefined,
  key: string,
  { nodeId, payload, suite }: Handshake,
  context: JoinContext,
): NodeRecord {
  const { role, handshake, intervalS, pollCycleS, firmware, energyClass, capabilities } = payload;
  const admission = draft.admissions.get(key);
  return {
    key,
    nodeId,
    meter: known?.meter ?? (admission?.meter || nodeId),
    name: known?.name ?? nameOf(draft, admission, { key, nodeId, role }, context),
    role,
    shortId: shortIdOf(draft, known, nodeId, payload, context),
    localHubId: localHubIdOf(draft, known, nodeId, payload, admission?.hub ?? 0),
    handshake,
    intervalS,
    pollCycleS,
    firmware,
    lastSeenMs: context.nowMs,
    energy: energyClass,
    relay: capabilities.relay,
    suite,
  };
}

function nameOf(
  draft: Draft,
  admission: AdmissionRecord | undefined,
  { key, nodeId, role }: Pick<NodeRecord, 'key' | 'nodeId' | 'role'>,
  { names, defaultNames }: JoinContext,
): string {
  const isFree = (name: string) => draft.isNameFree(name, nodeId);
  const given = names.get(nodeId) ?? names.get(key);
  if (given) return given;
  const wanted = admission?.name || defaultNames.get(nodeId);
  return wanted ? freeName(wanted, isFree) : defaultName(role, nodeId, isFree);
}

/** The node's own short id while it fits its role; else the one it remembers, if that is free; else a random free one. */
function shortIdOf(
  draft: Draft,
  known: NodeRecord | undefined,
  nodeId: string,
  payload: M1Payload,
  context: JoinContext,
): number {
  const [first, last] = payload.role === 'meter' ? [1, HUB_SHORT_ID_MIN - 1] : [HUB_SHORT_ID_MIN, SHORT_ID_MAX];
  const fits = (shortId: number): boolean =>
    shortId >= first && shortId <= last && draft.isShortIdFree(shortId, nodeId);
  for (const candidate of [known?.shortId ?? 0, payload.shortId]) if (fits(candidate)) return candidate;
  const [low, high] = context.random(2) as unknown as [number, number];
  const span = last - first + 1;
  let shortId = first + ((low | (high << 8)) % span);
  // NODES_MAX is below either span: there is always a free one.
  while (!fits(shortId)) shortId = shortId === last ? first : shortId + 1;
  return shortId;
}

/** The operator's number, or the one configured on the hub, or the one it has had, or the lowest free one; 0 for meters. */
function localHubIdOf(
  draft: Draft,
  known: NodeRecord | undefined,
  nodeId: string,
  { role, localHubId }: M1Payload,
  given: number,
): number {
  if (role === 'meter') return 0;
  for (const candidate of [given, localHubId, known?.localHubId ?? 0]) {
    if (candidate !== 0 && draft.isLocalHubIdFree(candidate, nodeId)) return candidate;
  }
  let lowest = role === 'gateway' ? GATEWAY_LOCAL_HUB_ID_MIN : 1;
  while (!draft.isLocalHubIdFree(lowest, nodeId)) lowest++;
  return lowest;
}
