import type { Radio } from '../radio/radio.ts';
import type { Station } from '../radio/station.ts';
import type { FlowCount } from './flow-count.ts';

/** Packets that wait at a node beside the one that its MAC is sending; more are dropped. */
export const QUEUE_PACKETS_MAX = 32;

const EVERYBODY_MAC = new Uint8Array(6).fill(0xff);

/** A packet on its way, the same object at every hop; the radio carries only its length. */
export interface RawPacket {
  readonly flow: FlowCount;
  readonly offeredUs: number;
  /** How often it was forwarded. */
  readonly hop: number;
}

/** What a node needs of the run it belongs to. */
export interface Surroundings {
  readonly radio: Radio;
  nowUs(): number;
  nodeAt(mac: Uint8Array): RawNode;
  node(id: string): RawNode;
  /** The MAC is done with a packet of this node; a saturated flow offers the next one. */
  concluded(packet: RawPacket): void;
}

/** A node without firmware: a queue before its MAC, and forwarding along the paths of the flows. */
export class RawNode implements Station {
  readonly id: string;
  readonly mac: Uint8Array;
  readonly neverSleeps = true;
  readonly #around: Surroundings;
  readonly #waiting: RawPacket[] = [];
  #sending: RawPacket | undefined;
  #attemptsBefore = 0;
  #collidedBefore = 0;

  constructor(id: string, mac: Uint8Array, around: Surroundings) {
    this.id = id;
    this.mac = mac;
    this.#around = around;
  }

  /** The packet that the MAC is busy with. */
  get sending(): RawPacket | undefined {
    return this.#sending;
  }

  listening(): boolean {
    return true;
  }

  /** Takes a packet into the queue; one that does not fit is dropped. */
  offer(packet: RawPacket): void {
    if (this.#waiting.length >= QUEUE_PACKETS_MAX) {
      packet.flow.queueFull(packet.hop);
      return;
    }
    this.#waiting.push(packet);
    this.#next();
  }

  received(_frame: Uint8Array, from: Uint8Array): void {
    const packet = this.#packetOf(from);
    const { flow, hop } = packet;
    if (flow.addressee(hop) !== undefined && hop + 2 < flow.path.length) this.offer({ ...packet, hop: hop + 1 });
    else flow.delivered(packet.offeredUs, this.#around.nowUs());
  }

  repeated(_frame: Uint8Array, from: Uint8Array): void {
    const { flow, hop } = this.#packetOf(from);
    flow.repeated(hop);
  }

  sent(ok: boolean): void {
    const packet = this.#sending as RawPacket;
    const { attempts, collided } = this.#around.radio.stats(this.id);
    packet.flow.concluded(packet.hop, ok, attempts - this.#attemptsBefore, collided - this.#collidedBefore);
    this.#sending = undefined;
    this.#around.concluded(packet);
    this.#next();
  }

  /** What a neighbour is sending: it waits for the acknowledgement while a receiver learns of its frame. */
  #packetOf(mac: Uint8Array): RawPacket {
    return this.#around.nodeAt(mac).sending as RawPacket;
  }

  #next(): void {
    if (this.#sending !== undefined) return;
    const packet = this.#waiting.shift();
    if (!packet) return;
    const { radio, node } = this.#around;
    const { attempts, collided } = radio.stats(this.id);
    this.#attemptsBefore = attempts;
    this.#collidedBefore = collided;
    this.#sending = packet;
    const to = packet.flow.addressee(packet.hop);
    radio.send(this.id, to === undefined ? EVERYBODY_MAC : node(to).mac, packet.flow.payload);
  }
}
