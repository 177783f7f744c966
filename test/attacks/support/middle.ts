import {
  decodeGatewayEnvelope,
  decodeHostEnvelope,
  encodeGatewayEnvelope,
  encodeHostEnvelope,
} from '../../../nodes/headend/frame/envelope.ts';
import type { Link, LinkHandler } from '../../../nodes/headend/link/link.ts';

/** What becomes of a packet on its way: whatever is handed to `pass`, as often as it is, at any time. */
export type Way = (packet: Uint8Array, pass: (packet: Uint8Array) => void) => void;

/** Made-up numbers of envelopes, out of the way of true ones. */
const FORGED_FROM = 0xf000_0000;

/** Somebody on the line between a gateway and its head-end, who may alter, keep, repeat and add end-to-end packets in both directions. */
export class Middle implements Link {
  readonly kind = 'simulated';
  up: Way = (packet, pass) => pass(packet);
  down: Way = (packet, pass) => pass(packet);
  readonly #link: Link;
  #forged = FORGED_FROM;
  #handler: LinkHandler | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  async open(handler: LinkHandler): Promise<void> {
    this.#handler = handler;
    await this.#link.open({ ...handler, envelope: (gateway, bytes) => this.#up(handler, gateway, bytes) });
  }

  send(gateway: string, bytes: Uint8Array): boolean {
    const envelope = decodeHostEnvelope(bytes);
    if (envelope.type !== 'down') return this.#link.send(gateway, bytes);
    this.down(envelope.packet, (packet) => {
      const token = packet === envelope.packet ? envelope.token : this.#forged++;
      this.#link.send(gateway, encodeHostEnvelope({ ...envelope, token, packet }));
    });
    return true;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Bytes to the head-end as if they came from a gateway. */
  inject(gateway: string, bytes: Uint8Array): void {
    this.#handler?.envelope(gateway, bytes);
  }

  #up(handler: LinkHandler, gateway: string, bytes: Uint8Array): void {
    const envelope = decodeGatewayEnvelope(bytes);
    if (envelope.type !== 'up' || envelope.item.packet.length === 0) {
      handler.envelope(gateway, bytes);
      return;
    }
    const { item } = envelope;
    this.up(item.packet, (packet) => {
      const number = packet === item.packet ? envelope.number : this.#forged++;
      handler.envelope(gateway, encodeGatewayEnvelope({ ...envelope, number, item: { ...item, packet } }));
    });
  }
}
