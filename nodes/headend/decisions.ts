import { idConflict, newAdmission } from './admitting.ts';
import { fromHex, toHex } from './bytes.ts';
import { checkMeterId, checkName, NAME_CHARS_MAX } from './device-names.ts';
import { Draft } from './draft.ts';
import { WattmeshError } from './errors.ts';
import { inRange, NETWORK_KEY_BYTES } from './frame/fields.ts';
import { parseDeviceKey, parsePsk } from './preload.ts';
import type { MeshNode, Registry } from './registry.ts';
import { nodeIdOf } from './security/keys.ts';
import { labelDigits } from './security/label.ts';
import { rotated } from './security/network-keys.ts';
import type { AdmissionRecord, RegisterMarks } from './store/store.ts';

/** What the operator decides about devices, as changes to a draft. A decision that throws has changed nothing. */

/** Names a device: by its key (hex, or the WM1 text of its label), its node id, or the metering point that it serves. */
export interface DeviceSelector {
  readonly key?: string;
  readonly nodeId?: string;
  readonly meter?: string;
}

/** What is said of a device that may join. */
export interface DeviceDetails {
  /** Id of the metering point; default: the node id. */
  readonly meter?: string;
  readonly name?: string;
  /** Of a hub or gateway: its number. Of a meter: the hub that it belongs to, which is noted only. 1..65535. */
  readonly hub?: number | null;
  /** For suite 0x10, 64 hexadecimal digits. */
  readonly psk?: string;
}

export interface ApproveRequest extends DeviceDetails {
  /** Hex, or the WM1 text of its label, which needs no digits. */
  readonly key?: string;
  readonly nodeId?: string;
  /** The ten digits of the two groups asked for; whatever stands between them does not matter. */
  readonly digits?: string;
}

export interface DecisionContext {
  readonly nowMs: number;
  readonly rotationGraceMs: number;
  random(length: number): Uint8Array;
}

/** Lets a device in; its key. `formerNodeId`: of the device whose metering point it takes over. */
export function approve(draft: Draft, request: ApproveRequest, context: DecisionContext, formerNodeId = ''): string {
  return admit(draft, provenKey(draft, request), request, context, formerNodeId);
}

/** Lets a device in of whose key there is no doubt. */
export function admit(
  draft: Draft,
  key: string,
  { meter = '', name = '', hub, psk }: DeviceDetails,
  context: DecisionContext,
  formerNodeId = '',
): string {
  const nodeId = nodeIdOf(fromHex(key));
  const known = draft.admissions.byNodeId(nodeId);
  const node = draft.get(nodeId);
  if ((known && known.key !== key) || (node && node.record.key !== key)) throw idConflict(nodeId);
  if (known?.state === 'approved') throw wrong(`device ${nodeId} is approved already`);
  if (meter !== '') requireFreeMeter(draft, checkMeterId(meter), [nodeId, formerNodeId]);
  if (name !== '') requireFreeName(draft, checkName(name), [nodeId, formerNodeId]);
  const secret = psk === undefined || psk === '' ? undefined : parsePsk(psk);
  const record: AdmissionRecord = {
    ...(known ?? newAdmission({ key, nodeId, state: 'approved' }, context)),
    state: 'approved',
    sinceMs: context.nowMs,
    meter: meter || (node?.record.meter ?? ''),
    name: name || (node?.record.name ?? ''),
    hub: inRange(hub ?? 0, 0, 0xffff, 'hub'),
    end: null,
  };
  draft.admissions.put(record);
  draft.vault.putApproval(key);
  if (secret) draft.vault.putPsk(key, secret);
  if (node) {
    const { name: nameNow, meter: meterNow } = node.record;
    draft.put({ ...node, record: { ...node.record, meter: record.meter || meterNow, name: record.name || nameNow } });
  }
  return key;
}

/** Does not let a device in, and lists it no more. */
export function reject(draft: Draft, device: DeviceSelector, { nowMs }: DecisionContext): void {
  const nodeId = nodeIdFor(draft, device);
  const record = draft.admissions.byNodeId(nodeId);
  if (record?.state !== 'pending') throw wrong(`device ${nodeId} does not wait for a decision: revoke it instead`);
  draft.admissions.put({ ...record, state: 'rejected', sinceMs: nowMs });
}

/** Gives a device another name. */
export function rename(draft: Draft, device: DeviceSelector, name: string): void {
  const nodeId = nodeIdFor(draft, device);
  requireFreeName(draft, checkName(name), [nodeId]);
  setName(draft, nodeId, name);
}

/** Shuts a device out and draws another K_net; its node id. `end`: its last registers, where they matter. */
export function revoke(
  draft: Draft,
  device: DeviceSelector,
  { nowMs, random, rotationGraceMs }: DecisionContext,
  end: RegisterMarks | null = null,
): string {
  const nodeId = nodeIdFor(draft, device);
  const node = draft.get(nodeId);
  const known = draft.admissions.byNodeId(nodeId);
  const key = node?.record.key ?? known?.key;
  if (key === undefined || (!node && known?.state !== 'approved')) throw unknown(nodeId);
  if (known?.state === 'revoked') throw wrong(`device ${nodeId} is revoked already`);
  const before = known ?? newAdmission({ key, nodeId, state: 'revoked' }, { nowMs, random });
  draft.admissions.put({ ...before, state: 'revoked', sinceMs: nowMs, end });
  draft.vault.dropApproval(key);
  draft.vault.putPsk(key, undefined);
  if (node) draft.put({ ...node, sessions: {} });
  const { ring } = draft.vault;
  if (ring) draft.vault.putRing(rotated(ring, random(NETWORK_KEY_BYTES), nowMs, rotationGraceMs));
  return nodeId;
}

