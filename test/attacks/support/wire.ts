import type { GatewayPort } from '../../../firmware/simulator/gateway-port.ts';
import type { Link, LinkHandler } from '../../../nodes/headend/link/link.ts';

/** Does something with an envelope on its way: passes it on as often, as late and as altered as it likes, or not at all. */
export type Hand = (envelope: Uint8Array, pass: (envelope: Uint8Array) => void) => void;

const honest: Hand = (envelope, pass) => pass(envelope);

/**
 * The line between a simulated gateway and its host with somebody's hands on it: a gateway, a broker or a cable that lies. It holds no keys.
 */
export class Wire implements Link {
  readonly kind = 'simulated';
  /** Envelopes from the gateway and from the host as they were sent, in order. */
  readonly ups: Uint8Array[] = [];
  readonly downs: Uint8Array[] = [];
  up: Hand = honest;
  down: Hand = honest;
  readonly #port: GatewayPort;
  readonly #gateway: string;
  readonly #arrived: () => void;
  #handler: LinkHandler | undefined;

  /** `arrived`: called after the host was given something. */
  constructor(port: GatewayPort, gateway: string, arrived: () => void) {
    this.#port = port;
    this.#gateway = gateway;
    this.#arrived = arrived;
    port.onHostBytes((envelope) => {
      this.ups.push(envelope);
      this.up(envelope, (bytes) => this.toHost(bytes));
    });
  }

  /** Gives the host an envelope as if the gateway had sent it; lost while no host listens. */
  toHost(envelope: Uint8Array): void {
    this.#handler?.envelope(this.#gateway, envelope);
    this.#arrived();
  }

  /** Gives the gateway an envelope as if its host had sent it. */
  toGateway(envelope: Uint8Array): void {
    this.#port.hostBytes(envelope);
  }

  /** Everybody is honest again. */
  letGo(): void {
    this.up = honest;
    this.down = honest;
  }

  async open(handler: LinkHandler): Promise<void> {
    this.#handler = handler;
    handler.state({ up: true, detail: 'simulated' });
  }

  send(_gateway: string, envelope: Uint8Array): boolean {
    if (!this.#handler) return false;
    this.downs.push(envelope);
    this.down(envelope, (bytes) => this.toGateway(bytes));
    return true;
  }

  async close(): Promise<void> {
    this.#handler = undefined;
  }
}
