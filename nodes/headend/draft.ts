import { AdmissionDraft, NODES_MAX } from './admissions.ts';
import { sessionRecord } from './records.ts';
import { Claims, type MeshNode, type Registry } from './registry.ts';
import { sessionSlots } from './security/session.ts';
import type { CommitGroup, LogState, NodeRecord, SessionRecord } from './store/store.ts';
import { VaultDraft } from './vault.ts';

type Changes = Omit<CommitGroup, 'rows' | 'outboxSent'>;

/**
 * The registry as it will be once a group is committed. Dropped when the commit fails, so that replay windows, log states and sessions never
 * run ahead of the store.
 */
export class Draft {
  readonly admissions: AdmissionDraft;
  readonly vault: VaultDraft;
  readonly #registry: Registry;
  readonly #changed = new Map<string, MeshNode>();
  readonly #claims = new Claims();
  #added = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.admissions = new AdmissionDraft(registry.admissions);
    this.vault = new VaultDraft(registry.vault);
  }

  /** True when no further node may be added. */
  get full(): boolean {
    return this.#registry.size + this.#added >= NODES_MAX;
  }

  get(nodeId: string): MeshNode | undefined {
    return this.#changed.get(nodeId) ?? this.#registry.get(nodeId);
  }

  /** All nodes. */
  *nodes(): Generator<MeshNode> {
    for (const node of this.#registry.nodes()) if (!this.#changed.has(node.record.nodeId)) yield node;
    yield* this.#changed.values();
  }

  put(node: MeshNode): void {
    const { nodeId } = node.record;
    const before = this.get(nodeId);
    if (!before) this.#added++;
    if (before?.record !== node.record) this.#claims.add(node.record);
    this.#changed.set(nodeId, node);
  }

  /** Puts `after` in the place of a node that `get` gave. */
  replace(before: MeshNode, after: MeshNode): void {
    if (before.record !== after.record) this.#claims.add(after.record);
    this.#changed.set(after.record.nodeId, after);
  }

  isShortIdFree(shortId: number, nodeId: string): boolean {
    return this.#isFree((claims) => claims.holderOfShortId(shortId), nodeId);
  }

  isLocalHubIdFree(localHubId: number, nodeId: string): boolean {
    return this.#isFree((claims) => claims.holderOfLocalHubId(localHubId), nodeId);
  }

  isNameFree(name: string, nodeId: string): boolean {
    return this.#isFree((claims) => claims.holderOfName(name), nodeId);
  }

  /** Everything that differs from the registry, for the store. */
  changes(): Changes {
    const nodes: NodeRecord[] = [];
    const sessions: SessionRecord[] = [];
    const clearedSessions: CommitGroup['clearedSessions'][number][] = [];
    const logs: LogState[] = [];
    for (const [nodeId, node] of this.#changed) {
      const before = this.#registry.get(nodeId);
      const { key } = node.record;
      if (before?.record !== node.record) nodes.push(node.record);
      for (const slot of sessionSlots) {
        const session = node.sessions[slot];
        const old = before?.sessions[slot];
        if (session === old) continue;
        if (old && old.downlink !== session?.downlink) clearedSessions.push({ key, slot });
        if (session) sessions.push(sessionRecord(key, slot, session));
      }
      for (const log of node.logs) if (!before?.logs.includes(log)) logs.push(log);
    }
    return { nodes, sessions, clearedSessions, logs, ...this.admissions.changes(), ...this.vault.changes() };
  }

  /** The group is in the store: makes the registry say so. */
  adopt(): void {
    for (const node of this.#changed.values()) this.#registry.adopt(node);
    this.admissions.adopt();
    this.vault.adopt();
  }

  #isFree(holder: (claims: Claims) => string | undefined, nodeId: string): boolean {
    const held = [holder(this.#claims), holder(this.#registry.claims)];
    return held.every((other) => other === undefined || other === nodeId);
  }
}
