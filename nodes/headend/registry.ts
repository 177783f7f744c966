import { Admissions } from './admissions.ts';
import type { SessionSlots } from './security/session.ts';
import type { LogState, NodeRecord } from './store/store.ts';
import { Vault } from './vault.ts';

/** Most logs kept of one node, the one last used first; a forgotten one starts over and its rows turn out to be duplicates. */
export const LOGS_PER_NODE_MAX = 32;

/** A node as it stands in the store. Immutable: changes are made in a Draft. */
export interface MeshNode {
  readonly record: NodeRecord;
  readonly sessions: SessionSlots;
  readonly logs: readonly LogState[];
}

/** Numbers and names that only one node may have. */
export class Claims {
  readonly #shortIds = new Map<number, string>();
  readonly #localHubIds = new Map<number, string>();
  readonly #names = new Map<string, string>();

  add({ nodeId, shortId, localHubId, name }: NodeRecord): void {
    this.#shortIds.set(shortId, nodeId);
    if (localHubId !== 0) this.#localHubIds.set(localHubId, nodeId);
    this.#names.set(name, nodeId);
  }

  remove({ nodeId, shortId, localHubId, name }: NodeRecord): void {
    if (this.#shortIds.get(shortId) === nodeId) this.#shortIds.delete(shortId);
    if (this.#localHubIds.get(localHubId) === nodeId) this.#localHubIds.delete(localHubId);
    if (this.#names.get(name) === nodeId) this.#names.delete(name);
  }

  /** Node ids of the holders. */
  holderOfShortId(shortId: number): string | undefined {
    return this.#shortIds.get(shortId);
  }

  holderOfLocalHubId(localHubId: number): string | undefined {
    return this.#localHubIds.get(localHubId);
  }

  holderOfName(name: string): string | undefined {
    return this.#names.get(name);
  }
}

/** All nodes by node id, as committed: nothing here runs ahead of the store. */
export class Registry {
  readonly claims = new Claims();
  readonly admissions = new Admissions();
  readonly vault = new Vault();
  readonly #nodes = new Map<string, MeshNode>();
  readonly #nodeIds = new Map<string, string>();

  get size(): number {
    return this.#nodes.size;
  }

  get(nodeId: string): MeshNode | undefined {
    return this.#nodes.get(nodeId);
  }

  nodes(): IterableIterator<MeshNode> {
    return this.#nodes.values();
  }

  /** `key`: device key, hex. */
  byKey(key: string): MeshNode | undefined {
    const nodeId = this.#nodeIds.get(key);
    return nodeId === undefined ? undefined : this.#nodes.get(nodeId);
  }

  byShortId(shortId: number): MeshNode | undefined {
    const nodeId = this.claims.holderOfShortId(shortId);
    return nodeId === undefined ? undefined : this.#nodes.get(nodeId);
  }

  /** True for a node that has been shut out. */
  isRevoked({ key }: NodeRecord): boolean {
    return this.admissions.get(key)?.state === 'revoked';
  }

  /** Takes over a node that is in the store now. */
  adopt(node: MeshNode): void {
    const { record } = node;
    const before = this.#nodes.get(record.nodeId)?.record;
    if (before !== record) {
      if (before) this.claims.remove(before);
      this.claims.add(record);
    }
    this.#nodes.set(record.nodeId, node);
    this.#nodeIds.set(record.key, record.nodeId);
  }
}
