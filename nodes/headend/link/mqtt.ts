import { connect, type IPublishPacket, type MqttClient } from 'mqtt';
import { BoundedMap } from '../bounded-map.ts';
import type { Timer } from '../clock.ts';
import type { ErrorName } from '../errors.ts';
import { checkEnvelopeLength, ENVELOPE_BYTES_MAX } from '../frame/slip.ts';
import {
  formatHostPresence,
  formatTopic,
  hostFilters,
  parseGatewayPresence,
  parseHostPresence,
  parseTopic,
  type Topic,
} from '../frame/topics.ts';
import { Backoff, formatWait } from './backoff.ts';
import { answerAsHost, HOST_REFRESH_MS, HostWatch } from './host-claim.ts';
import type { Link, LinkHandler } from './link.ts';
import { checkMqttSettings, clientOptions, explainMqttError, type MqttSettings } from './mqtt-settings.ts';

export type { MqttSettings, MqttTls } from './mqtt-settings.ts';

/** Most envelopes handed to the broker and not yet acknowledged by it; beyond that send() refuses. */
export const OUTSTANDING_MAX = 64;
/** Most topics remembered with what they mean. */
const TOPICS_MAX = 256;
/** Longest wait for the broker's goodbye, ms. */
const CLOSE_WAIT_MS = 2_000;
/** Sender's name for messages whose topic names no gateway; it can never be a gateway id. */
const NO_GATEWAY = '?';
/** SUBACK return code of a refused subscription (MQTT 3.1.1, 3.9.3). */
const SUBSCRIPTION_REFUSED = 0x80;

/** One connection to the broker; another one takes its place after every end, so nothing of an old one can leak into the next. */
interface Connection {
  readonly client: MqttClient;
  /** A `watch` has no will and reads the host topic only; the `host` serves the network. */
  readonly role: 'watch' | 'host';
  readonly watch?: HostWatch;
  refresh?: Timer;
  /** Subscriptions and presence are settled: envelopes may flow. */
  ready: boolean;
  outstanding: number;
  /** Its socket is closed. */
  closed: boolean;
}

/**
 * Gateways behind an MQTT broker (PROTOCOL.md, "MQTT"). Each time it connects it first watches the host topic; only while no other living
 * instance serves the network does it come back with a last will, publish its presence and take envelopes. A second head-end is told
 * `secondHost` and goes on watching until the first one is gone.
 */
export class MqttLink implements Link {
  readonly kind = 'mqtt';
  readonly #settings: MqttSettings;
  readonly #backoff: Backoff;
  readonly #leaving = new Set<Promise<void>>();
  readonly #topics = new BoundedMap<string, Topic>(TOPICS_MAX);
  #broker = '';
  #handler: LinkHandler | undefined;
  #connection: Connection | undefined;

  constructor(settings: MqttSettings) {
    this.#settings = settings;
    this.#backoff = new Backoff(settings.clock, settings.random);
  }

  async open(handler: LinkHandler): Promise<void> {
    this.#broker = checkMqttSettings(this.#settings);
    this.#handler = handler;
    this.#connect('watch');
  }

