import { Random } from '../../../firmware/simulator/random.ts';
import { encodePacketHeader } from '../../../nodes/headend/frame/packet.ts';
import { downPacket, downWith, renumbered, upAckOf, upPacket } from './envelopes.ts';
import type { SealedMesh } from './sealed-mesh.ts';

/** Downlinks that it keeps to send them later, and again. */
const KEPT_MAX = 32;
/** It holds nothing back for longer than this, s: a hub would have given up by then. */
const DELAY_S_MAX = 7200;
/** Up numbers and tokens of its own. */
const FORGED_NUMBER = 0x5000_0000;
/** Of what comes up: told to be safe with the host and thrown away; brought late; brought twice. */
const UP = { swallowed: 0.2, late: 0.15, twice: 0.15 };
/** Of what goes down: thrown away, late, twice, altered, and an acknowledgement of its own beside it. */
const DOWN = { dropped: 0.35, late: 0.2, twice: 0.1, altered: 0.1, forged: 0.25 };

/** A gateway that does to acknowledgements, and to what is to be acknowledged, whatever can be done without the keys. */
export class LyingGateway {
  /** How often it did each of these. */
  readonly done = { swallowed: 0, late: 0, twice: 0, dropped: 0, altered: 0, forged: 0 };
  /** While true it lets nothing down at all. */
  mute = false;
  readonly #mesh: SealedMesh;
  readonly #random: Random;
  readonly #kept: Uint8Array[] = [];
  #number = FORGED_NUMBER;

  constructor(mesh: SealedMesh, seed: string) {
    this.#mesh = mesh;
    this.#random = new Random(seed);
    mesh.wire.up = (envelope, pass) => this.#up(envelope, pass);
    mesh.wire.down = (envelope, pass) => this.#down(envelope, pass);
  }

  #up(envelope: Uint8Array, pass: (envelope: Uint8Array) => void): void {
    const up = upPacket(envelope);
    const dice = this.#random.float();
    if (!up) pass(envelope);
    else if (dice < UP.swallowed) this.#swallow(up.number);
    else if (dice < UP.swallowed + UP.late) {
      // The firmware behind it must not send it again by itself.
      this.#mesh.wire.toGateway(upAckOf(up.number));
      this.#later(() => pass(renumbered(envelope, this.#number++)));
    } else {
      pass(envelope);
      if (dice > 1 - UP.twice) this.#twice(() => pass(renumbered(envelope, this.#number++)));
    }
  }

  #swallow(number: number): void {
    this.done.swallowed++;
    this.#mesh.wire.toGateway(upAckOf(number));
  }

  #down(envelope: Uint8Array, pass: (envelope: Uint8Array) => void): void {
    const down = downPacket(envelope);
    if (!down) {
      pass(envelope);
      return;
    }
    if (this.mute) {
      this.done.dropped++;
      return;
    }
    this.#kept.push(down.packet);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    if (this.#random.float() < DOWN.forged) this.#forge(down.packet);
    const dice = this.#random.float();
    if (dice < DOWN.dropped) this.done.dropped++;
    else if (dice < DOWN.dropped + DOWN.late) this.#later(() => this.#send(down.packet));
    else if (dice < DOWN.dropped + DOWN.late + DOWN.altered) this.#send(this.#altered(down.packet));
    else {
      pass(envelope);
      if (dice > 1 - DOWN.twice)
        this.#twice(() => this.#send(this.#kept[this.#random.int(this.#kept.length)] as Uint8Array));
    }
  }

  /** An acknowledgement for the same node under the next counters and epochs, with a tag out of thin air. */
  #forge(packet: Uint8Array): void {
    const like = downPacket(downWith(packet, 0))?.header;
    if (like?.type !== 'down') return;
    this.done.forged++;
    const epoch = (like.epoch ?? 0) + this.#random.int(3);
    const header = encodePacketHeader({ ...like, epoch, counter: like.counter + this.#random.int(100) });
    this.#send(Uint8Array.from([...header, ...this.#random.bytes(packet.length - header.length)]));
  }

  #altered(packet: Uint8Array): Uint8Array {
    this.done.altered++;
    const copy = packet.slice();
    const at = this.#random.int(copy.length);
    copy[at] = (copy[at] as number) ^ (1 << this.#random.int(8));
    return copy;
  }

  #twice(act: () => void): void {
    this.done.twice++;
    act();
  }

  #later(act: () => void): void {
    this.done.late++;
    const { schedule } = this.#mesh.world;
    schedule.at(schedule.nowUs + Math.round(this.#random.float() * DELAY_S_MAX * 1e6), act);
  }

  #send(packet: Uint8Array): void {
    this.#mesh.wire.toGateway(downWith(packet, this.#number++));
  }
}
