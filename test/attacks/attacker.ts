import { createHmac, hkdfSync } from 'node:crypto';
import type { World } from '../../firmware/simulator/world.ts';
import {
  BROADCAST,
  encodeFrameBody,
  encodeFrameUnsealed,
  type FrameBody,
  type FrameType,
  sealFrame,
} from '../../nodes/headend/frame/radio.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';

const LINK_KEY_BYTES = 16;
/** Stronger than anybody else. */
const RSSI_DBM = -20;
const FRAME_TYPE_BITS = 0x0f;

/** A frame as it was on air. */
export interface Recorded {
  readonly from: string;
  /** Id of the addressed device, or 'broadcast'. */
  readonly to: string;
  /** Number of the frame type (PROTOCOL.md, section 2). */
  readonly type: number;
  readonly frame: Uint8Array;
}

export interface Forgery {
  readonly body: FrameBody;
  readonly keyId: number;
  readonly counter: number;
  /** 16 bytes; default: zeros, so that the MAC is wrong. */
  readonly linkKey?: Uint8Array;
  /** The bytes of the body, where no encoder would make them; default: those of `body`. */
  readonly bytes?: Uint8Array;
}

/**
 * Somebody with a transmitter in the middle of the mesh, who hears every frame and is heard by whom it wants to, under any MAC address and
 * without a collision: stronger than any real one. It knows what is public (network id, the head-end's public key), and no network key.
 */
export class Attacker {
  readonly recorded: Recorded[] = [];
  readonly #world: World;
  readonly #network: string;

  constructor(world: World, network: string) {
    this.#world = world;
    this.#network = network;
    world.radio.observe(({ kind, attempt, from, to, bytes }) => {
      if (kind !== 'data' || attempt !== 1 || !bytes) return;
      this.recorded.push({ from, to, type: (bytes[0] ?? 0) & FRAME_TYPE_BITS, frame: bytes.slice() });
    });
  }

  /** K_link of the join key, which is no secret. */
  joinKey(headEndKey: Uint8Array): Uint8Array {
    return this.#linkKey('wattmesh join', headEndKey, 0);
  }

  /** K_link of a network key, for those attacks that assume that one is known. */
  networkLinkKey(networkKey: Uint8Array, keyId: number): Uint8Array {
    return this.#linkKey('wattmesh link', networkKey, keyId);
  }

  /** Makes a frame and lets a device hear it, at once; `broadcast`: as a frame for everybody. */
  forge(victim: string, from: Uint8Array, forgery: Forgery, broadcast = forgery.body.type === 'beacon'): void {
    const { body, keyId, counter, linkKey = new Uint8Array(LINK_KEY_BYTES), bytes = encodeFrameBody(body) } = forgery;
    const to = broadcast ? BROADCAST : this.#world.device(victim).mac;
    const unsealed = encodeFrameUnsealed({ type: body.type as FrameType, keyId, counter, body: bytes });
    const context = { transmitter: from, receiver: to, networkNumber: networkNumber(this.#network) };
    const frame = sealFrame(unsealed, context, (message) => createHmac('sha256', linkKey).update(message).digest());
    this.#world.device(victim).received(frame, from, to, RSSI_DBM);
  }

  /** Lets a device hear a recorded frame again, from the address that it came from. */
  replay(victim: string, { from, to, frame }: Recorded): void {
    const receiver = to === 'broadcast' ? BROADCAST : this.#world.device(to).mac;
    this.#world.device(victim).received(frame, this.#world.device(from).mac, receiver, RSSI_DBM);
  }

  /** What a device could have heard: broadcasts, and frames for it alone. */
  heardBy(victim: string): Recorded[] {
    return this.recorded.filter(({ from, to }) => from !== victim && (to === 'broadcast' || to === victim));
  }

  /** Does something every `periodUs` from now on, for `durationUs`, while the world runs. */
  every(periodUs: number, durationUs: number, act: (index: number) => void): void {
    const { schedule } = this.#world;
    const startUs = schedule.nowUs;
    for (let index = 0; (index + 1) * periodUs <= durationUs; index++) {
      schedule.at(startUs + (index + 1) * periodUs, () => act(index));
    }
  }

  #linkKey(label: string, secret: Uint8Array, keyId: number): Uint8Array {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(networkNumber(this.#network));
    const info = Buffer.concat([Buffer.from(label), number, Uint8Array.of(keyId)]);
    return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), info, LINK_KEY_BYTES));
  }
}
