import {
  decodeHostEnvelope,
  type Envelope,
  encodeGatewayEnvelope,
  type HostEnvelope,
} from '../../../nodes/headend/frame/envelope.ts';
import type { Link, LinkHandler } from '../../../nodes/headend/link/link.ts';

/** What the head-end sent, as the gateway reads it. */
export interface Sent {
  readonly gateway: string;
  readonly envelope: HostEnvelope;
}

type Of<Type extends HostEnvelope['type']> = Extract<HostEnvelope, { type: Type }>;

/** A link that hands over at once and remembers everything. */
export class FakeLink implements Link {
  readonly kind = 'simulated';
  readonly sent: Sent[] = [];
  /** Gateways that cannot be sent to. */
  readonly unreachable = new Set<string>();
  closed = false;
  #handler: LinkHandler | undefined;

  async open(handler: LinkHandler): Promise<void> {
    this.#handler = handler;
    handler.state({ up: true, detail: 'fake' });
  }

  send(gateway: string, envelope: Uint8Array): boolean {
    if (this.unreachable.has(gateway)) return false;
    this.sent.push({ gateway, envelope: decodeHostEnvelope(envelope) });
    return true;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  get handler(): LinkHandler {
    if (!this.#handler) throw new Error('the link is not open');
    return this.#handler;
  }

  deliver(gateway: string, envelope: Envelope): void {
    this.handler.envelope(gateway, encodeGatewayEnvelope(envelope));
  }

  /** Envelopes of one type sent so far, to one gateway or to all. */
  all<Type extends HostEnvelope['type']>(type: Type, gateway?: string): Of<Type>[] {
    return this.sent
      .filter((each) => gateway === undefined || each.gateway === gateway)
      .map((each) => each.envelope)
      .filter((envelope): envelope is Of<Type> => envelope.type === type);
  }

  /** Up numbers acknowledged so far. */
  acknowledged(gateway?: string): number[] {
    return this.all('upAck', gateway).flatMap(({ numbers }) => numbers);
  }
}
