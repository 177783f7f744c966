import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { Observed } from './observed.ts';

export interface PeerMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retained: boolean;
}

/** A plain MQTT client that sees every message of the broker: a gateway, a spy, another head-end. */
export class MqttPeer extends Observed {
  readonly messages: PeerMessage[] = [];
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    super();
    this.#client = client;
  }

  /** Connects and subscribes to everything. It does not reconnect. */
  static async connect(url: string, options: IClientOptions = {}): Promise<MqttPeer> {
    const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
    const peer = new MqttPeer(client);
    client.on('message', (topic, payload, packet) => {
      peer.messages.push({ topic, payload, retained: packet.retain });
      peer.changed();
    });
    await client.subscribeAsync('#', { qos: 1 });
    return peer;
  }

  /** Publishes with QoS 1; resolves when the broker has acknowledged. */
  async publish(topic: string, payload: string | Uint8Array, retain = false): Promise<void> {
    await this.#client.publishAsync(topic, typeof payload === 'string' ? payload : Buffer.from(payload), {
      qos: 1,
      retain,
    });
  }

  /** The payload seen last on a topic, as text. */
  last(topic: string): string | undefined {
    return this.messages.findLast((message) => message.topic === topic)?.payload.toString('latin1');
  }

  /** Breaks the connection as a crash would: the broker publishes the last will. */
  crash(): void {
    this.#client.stream.destroy();
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  protected override summary(): unknown {
    return this.messages.slice(-20).map(({ topic, payload }) => `${topic} ${payload.toString('latin1', 0, 40)}`);
  }
}
