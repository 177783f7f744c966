import type { Link, LinkHandler } from '../../nodes/headend/link/link.ts';
import type { Schedule } from './schedule.ts';

/** A byte takes so long on a line of 115200 baud with start and stop bit, us. */
const BYTE_US = 10e6 / 115_200;
/** Most bytes handed over at once; longer input goes in portions of this. */
const CHUNK_BYTES_MAX = 1024;

/**
 * The host's side of a simulated gateway: what a serial cable or a broker carries. With a serial gateway it is a byte stream in any
 * portions, otherwise each portion is one envelope. Both directions take the time of a 115200 baud line, in simulated time.
 */
export class GatewayPort {
  readonly #schedule: Schedule;
  readonly #toDevice: (bytes: Uint8Array) => void;
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  readonly #cables = new Set<(plugged: boolean) => void>();
  #upFreeUs = 0;
  #downFreeUs = 0;
  #plugged = true;

  constructor(schedule: Schedule, toDevice: (bytes: Uint8Array) => void) {
    this.#schedule = schedule;
    this.#toDevice = toDevice;
  }

  /** What the gateway sends, from an event of the schedule; lost while nobody listens. Returns the way to stop listening. */
  onHostBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** False: nothing passes in either direction. What is on its way is lost too. */
  get plugged(): boolean {
    return this.#plugged;
  }

  set plugged(plugged: boolean) {
    if (plugged === this.#plugged) return;
    this.#plugged = plugged;
    for (const told of [...this.#cables]) told(plugged);
  }

  /** Calls `told` when the cable is pulled or plugged in. Returns the way to stop that. */
  onPlug(told: (plugged: boolean) => void): () => void {
    this.#cables.add(told);
    return () => void this.#cables.delete(told);
  }

  /** How long the last byte that waits for the line will take, in the direction that is worse, seconds. */
  backlogS(): number {
    return Math.max(0, this.#upFreeUs - this.#schedule.nowUs, this.#downFreeUs - this.#schedule.nowUs) / 1e6;
  }

  /** Sends bytes to the gateway. */
  hostBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES_MAX) {
      const chunk = bytes.slice(at, at + CHUNK_BYTES_MAX);
      this.#downFreeUs = this.#after(this.#downFreeUs, chunk.length);
      this.#schedule.at(this.#downFreeUs, () => this.#plugged && this.#toDevice(chunk));
    }
  }

  /** The gateway's own side: bytes that its firmware hands over. */
  fromDevice(bytes: Uint8Array): void {
    this.#upFreeUs = this.#after(this.#upFreeUs, bytes.length);
    this.#schedule.at(this.#upFreeUs, () => {
      if (!this.#plugged) return;
      for (const listener of [...this.#listeners]) listener(bytes);
    });
  }

  #after(freeUs: number, bytes: number): number {
    return Math.max(freeUs, this.#schedule.nowUs) + Math.ceil(bytes * BYTE_US);
  }
}

/** A link to the gateways of a simulated mesh, whose host links carry whole envelopes. It is up while one of them is plugged in. */
export class GatewayLink implements Link {
  readonly kind = 'simulated';
  readonly #ports: ReadonlyMap<string, GatewayPort>;
  #unsubscribe: (() => void)[] = [];

  /** `ports`: by what each gateway is called on this link. */
  constructor(ports: ReadonlyMap<string, GatewayPort>) {
    this.#ports = ports;
  }

  async open(handler: LinkHandler): Promise<void> {
    const tell = (): void => {
      const up = [...this.#ports.values()].some(({ plugged }) => plugged);
      handler.state({ up, detail: up ? 'simulated' : 'the simulated cable is pulled' });
    };
    this.#unsubscribe = [...this.#ports].flatMap(([name, port]) => [
      port.onHostBytes((bytes) => handler.envelope(name, bytes)),
      port.onPlug(tell),
    ]);
    tell();
  }

  send(gateway: string, envelope: Uint8Array): boolean {
    const port = this.#ports.get(gateway);
    if (this.#unsubscribe.length === 0 || !port?.plugged) return false;
    port.hostBytes(envelope);
    return true;
  }

  async close(): Promise<void> {
    for (const stop of this.#unsubscribe) stop();
    this.#unsubscribe = [];
  }
}
