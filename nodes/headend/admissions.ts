import { WattmeshError } from './errors.ts';
import type { AdmissionRecord } from './store/store.ts';

/** Most nodes of a network: short ids of meters are 15 bits. */
export const NODES_MAX = 16_384;
/** Most unknown devices that wait for the operator; the one silent for longest makes room. */
export const PENDING_MAX = 64;
/** Most rejected devices remembered, so that they are not listed again; the oldest makes room. */
export const REJECTED_MAX = 256;
/** Most devices approved or revoked. */
export const DECIDED_MAX = 2 * NODES_MAX;

type State = AdmissionRecord['state'];

/** What the operator has decided about devices, by device key, as committed. */
export class Admissions {
  readonly #records = new Map<string, AdmissionRecord>();
  readonly #keys = new Map<string, string>();
  readonly #counts = new Map<State, number>();
  readonly #awaitingStart = new Set<string>();
  readonly #unproven = new Set<string>();

  get(key: string): AdmissionRecord | undefined {
    return this.#records.get(key);
  }

  /** The device that holds a node id. */
  byNodeId(nodeId: string): AdmissionRecord | undefined {
    const key = this.#keys.get(nodeId);
    return key === undefined ? undefined : this.#records.get(key);
  }

  all(): IterableIterator<AdmissionRecord> {
    return this.#records.values();
  }

  /** Keys of approved devices whose first reading has not come yet. */
  get awaitingStart(): ReadonlySet<string> {
    return this.#awaitingStart;
  }

  /** Devices that stand in the store as approved without proof, and wait for the operator again. */
  get unproven(): number {
    return this.#unproven.size;
  }

  count(state: State): number {
    return this.#counts.get(state) ?? 0;
  }

  /** Takes over what the store held at the start; `proven`: keys of devices whose approval is proven, undefined where nothing can be. */
  adoptStored(records: readonly AdmissionRecord[], proven: ReadonlySet<string> | undefined): void {
    for (const record of records) {
      const isProven = record.state !== 'approved' || !proven || proven.has(record.key);
      this.adopt(isProven ? record : { ...record, state: 'pending' });
      if (!isProven) this.#unproven.add(record.key);
    }
  }

  /** Takes over what is in the store now. */
  adopt(record: AdmissionRecord): void {
    this.#remove(record.key);
    if (record.state !== 'pending') this.#unproven.delete(record.key);
    this.#records.set(record.key, record);
    this.#keys.set(record.nodeId, record.key);
    this.#counts.set(record.state, this.count(record.state) + 1);
    if (record.state === 'approved' && !record.start) this.#awaitingStart.add(record.key);
  }

  forget(key: string): void {
    this.#remove(key);
    this.#unproven.delete(key);
  }

  #remove(key: string): void {
    const record = this.#records.get(key);
    if (!record) return;
    this.#records.delete(key);
    this.#awaitingStart.delete(key);
    this.#counts.set(record.state, this.count(record.state) - 1);
    if (this.#keys.get(record.nodeId) === key) this.#keys.delete(record.nodeId);
  }
}

/** Admissions as they will be once a group is committed. */
export class AdmissionDraft {
  readonly #committed: Admissions;
  readonly #changed = new Map<string, AdmissionRecord | undefined>();
  readonly #keys = new Map<string, string>();
  readonly #added = new Map<State, number>();

  constructor(committed: Admissions) {
    this.#committed = committed;
  }

  get(key: string): AdmissionRecord | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#committed.get(key);
  }

  /** The device that holds a node id. */
  byNodeId(nodeId: string): AdmissionRecord | undefined {
    const key = this.#keys.get(nodeId) ?? this.#committed.byNodeId(nodeId)?.key;
    return key === undefined ? undefined : this.get(key);
  }

  /** Notes a decision. `queueFull` when there is no room for another one; the lists of undecided devices make room by themselves. */
  put(record: AdmissionRecord): void {
    const { key, nodeId, state } = record;
    const before = this.get(key)?.state;
    if (before !== state) {
      if (state === 'pending') this.#makeRoom('pending', PENDING_MAX);
      else if (state === 'rejected') this.#makeRoom('rejected', REJECTED_MAX);
      else if (before !== 'approved' && before !== 'revoked') this.#requireRoom();
    }
    this.#set(key, record);
    this.#keys.set(nodeId, key);
  }

  /** Forgets a device. */
  drop(key: string): void {
    if (this.get(key)) this.#set(key, undefined);
  }

  /** For the store. */
  changes(): { admissions: AdmissionRecord[]; droppedAdmissions: string[] } {
    const admissions: AdmissionRecord[] = [];
    const droppedAdmissions: string[] = [];
    for (const [key, record] of this.#changed) {
      if (record) admissions.push(record);
      else droppedAdmissions.push(key);
    }
    return { admissions, droppedAdmissions };
  }

  /** They are in the store: makes the committed ones say so. */
  adopt(): void {
    for (const [key, record] of this.#changed) {
      if (record) this.#committed.adopt(record);
      else this.#committed.forget(key);
    }
  }

  #count(state: State): number {
    return this.#committed.count(state) + (this.#added.get(state) ?? 0);
  }

  #set(key: string, record: AdmissionRecord | undefined): void {
    const before = this.get(key);
    if (before) this.#added.set(before.state, (this.#added.get(before.state) ?? 0) - 1);
    if (record) this.#added.set(record.state, (this.#added.get(record.state) ?? 0) + 1);
    this.#changed.set(key, record);
  }

  #makeRoom(state: State, max: number): void {
    if (this.#count(state) < max) return;
    let oldest: AdmissionRecord | undefined;
    for (const record of this.all()) {
      if (record.state === state && (!oldest || record.lastSeenMs < oldest.lastSeenMs)) oldest = record;
    }
    if (oldest) this.#set(oldest.key, undefined);
  }

  #requireRoom(): void {
    if (this.#count('approved') + this.#count('revoked') < DECIDED_MAX) return;
    throw new WattmeshError('queueFull', `${DECIDED_MAX} devices have been approved: no room for another one`);
  }

  /** All devices. */
  *all(): Generator<AdmissionRecord> {
    for (const record of this.#committed.all()) if (!this.#changed.has(record.key)) yield record;
    for (const record of this.#changed.values()) if (record) yield record;
  }
}
