import { SUITE_NONE } from './frame/packet.ts';
import type { DownSection } from './frame/sections.ts';
import type { MeshNode, Registry } from './registry.ts';
import { keyInUse, untilUseS } from './security/network-keys.ts';
import type { Downlink, Session } from './security/session.ts';
import type { Rider } from './sender.ts';

/** A node that has not got the new key is sent it again after a poll cycle, but not before this, ms. */
const RESEND_MS_MIN = 15_000;
/** Most nodes that are sent it in one tick: a network of thousands is not told all at once. */
export const ROTATION_SENDS_PER_TICK_MAX = 16;
/** A rotation ends this long, ms, after its key came into use, whoever is missing: those join again. */
export const ROTATION_PATIENCE_MS = 7 * 24 * 3600_000;

interface Unconfirmed {
  nextMs: number;
  /** The first packet of this session that brought the key: every later one did so too. */
  first: { readonly downlink: Downlink; readonly counter: number } | undefined;
}

/** How far a rotation of K_net has come. */
export interface RotationProgress {
  /** UTC ms. */
  readonly useAtMs: number;
  /** Nodes that have the key `keyId`, of those that have a session with keys. */
  readonly counts: { readonly keyId: number; readonly confirmed: number; readonly total: number };
}

/** What a rotation acts upon. */
export interface RotationParts {
  readonly registry: Registry;
  nowMs(): number;
  /** Something is to be sent to this node soon. */
  due(nodeId: string): void;
  /** Everybody has the key, or has had time enough: the ring can settle. */
  finished(): void;
}

/**
 * Brings a new K_net to all nodes: it rides on their sealed downlinks until they have echoed one that carried it. Follows the ring of the
 * registry's vault; who sleeps through it joins again.
 */
export class Rotation implements Rider {
  readonly #parts: RotationParts;
  readonly #unconfirmed = new Map<string, Unconfirmed>();
  #keyId = 0;

  constructor(parts: RotationParts) {
    this.#parts = parts;
    this.begin();
  }

  get progress(): RotationProgress | null {
    const next = this.#parts.registry.vault.ring?.next;
    if (!next) return null;
    let total = 0;
    for (const node of this.#parts.registry.nodes()) if (isKeyed(node)) total++;
    const confirmed = Math.max(0, total - this.#unconfirmed.size);
    return { useAtMs: next.useAtMs, counts: { keyId: next.keyId, confirmed, total } };
  }

  /** The ring has another key on its way, or none any more. */
  begin(): void {
    const { registry, nowMs } = this.#parts;
    this.#unconfirmed.clear();
    const next = registry.vault.ring?.next;
    this.#keyId = next?.keyId ?? 0;
    if (!next) return;
    for (const node of registry.nodes()) {
      if (isKeyed(node)) this.#unconfirmed.set(node.record.nodeId, { nextMs: nowMs(), first: undefined });
    }
  }

  /** A node joined: M2 brought it the key `keyId`. */
  joined(nodeId: string, keyId: number): void {
    if (this.#keyId === 0 || keyId === 0) return;
    if (keyId === this.#keyId) this.#unconfirmed.delete(nodeId);
    else this.#unconfirmed.set(nodeId, { nextMs: this.#parts.nowMs() + RESEND_MS_MIN, first: undefined });
  }

  /** A node is out: it must not have the key. */
  left(nodeId: string): void {
    this.#unconfirmed.delete(nodeId);
  }

  /** The highest downlink of `session` that the node accepted, in the present owner epoch. */
  echoed(nodeId: string, session: Session, counter: number): void {
    const first = this.#unconfirmed.get(nodeId)?.first;
    if (first && first.downlink === session.downlink && counter >= first.counter) this.#unconfirmed.delete(nodeId);
  }

  sectionsFor(nodeId: string, session: Session): readonly DownSection[] {
    const next = this.#parts.registry.vault.ring?.next;
    if (!next || session.suite === SUITE_NONE || !this.#unconfirmed.has(nodeId)) return [];
    const { keyId, key } = next;
    return [{ kind: 'netkey', keyId, networkKey: key, untilUseS: untilUseS(next, this.#parts.nowMs()) }];
  }

  sent(nodeId: string, { downlink }: Session, counter: number): void {
    const entry = this.#unconfirmed.get(nodeId);
    if (entry && entry.first?.downlink !== downlink) entry.first = { downlink, counter };
  }

  /** Reminds nodes that have not got the key. Call it every second or so. */
  tick(): void {
    const { registry, nowMs, due, finished } = this.#parts;
    const ring = registry.vault.ring;
    if (!ring?.next) return;
    const now = nowMs();
    if (keyInUse(ring, now) === ring.next) {
      if (this.#unconfirmed.size === 0 || now - ring.next.useAtMs >= ROTATION_PATIENCE_MS) {
        finished();
        return;
      }
    }
    let sends = 0;
    for (const [nodeId, entry] of this.#unconfirmed) {
      if (sends >= ROTATION_SENDS_PER_TICK_MAX) return;
      if (entry.nextMs > now) continue;
      const node = registry.get(nodeId);
      if (!node || !isKeyed(node)) {
        this.#unconfirmed.delete(nodeId);
        continue;
      }
      entry.nextMs = now + Math.max(RESEND_MS_MIN, node.record.pollCycleS * 1000);
      due(nodeId);
      sends++;
    }
  }
}

function isKeyed({ sessions }: MeshNode): boolean {
  const { suite } = sessions.current ?? sessions.pending ?? {};
  return suite !== undefined && suite !== SUITE_NONE;
}
