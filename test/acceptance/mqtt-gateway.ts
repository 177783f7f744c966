import { connect, type MqttClient } from 'mqtt';
import { formatTopic } from '../../nodes/headend/frame/topics.ts';
import { type FastMesh, GATEWAY, NETWORK } from './mesh.ts';

const RECONNECT_WALL_MS = 100;

/** Connects the simulated gateway with a broker as its Wi-Fi would (PROTOCOL.md, section 7). What is sent without a connection is lost. */
export class MqttGateway {
  readonly #client: MqttClient;

  constructor(mesh: FastMesh, url: string) {
    const topic = (kind: 'up' | 'down' | 'status'): string => formatTopic({ kind, network: NETWORK, gateway: GATEWAY });
    const will = { topic: topic('status'), payload: Buffer.from('offline'), qos: 1, retain: true } as const;
    const client = connect(url, { reconnectPeriod: RECONNECT_WALL_MS, clean: true, resubscribe: false, will });
    this.#client = client;
    // The broker is stopped on purpose: the client reconnects.
    client.on('error', () => undefined);
    client.on('connect', () => {
      client.subscribe(topic('down'), { qos: 1 });
      client.publish(topic('status'), 'online', { qos: 1, retain: true });
    });
    client.on('message', (_topic, payload) => mesh.world.gateway.hostBytes(payload));
    mesh.world.gateway.onHostBytes((envelope) => {
      if (client.connected) client.publish(topic('up'), Buffer.from(envelope), { qos: 1 });
    });
  }

  /** Publishes bytes as an envelope of this gateway; resolves when the broker has taken them. */
  async send(bytes: Uint8Array): Promise<void> {
    const topic = formatTopic({ kind: 'up', network: NETWORK, gateway: GATEWAY });
    await this.#client.publishAsync(topic, Buffer.from(bytes), { qos: 1 });
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