  send(gateway: string, envelope: Uint8Array): boolean {
    checkEnvelopeLength(envelope);
    const topic = formatTopic({ kind: 'down', network: this.#settings.network, gateway });
    const connection = this.#connection;
    if (!connection?.ready || !connection.client.connected || connection.outstanding >= OUTSTANDING_MAX) return false;
    this.#publish(connection, topic, Buffer.from(envelope), false);
    return true;
  }

  async close(): Promise<void> {
    this.#handler = undefined;
    this.#backoff.cancel();
    const connection = this.#connection;
    if (connection?.role === 'host' && connection.client.connected) this.#publishPresence(connection, false);
    if (connection) this.#leave(connection);
    await Promise.all(this.#leaving);
  }

  #connect(role: Connection['role']): void {
    const { network, instanceId } = this.#settings;
    const will = {
      topic: formatTopic({ kind: 'host', network }),
      payload: Buffer.from(formatHostPresence({ online: false, instance: instanceId })),
      qos: 1,
      retain: true,
    } as const;
    const client = connect(this.#settings.url, clientOptions(this.#settings, role === 'host' ? will : undefined));
    const watch = role === 'watch' ? this.#newWatch() : undefined;
    const connection: Connection = { client, role, watch, ready: false, outstanding: 0, closed: false };
    this.#connection = connection;
    // Listeners stay for good, so that a late error of an old connection is never unhandled; #lost ignores all but the present one.
    client.on('error', (error) => this.#lost(connection, explainMqttError(error, this.#broker)));
    client.on('close', () => {
      connection.closed = true;
      this.#lost(connection, `${this.#broker} ended the connection`);
    });
    client.on('connect', () => this.#begin(connection));
    client.on('message', (topic, payload, packet) => this.#message(connection, topic, payload, packet));
  }

  #newWatch(): HostWatch {
    return new HostWatch(this.#settings.instanceId, this.#settings.clock, {
      free: () => this.#takeOver(),
      held: (by) => this.#down('secondHost', this.#secondHostText(by)),
    });
  }

  #begin(connection: Connection): void {
    const { host, up, status } = hostFilters(this.#settings.network);
    if (connection.role === 'watch') {
      this.#subscribe(connection, [host], () => connection.watch?.subscribed());
      return;
    }
    // First the presence, then the subscription: what the broker retains is ours before it tells us what it retains.
    this.#publishPresence(connection, true);
    this.#subscribe(connection, [host, up, status], () => {
      connection.ready = true;
      this.#backoff.opened();
      this.#refreshLater(connection);
      this.#handler?.state({ up: true, detail: `connected to ${this.#broker}` });
    });
  }

  #subscribe(connection: Connection, filters: string[], granted: () => void): void {
    connection.client.subscribe(filters, { qos: 1 }, (error, _grants, packet) => {
      if (this.#connection !== connection) return;
      const refused = packet?.granted.indexOf(SUBSCRIPTION_REFUSED) ?? -1;
      if (refused >= 0) {
        this.#lost(connection, `${this.#broker} refuses to let us read ${filters[refused]}: allow this user there`);
      } else if (error) {
        this.#lost(connection, explainMqttError(error, this.#broker));
      } else {
        granted();
      }
    });
  }

  /** The network is free: the watch ends, the host begins. */
  #takeOver(): void {
    if (this.#connection) this.#leave(this.#connection);
    this.#connect('host');
  }

  #refreshLater(connection: Connection): void {
    connection.refresh = this.#settings.clock.after(HOST_REFRESH_MS, () => {
      this.#publishPresence(connection, true);
      this.#refreshLater(connection);
    });
  }

  #publishPresence(connection: Connection, online: boolean): void {
    const { network, instanceId } = this.#settings;
    const text = formatHostPresence({ online, instance: instanceId });
    this.#publish(connection, formatTopic({ kind: 'host', network }), Buffer.from(text), true);
  }

  #publish(connection: Connection, topic: string, payload: Buffer, retain: boolean): void {
    connection.outstanding++;
    // A publish fails only with its connection, which #lost reports: envelopes are repeated by their protocol, the presence by its refresh.
    connection.client.publish(topic, payload, { qos: 1, retain }, () => {
      connection.outstanding--;
    });
  }

  #message(connection: Connection, text: string, payload: Buffer, packet: IPublishPacket): void {
    if (this.#connection !== connection) return;
    const topic = this.#topicOf(text);
    if (topic?.kind === 'host') this.#heardHost(connection, payload);
    else if (topic?.kind === 'up') this.#heardUp(topic.gateway, payload, packet.retain);
    else if (topic?.kind === 'status') this.#heardStatus(topic.gateway, payload);
    else this.#handler?.bad(NO_GATEWAY, 'badField', payload.length);
  }

  /** The same few topics come again and again. */
  #topicOf(text: string): Topic | undefined {
    const known = this.#topics.get(text);
    if (known) return known;
    const topic = parseTopic(text);
    if (topic) this.#topics.set(text, topic);
    return topic;
  }

  #heardUp(gateway: string, payload: Buffer, retained: boolean): void {
    if (retained) this.#handler?.bad(gateway, 'expired', payload.length);
    else if (payload.length === 0) this.#handler?.bad(gateway, 'truncated', 0);
    else if (payload.length > ENVELOPE_BYTES_MAX) this.#handler?.bad(gateway, 'oversize', payload.length);
    else this.#handler?.envelope(gateway, new Uint8Array(payload.buffer, payload.byteOffset, payload.length));
  }

  #heardStatus(gateway: string, payload: Buffer): void {
    const online = parseGatewayPresence(payload);
    if (online === undefined) this.#handler?.bad(gateway, 'badField', payload.length);
    else this.#handler?.presence?.(gateway, online);
  }

  #heardHost(connection: Connection, payload: Buffer): void {
    const presence = parseHostPresence(payload);
    if (!presence && payload.length > 0) this.#handler?.bad(NO_GATEWAY, 'badField', payload.length);
    if (connection.role === 'watch') {
      connection.watch?.heard(presence);
      return;
    }
    const answer = answerAsHost(this.#settings.instanceId, presence);
    if (answer === 'assert' && connection.outstanding < OUTSTANDING_MAX) this.#publishPresence(connection, true);
    if (answer === 'yield' && presence) this.#lost(connection, this.#secondHostText(presence.instance), 'secondHost');
  }

  /** The present connection is of no more use: says why and tries again later. */
  #lost(connection: Connection, cause: string, reason: ErrorName = 'linkClosed'): void {
    if (this.#connection !== connection) return;
    this.#leave(connection);
    const waitMs = this.#backoff.schedule(() => this.#connect('watch'));
    this.#down(reason, `${cause}; next try in ${formatWait(waitMs)}`);
  }

  /** Takes leave of the broker (a DISCONNECT, so that no will is sent) without waiting for it here. */
  #leave(connection: Connection): void {
    this.#connection = undefined;
    connection.watch?.stop();
    connection.refresh?.cancel();
    const { client } = connection;
    const gone = new Promise<void>((resolve) => {
      if (connection.closed) return resolve();
      const impatient = this.#settings.clock.after(CLOSE_WAIT_MS, () => client.stream.destroy());
      client.once('close', () => {
        impatient.cancel();
        resolve();
      });
    });
    client.end(!client.connected);
    this.#leaving.add(gone);
    void gone.then(() => this.#leaving.delete(gone));
  }

  #down(reason: ErrorName, detail: string): void {
    this.#handler?.state({ up: false, reason, detail });
  }

  #secondHostText(by: string): string {
    return `another head-end (${by}) serves network ${this.#settings.network}: stop one of the two`;
  }
}
