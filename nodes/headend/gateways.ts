import type { Clock } from './clock.ts';
import { type Envelope, encodeHostEnvelope, type HostEnvelope, UP_ACK_NUMBERS_MAX } from './frame/envelope.ts';
import type { Link } from './link/link.ts';
import { visible } from './visible.ts';

/**
 * Most gateways of a network. Names on a link cost nothing: a full table forgets those that never brought a packet that verified, and others only
 * when they are long silent.
 */
export const GATEWAYS_MAX = 64;
/** A gateway silent for this long, ms, no longer counts as there. */
export const GATEWAY_RECENT_MS = 120_000;
/** PROTOCOL.md, section 5. */
export const TIME_PERIOD_MS = 10_000;
/** An error that a gateway logged is shown for this long, ms. */
const GATEWAY_LOG_SHOWN_MS = 60 * 60_000;
/** Clocks before this moment have not been set: no release is older. */
const UTC_PLAUSIBLE_MS = Date.UTC(2025, 0, 1);

type Hello = Extract<Envelope, { type: 'hello' }>;
type Stats = Extract<Envelope, { type: 'stats' }>;
type Log = Extract<Envelope, { type: 'log' }>;

/** A gateway as the head-end knows it. */
export interface Gateway {
  /** On its link. */
  readonly name: string;
  lastHeardMs: number;
  /** From HELLO, or from a packet of its own; undefined until then. */
  nodeId: string | undefined;
  /** A packet that came through it has verified and was new. */
  proven: boolean;
  /** It serves another network: everything from it is ignored. */
  foreign: boolean;
  /** False when the link says that it is gone. */
  present: boolean;
  /** UP envelopes that wait for their commit: a repeated one is not taken twice. */
  readonly inFlight: Set<number>;
  stats: Stats | undefined;
  /** Frames that it dropped between its last two STATS because its queue was full. */
  queueFull: number;
  log: { readonly text: string; readonly untilMs: number } | undefined;
}

/** True for a clock that has been set. */
export function isPlausibleUtc(utcMs: number): boolean {
  return utcMs >= UTC_PLAUSIBLE_MS;
}

/** The host's side of the gateway protocol (PROTOCOL.md, section 5) towards all gateways of a link. */
export class Gateways {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #hello: Uint8Array;
  readonly #networkNumber: number;
  readonly #gateways = new Map<string, Gateway>();

  constructor(link: Link, clock: Clock, networkNumber: number, instanceId: string) {
    this.#link = link;
    this.#clock = clock;
    this.#networkNumber = networkNumber;
    this.#hello = encodeHostEnvelope({ type: 'hello', instanceId, networkNumber });
  }

  get(name: string): Gateway | undefined {
    return this.#gateways.get(name);
  }