/** Puts another device at a metering point, under its id and name, and revokes the former one; key of the new one. */
export function exchange(
  draft: Draft,
  meter: string,
  request: ApproveRequest,
  context: DecisionContext,
  end: RegisterMarks | null,
): string {
  const formerNodeId = nodeIdFor(draft, { meter });
  const former = draft.get(formerNodeId)?.record ?? draft.admissions.byNodeId(formerNodeId);
  const name = request.name || (former?.name ?? '');
  const key = approve(draft, { ...request, meter, name }, context, formerNodeId);
  if (former?.name === name && name !== '') setName(draft, formerNodeId, formerName(draft, name, formerNodeId));
  revoke(draft, { nodeId: formerNodeId }, context, end);
  return key;
}

/** The node id of a device that is meant; `unknownNode` when there is none. A revoked device no longer serves its metering point. */
export function nodeIdFor(draft: Draft, { key, nodeId, meter }: DeviceSelector): string {
  if (key !== undefined) return nodeIdOf(parseDeviceKey(key));
  if (nodeId !== undefined) return nodeId;
  if (meter === undefined) throw wrong('say which device is meant: key, nodeId or meter');
  const found = servesMeter(draft, meter);
  if (found === undefined) throw unknown(meter);
  return found;
}

/** The node that is to do something; `unknownNode` for one that has not joined, `revoked` for one that is out. */
export function commandedNode(registry: Registry, device: DeviceSelector): MeshNode {
  const nodeId = nodeIdFor(new Draft(registry), device);
  const node = registry.get(nodeId);
  if (!node) throw new WattmeshError('unknownNode', `node ${nodeId} has not joined: there is nobody to command`);
  if (!registry.isRevoked(node.record)) return node;
  throw new WattmeshError('revoked', `${node.record.name} has been revoked: it takes no commands`);
}

/** The node id of the device at a metering point. */
export function servesMeter(draft: Draft, meter: string): string | undefined {
  for (const { record } of draft.nodes())
    if (record.meter === meter && isIn(draft, record.nodeId)) return record.nodeId;
  for (const admission of draft.admissions.all()) {
    if (admission.state === 'approved' && admission.meter === meter) return admission.nodeId;
  }
  return undefined;
}

function isIn(draft: Draft, nodeId: string): boolean {
  return draft.admissions.byNodeId(nodeId)?.state !== 'revoked';
}

/** The key of a device that is to be let in, once it is certain which one is meant. */
function provenKey(draft: Draft, { key, nodeId, digits }: ApproveRequest): string {
  if (key !== undefined && /^\s*wm\d/i.test(key)) return toHex(parseDeviceKey(key));
  const record = draft.admissions.byNodeId(
    nodeIdFor(draft, { ...(key === undefined ? {} : { key }), ...(nodeId === undefined ? {} : { nodeId }) }),
  );
  if (!record) throw wrong('this device has not asked to join: give the WM1 text of its label as its key');
  const [one, other] = record.groups;
  const label = labelDigits(fromHex(record.key));
  const asked = `${label[one]}${label[other]}`;
  if ((digits ?? '').replace(/\D/g, '') !== asked) {
    throw wrong(
      `these are not the digits of groups ${one + 1} and ${other + 1} of the device's label: read them again; if they differ, it is another device`,
    );
  }
  return record.key;
}

function requireFreeMeter(draft: Draft, meter: string, own: readonly string[]): void {
  const holder = servesMeter(draft, meter);
  if (holder === undefined || own.includes(holder)) return;
  throw wrong(`metering point ${meter} is served by device ${holder}: exchange the device, or choose another id`);
}

function requireFreeName(draft: Draft, name: string, own: readonly string[]): void {
  if (own.some((nodeId) => draft.isNameFree(name, nodeId))) return;
  throw wrong('another node has this name: choose another one');
}

function setName(draft: Draft, nodeId: string, name: string): void {
  const node = draft.get(nodeId);
  const admission = draft.admissions.byNodeId(nodeId);
  if (!node && admission?.state !== 'approved') throw unknown(nodeId);
  if (node) draft.put(named(node, name));
  if (admission) draft.admissions.put({ ...admission, name });
}

function named(node: MeshNode, name: string): MeshNode {
  return { ...node, record: { ...node.record, name } };
}

/** What a device is called whose name another one has now. */
function formerName(draft: Draft, name: string, nodeId: string): string {
  const ending = ` (until ${nodeId.slice(-4)})`;
  const base = [...name].slice(0, NAME_CHARS_MAX - ending.length - 4).join('');
  let former = `${base}${ending}`;
  for (let number = 2; !draft.isNameFree(former, nodeId); number++) former = `${base}${ending} ${number}`;
  return former;
}

function wrong(message: string): WattmeshError {
  return new WattmeshError('badField', message);
}

function unknown(what: string): WattmeshError {
  return new WattmeshError('unknownNode', `there is no device ${what} here`);
}
