import type { ErrorName } from '../errors.ts';
import { checkEnvelopeLength, ENVELOPE_BYTES_MAX } from '../frame/slip.ts';
import type { Link, LinkHandler } from './link.ts';

/** A link whose envelopes a Node-RED flow carries: it feeds what it received and sends on what `onSend` hands it. */
export class FlowLink implements Link {
  readonly kind = 'flow';
  readonly #onSend: (gateway: string, envelope: Uint8Array) => void;
  #handler: LinkHandler | undefined;

  /** `onSend` gets each envelope for a gateway; it must not throw. */
  constructor(onSend: (gateway: string, envelope: Uint8Array) => void) {
    this.#onSend = onSend;
  }

  async open(handler: LinkHandler): Promise<void> {
    this.#handler = handler;
    handler.state({ up: true, detail: 'fed by a flow' });
  }

  /** One received envelope; one that is empty or too long is counted as `truncated` or `oversize`. False while the link is closed. */
  feed(gateway: string, envelope: Uint8Array): boolean {
    if (!this.#handler) return false;
    if (envelope.length === 0) this.#handler.bad(gateway, 'truncated', 0);
    else if (envelope.length > ENVELOPE_BYTES_MAX) this.#handler.bad(gateway, 'oversize', envelope.length);
    else this.#handler.envelope(gateway, envelope);
    return true;
  }

  /** Received bytes that held no envelope, as a decoder in the flow found. False while the link is closed. */
  feedBad(gateway: string, reason: ErrorName, length: number): boolean {
    this.#handler?.bad(gateway, reason, length);
    return this.#handler !== undefined;
  }

  send(gateway: string, envelope: Uint8Array): boolean {
    checkEnvelopeLength(envelope);
    if (!this.#handler) return false;
    this.#onSend(gateway, envelope);
    return true;
  }

  async close(): Promise<void> {
    this.#handler = undefined;
  }
}