  /** Those that can be sent to, the last heard first. */
  reachable(): Gateway[] {
    const nowMs = this.#clock.nowMs();
    const there = [...this.#gateways.values()].filter((each) => {
      // After a clock was set back silence counts from now.
      each.lastHeardMs = Math.min(each.lastHeardMs, nowMs);
      return each.present && !each.foreign && nowMs - each.lastHeardMs <= GATEWAY_RECENT_MS;
    });
    return there.sort((a, b) => b.lastHeardMs - a.lastHeardMs);
  }

  /** Notes that a gateway sent something; undefined when there is no room for another one. */
  heard(name: string): Gateway | undefined {
    const nowMs = this.#clock.nowMs();
    const known = this.#gateways.get(name);
    if (known) {
      known.lastHeardMs = nowMs;
      known.present = true;
      return known;
    }
    if (this.#gateways.size >= GATEWAYS_MAX && !this.#forgetOne(nowMs)) return undefined;
    const gateway: Gateway = {
      name,
      lastHeardMs: nowMs,
      nodeId: undefined,
      proven: false,
      foreign: false,
      present: true,
      inFlight: new Set(),
      stats: undefined,
      queueFull: 0,
      log: undefined,
    };
    this.#gateways.set(name, gateway);
    return gateway;
  }

  /** Something true came through a gateway. */
  proved(name: string): void {
    const gateway = this.#gateways.get(name);
    if (gateway) gateway.proven = true;
  }

  /** What the link says of a gateway. One that has come back gets the time at once, and so knows that its host is there. */
  presence(name: string, online: boolean): void {
    const gateway = online ? this.heard(name) : this.#gateways.get(name);
    if (!gateway) return;
    gateway.present = online;
    if (online && !gateway.foreign) this.#sendTime(name);
  }

  /** Answers HELLO with HELLO and TIME; false for a gateway of another network, which gets no answer. */
  hello(gateway: Gateway, hello: Hello): boolean {
    gateway.nodeId = hello.nodeId;
    gateway.foreign = hello.networkNumber !== this.#networkNumber;
    gateway.log = undefined;
    gateway.stats = undefined;
    gateway.queueFull = 0;
    if (gateway.foreign) return false;
    this.#link.send(gateway.name, this.#hello);
    this.#sendTime(gateway.name);
    return true;
  }

  /** A packet of the gateway's own tells which node it is; HELLO may not have come since the start. */
  ownPacket(name: string, node: { readonly nodeId: string; readonly role: string }): void {
    const gateway = this.#gateways.get(name);
    if (gateway && node.role === 'gateway') gateway.nodeId = node.nodeId;
  }

  stats(gateway: Gateway, stats: Stats): void {
    const before = gateway.stats && gateway.stats.uptimeS <= stats.uptimeS ? gateway.stats.queueFull : 0;
    gateway.queueFull = Math.max(0, stats.queueFull - before);
    gateway.stats = stats;
  }

  log(gateway: Gateway, log: Log): void {
    if (log.level === 'error')
      gateway.log = { text: visible(log.text), untilMs: this.#clock.nowMs() + GATEWAY_LOG_SHOWN_MS };
  }

  /** TIME to every gateway of the network that is there; due every TIME_PERIOD_MS. */
  sendTimes(): void {
    for (const gateway of this.#gateways.values())
      if (gateway.present && !gateway.foreign) this.#sendTime(gateway.name);
  }

  /** UP_ACK: these envelopes are disposed of. What cannot be sent is repeated by the gateway. */
  acknowledge(name: string, numbers: readonly number[]): void {
    for (let at = 0; at < numbers.length; at += UP_ACK_NUMBERS_MAX) {
      this.send(name, { type: 'upAck', numbers: numbers.slice(at, at + UP_ACK_NUMBERS_MAX) });
    }
  }

  /** UP_ACK for a whole group, each gateway its own numbers. */
  acknowledgeAll(ups: readonly { readonly gateway: string; readonly upNumber: number }[]): void {
    const numbers = new Map<string, number[]>();
    for (const { gateway, upNumber } of ups) {
      const list = numbers.get(gateway);
      if (list) list.push(upNumber);
      else numbers.set(gateway, [upNumber]);
    }
    for (const [gateway, list] of numbers) this.acknowledge(gateway, list);
  }

  /** False when the gateway cannot be reached now. */
  send(name: string, envelope: HostEnvelope): boolean {
    return this.#link.send(name, encodeHostEnvelope(envelope));
  }

  /** What somebody should look at, one line each. */
  warnings(): string[] {
    const nowMs = this.#clock.nowMs();
    const lines: string[] = [];
    for (const { name, foreign, queueFull, log } of this.#gateways.values()) {
      if (foreign)
        lines.push(
          `gateway ${name} belongs to another network and is ignored: flash it for this one, or check the network id`,
        );
      if (queueFull > 0) lines.push(`gateway ${name} dropped ${queueFull} frames: its queue is full`);
      if (log && log.untilMs > nowMs) lines.push(`gateway ${name}: ${log.text}`);
    }
    return lines;
  }

  #sendTime(name: string): void {
    const utcMs = this.#clock.nowMs();
    this.send(name, { type: 'time', utcMs, synchronised: isPlausibleUtc(utcMs) });
  }

  /** Forgets the gateway that has been silent for longest: one that has proved nothing, else one that is silent at all. */
  #forgetOne(nowMs: number): boolean {
    let silent: Gateway | undefined;
    for (const gateway of this.#gateways.values()) if (!silent || goesBefore(gateway, silent)) silent = gateway;
    if (!silent || (silent.proven && nowMs - silent.lastHeardMs < GATEWAY_RECENT_MS)) return false;
    return this.#gateways.delete(silent.name);
  }
}

/** True for a gateway that is forgotten before the other one. */
function goesBefore(one: Gateway, other: Gateway): boolean {
  return one.proven === other.proven ? one.lastHeardMs < other.lastHeardMs : !one.proven;
}
