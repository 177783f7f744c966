import { BoundedMap } from './bounded-map.ts';
import type { Clock, Timer } from './clock.ts';
import type { DownSection, EventSection } from './frame/sections.ts';
import { Listeners } from './listeners.ts';
import type { EventMessage, EventName } from './messages.ts';
import type { Places } from './places.ts';
import type { MeshNode } from './registry.ts';
import { suiteName } from './security/suites.ts';

/** Events that are known when they come again; the oldest is forgotten first, and its repetition told as a new one. */
export const EVENTS_REMEMBERED_MAX = 4_096;
/** A device hears of so many at a time, which fit a packet beside what else rides in it; it repeats the others until it has heard of them. */
const EVENTS_SEEN_MAX = 6;
/** A device hears after this, ms, that its events are known, of several at once; it repeats them after 3 s. */
export const EVENT_SEEN_DELAY_MS = 200;
/** While nobody listens, but somebody did within this time, ms, devices keep their events and repeat them. */
export const LISTENER_GRACE_MS = 60_000;

type Value = Partial<Pick<EventMessage['payload'], 'current_a' | 'voltage_v' | 'open' | 'on' | 'ahead_s' | 'count'>>;

/** By code (PROTOCOL.md, section 4.3): what a message calls it, and what its value means. */
const EVENTS: Readonly<Record<number, readonly [name: EventName, value: (value: number) => Value]>> = {
  1: ['powerFailing', () => ({})],
  2: ['powerBack', () => ({})],
  3: ['overCurrent', (value) => ({ current_a: value / 10 })],
  4: ['overVoltage', (value) => ({ voltage_v: value / 10 })],
  5: ['underVoltage', (value) => ({ voltage_v: value / 10 })],
  6: ['tamper', (value) => ({ open: value !== 0 })],
  7: ['switchMoved', (value) => ({ on: value !== 0 })],
  8: ['clockWrong', (value) => ({ ahead_s: value })],
  9: ['suppressed', (value) => ({ count: value })],
};

/** Events that can be raised. */
export type RaisedName = Exclude<EventName, 'suppressed' | 'unknown'>;
export const EVENT_NAMES = Object.values(EVENTS)
  .map(([name]) => name)
  .filter((name): name is RaisedName => name !== 'suppressed');

/** The code of an event; 0: it has none. */
export function eventCode(event: RaisedName): number {
  return Number(Object.keys(EVENTS).find((code) => EVENTS[Number(code)]?.[0] === event) ?? 0);
}

/** How an event came in. */
export interface EventArrival {
  readonly receivedAtMs: number;
  readonly gatewayRef: string;
  readonly route: readonly number[];
  readonly suite: number;
}

export interface DeviceEventsParts {
  readonly network: string;
  readonly clock: Clock;
  readonly places: Places;
  /** A listener failed. */
  failed(error: unknown): void;
  /** Sends sections to a node at once; whether they arrive, nobody says. */
  send(nodeId: string, sections: readonly DownSection[], hold: boolean): void;
}

/**
 * Events that devices tell at once. A device repeats one until it hears that it is known, so that none is lost: it hears that once the message
 * has gone out. An event is known again by its device, code and moment.
 */
export class DeviceEvents {
  readonly #parts: DeviceEventsParts;
  readonly #listeners: Listeners<EventMessage>;
  readonly #known = new BoundedMap<string, true>(EVENTS_REMEMBERED_MAX);
  readonly #due = new Map<MeshNode['record'], DownSection[]>();
  readonly #startedMs: number;
  #listenedMs: number;
  #timer: Timer | undefined;

  constructor(parts: DeviceEventsParts) {
    this.#parts = parts;
    this.#listeners = new Listeners((error) => parts.failed(error));
    this.#startedMs = parts.clock.nowMs();
    this.#listenedMs = this.#startedMs;
  }

  /** Called synchronously for each event; returns the function that ends it. */
  listen(listener: (message: EventMessage) => void): () => void {
    const end = this.#listeners.add(listener);
    return () => {
      end();
      this.#listenedMs = this.#parts.clock.nowMs();
    };
  }

  /** An event of a packet that verified and is new. */
  take({ record }: MeshNode, event: EventSection, arrival: EventArrival): void {
    const { clock } = this.#parts;
    const { code, utcMs, value } = event;
    const id = `${record.key}:${code}:${utcMs}`;
    if (!this.#known.get(id)) {
      if (!this.#listeners.any && clock.nowMs() - this.#listenedMs < LISTENER_GRACE_MS) return;
      this.#listeners.tellMade(() => this.#message(id, record, event, arrival));
      this.#known.set(id, true);
    }
    const due = this.#due.get(record);
    const seen = { kind: 'eventSeen', code, utcMs, value } as const;
    if (!due) this.#due.set(record, [seen]);
    else if (due.length < EVENTS_SEEN_MAX) due.push(seen);
    this.#timer ??= clock.after(EVENT_SEEN_DELAY_MS, () => this.#sendDue());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due.clear();
  }

  #sendDue(): void {
    this.#timer = undefined;
    const due = [...this.#due];
    this.#due.clear();
    for (const [{ nodeId, energy }, sections] of due) this.#parts.send(nodeId, sections, energy === 'battery');
  }

  #message(
    id: string,
    { meter, name, nodeId }: MeshNode['record'],
    { code, utcMs, value }: EventSection,
    { receivedAtMs, gatewayRef, route, suite }: EventArrival,
  ): EventMessage {
    const { network, places } = this.#parts;
    const { hub, gateway, hops } = places.way(route, gatewayRef);
    const [event, fieldsOf] = EVENTS[code] ?? ['unknown', () => ({})];
    return {
      topic: `${network}/${meter}/event`,
      payload: {
        meter,
        name,
        event,
        code,
        value,
        ...fieldsOf(value),
        raisedAt: iso(utcMs),
        receivedAt: iso(receivedAtMs),
      },
      wattmesh: {
        ...{ id, network, nodeId, hub: hub?.record.name ?? null, gateway, hops, suite: suiteName(suite) },
        redelivered: utcMs < this.#startedMs,
      },
    };
  }
}

function iso(ms: number): string {
  // No calendar holds all 48 bits of a device's time.
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
