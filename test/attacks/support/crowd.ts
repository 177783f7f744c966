import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fromHex } from '../../../nodes/headend/bytes.ts';
import { encodePacketHeader, type PacketHeader, SUITE_ECC } from '../../../nodes/headend/frame/packet.ts';
import { networkNumber } from '../../../nodes/headend/security/keys.ts';
import { labelText } from '../../../nodes/headend/security/label.ts';
import { ScriptedNode } from '../../headend/support/scripted-node.ts';
import { Attacker } from '../attacker.ts';
import { upWith } from './envelopes.ts';
import { LINE, NETWORK, type SealedMesh } from './sealed-mesh.ts';

/** Up numbers of the crowd: no gateway of these runs is there. */
const FIRST_NUMBER = 0x2000_0000;
/** Devices per wave whose handshakes verify: each costs four key agreements. */
const STRANGERS = 100;
const PACKET_BODY_BYTES = 60;
const M1_BODY_BYTES = 124;

/** Devices that do not exist, thousands at a time, from all sides. */
export class Crowd {
  readonly #mesh: SealedMesh;
  readonly #attacker: Attacker;
  #number = FIRST_NUMBER;
  #spoofed = 0;
  #waves = 0;

  constructor(mesh: SealedMesh) {
    this.#mesh = mesh;
    this.#attacker = new Attacker(mesh.world, NETWORK);
  }

  /**
   * Packets and handshakes of `count` node ids at the head-end, handshakes of strangers that verify, and join frames of the same ids at the hub.
   * None comes a second time.
   */
  async wave(count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => (this.#spoofed++).toString(16).padStart(12, 'e'));
    for (const [index, nodeId] of ids.entries()) {
      this.#up(packet({ type: 'up', nodeId, session: 1 + (index % 255), counter: index }, PACKET_BODY_BYTES));
      this.#up(packet({ type: 'm1', nodeId, session: 0, counter: index }, M1_BODY_BYTES));
      if (index % 100 === 0) await this.#mesh.pass(0.1);
    }
    const { publicKey: headEndKey } = this.#mesh.credentials.identity.staticKey;
    const security = { suite: 'ecc', headEndKey, networkNumber: networkNumber(NETWORK) } as const;
    this.#waves++;
    for (let index = 0; index < STRANGERS; index++) {
      this.#up(new ScriptedNode({ seed: `stranger ${this.#waves} ${index}`, security }).m1());
      await this.#mesh.pass(0.1);
    }
    this.#joinFrames(ids);
    await this.#mesh.pass(count / 1000 + 30);
    // What this test itself remembers of it.
    this.#attacker.recorded.length = 0;
    this.#mesh.wire.downs.length = 0;
  }

  /** One in each millisecond, each from an address of its own. */
  #joinFrames(ids: readonly string[]): void {
    const linkKey = this.#attacker.joinKey(this.#mesh.credentials.identity.staticKey.publicKey);
    this.#attacker.every(1_000, ids.length * 1_000, (index) => {
      const m1 = packet({ type: 'm1', nodeId: ids[index] as string, session: 0, counter: 1 }, M1_BODY_BYTES);
      const from = Uint8Array.of(0x02, 0xee, 0, this.#waves, index >> 8, index);
      const body = { type: 'join', direction: 'up', packet: m1 } as const;
      this.#attacker.forge('h1', from, { body, keyId: 0, counter: index + 1, linkKey });
    });
  }

  #up(bytes: Uint8Array): void {
    this.#mesh.wire.toHost(upWith(bytes, this.#number++));
  }
}

/** The operator lets in whoever is of this mesh, as they come. */
export async function approveAll(mesh: SealedMesh): Promise<void> {
  const ours = new Set<string>();
  for (let round = 0; round < 60 && ours.size < LINE.length; round++) {
    await mesh.pass(5);
    for (const { key, nodeId } of mesh.headEnd.devices.pending()) {
      let failure: unknown = 'no answer';
      const approved = mesh.headEnd.devices.approve({ key: labelText(fromHex(key)) });
      approved.then(
        () => (failure = undefined),
        (error) => (failure = error),
      );
      await mesh.pass(5, () => failure === undefined);
      assert.equal(failure, undefined);
      ours.add(nodeId);
    }
  }
  assert.equal(ours.size, LINE.length);
}

/** Bytes in use after a collection. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

function packet(header: Pick<PacketHeader, 'type' | 'nodeId' | 'session' | 'counter'>, bodyBytes: number): Uint8Array {
  const bytes = encodePacketHeader({ suite: SUITE_ECC, fragment: false, ...header });
  return Uint8Array.from([...bytes, ...new Uint8Array(bodyBytes).fill(7)]);
}
