import type { Clock, Timer } from './clock.ts';
import { ACK_RANGES_MAX, type Ack } from './frame/sections.ts';
import { isPlausibleUtc } from './gateways.ts';
import type { MeshNode, Registry } from './registry.ts';
import type { Session } from './security/session.ts';
import type { Sender } from './sender.ts';
import type { LogState } from './store/store.ts';

/** An acknowledgement waits this long, ms, for more rows of the same node: one downlink answers a whole poll. */
export const ACK_DELAY_MS = 200;
/** Most acknowledgements at once; the others follow a delay later. No radio sends more, and taking packets in must not wait for them. */
export const ACKS_PER_ROUND_MAX = 256;
/** Shortest pause, ms, between acknowledgements to a node that has not echoed the owner epoch. */
const EPOCH_ACK_PAUSE_MS_MIN = 15_000;
/** The next try, ms, when no gateway took one of those. */
const EPOCH_ACK_RETRY_MS = 5_000;
/** Most of those per tick: a network of thousands is not told all at once. */
export const EPOCH_ACKS_PER_TICK_MAX = 16;
/** Most of those to a node that is not heard at all; from then on it gets one when it is heard. */
export const EPOCH_ACK_TRIES_MAX = 8;
/** Logs that one acknowledgement names while it is not known which of them the node is writing: as many as fit a packet. */
const LOGS_PER_ACK_MAX = 3;

interface Unechoed {
  nextMs: number;
  tries: number;
}

/** Everything that the head-end owes its nodes in acknowledgements. They speak of the registry, that is of committed state only. */
export class Acknowledger {
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #sender: Sender;
  readonly #due = new Set<string>();
  readonly #undelivered = new Set<string>();
  readonly #unechoed = new Map<string, Unechoed>();
  #timer: Timer | undefined;
  #logTurn = 0;

  constructor(clock: Clock, registry: Registry, sender: Sender) {
    this.#clock = clock;
    this.#registry = registry;
    this.#sender = sender;
    for (const { record, sessions } of registry.nodes()) {
      if (sessions.current) this.#unechoed.set(record.nodeId, { nextMs: clock.nowMs(), tries: 0 });
    }
  }

  /** The node gets its current acknowledgement soon. */
  due(nodeId: string): void {
    this.#due.add(nodeId);
    this.#timer ??= this.#clock.after(ACK_DELAY_MS, () => this.#sendDue());
  }

  /** A node was heard: what it may have missed goes out again. */
  heard(nodeId: string): void {
    const session = this.#registry.get(nodeId)?.sessions.current;
    if (this.#undelivered.has(nodeId) || (session && !session.downlink.echoed)) this.due(nodeId);
  }

  /** A node echoed `epoch` in `session`; true when that is the present one. */
  echoed(nodeId: string, session: Session, epoch: number): boolean {
    if (epoch !== this.#sender.epoch) return false;
    session.downlink.echoed = true;
    this.#unechoed.delete(nodeId);
    return true;
  }

  /** An acknowledgement did not get out of the gateway. */
  undelivered(nodeId: string): void {
    this.#undelivered.add(nodeId);
  }

  /** Tells nodes of the new owner epoch, each at most once per poll cycle and a few at a time. Call it every second or so. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    let attempts = 0;
    for (const [nodeId, entry] of this.#unechoed) {
      if (attempts >= EPOCH_ACKS_PER_TICK_MAX) return;
      if (entry.nextMs > nowMs || entry.tries >= EPOCH_ACK_TRIES_MAX) continue;
      const node = this.#registry.get(nodeId);
      if (!node?.sessions.current || node.sessions.current.downlink.echoed) {
        this.#unechoed.delete(nodeId);
        continue;
      }
      attempts++;
      const sent = this.#send(nodeId);
      if (sent) entry.tries++;
      const pauseMs = sent ? Math.max(EPOCH_ACK_PAUSE_MS_MIN, node.record.pollCycleS * 1000) : EPOCH_ACK_RETRY_MS;
      entry.nextMs = nowMs + pauseMs;
    }
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #sendDue(): void {
    this.#timer = undefined;
    let left = ACKS_PER_ROUND_MAX;
    for (const nodeId of this.#due) {
      if (left-- === 0) break;
      this.#due.delete(nodeId);
      this.#undelivered.delete(nodeId);
      if (!this.#send(nodeId)) this.#undelivered.add(nodeId);
    }
    if (this.#due.size > 0) this.#timer = this.#clock.after(ACK_DELAY_MS, () => this.#sendDue());
  }

  /** False when it should go out but no gateway took it. */
  #send(nodeId: string): boolean {
    const node = this.#registry.get(nodeId);
    const session = node?.sessions.current;
    if (!node || !session) return true;
    const logs = this.#logsOf(node, session);
    if (logs.length === 0) return true;
    const nowMs = this.#clock.nowMs();
    const utcMs = isPlausibleUtc(nowMs) ? nowMs : 0;
    const acks = logs.map((log) => ackOf(log, utcMs));
    return this.#sender.send(nodeId, acks, true) !== 'noGateway';
  }

  /** The log that the node is writing; where that is not known, its logs take turns. A node ignores those that are not its. */
  #logsOf({ logs }: MeshNode, { logId }: Session): readonly LogState[] {
    if (logId !== '') return logs.filter((log) => log.logId === logId);
    if (logs.length <= LOGS_PER_ACK_MAX) return logs;
    const from = (this.#logTurn++ * LOGS_PER_ACK_MAX) % logs.length;
    return [...logs.slice(from), ...logs.slice(0, from)].slice(0, LOGS_PER_ACK_MAX);
  }
}

function ackOf({ logId, cumulative, ranges }: LogState, utcMs: number): Ack {
  return { kind: 'ack', logId, cumulative, utcMs, ranges: ranges.slice(0, ACK_RANGES_MAX) };
}
