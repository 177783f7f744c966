import assert from 'node:assert/strict';
import { Random } from '../../firmware/simulator/random.ts';
import { encodePacketHeader, type PacketHeader, SUITE_ECC } from '../../nodes/headend/frame/packet.ts';
import { FRAME_TYPES } from '../../nodes/headend/frame/radio.ts';
import { Attacker } from './attacker.ts';
import { tempting } from './mesh.ts';
import { downPacket, downWith, upPacket } from './support/envelopes.ts';
import { JournaledStore } from './support/journaled-store.ts';
import { LINE, METERS, NETWORK, SealedMesh } from './support/sealed-mesh.ts';

/** What was lost comes back by one rule, which nobody outside can set off. The numbers are those of SECURITY.md. */

const CYCLE_S = 20;
/** A node starts over after so many cycles without an answer to a row (PROTOCOL.md, section 4), and is heard again soon after. */
const SILENT_CYCLES = 4;
const HANDSHAKE_S = 15;
/** From the loss of an answer to the next row, then the rule, then the handshake. */
const HEALED_S = CYCLE_S + SILENT_CYCLES * CYCLE_S + HANDSHAKE_S;
/** Nodes that have nothing to say ask for a sign of life this often. */
const PROBE_S = 3600;
/** A node that finds nobody it can verify looks for a proxy after this time. */
const LOST_KEY_S = 600;

interface Handshakes {
  /** M1 that came since `from`, by device; repeated ones count, unless they are repeated from before. */
  since(from: number): Map<string, Uint8Array[]>;
  readonly now: number;
}

function handshakes(mesh: SealedMesh): Handshakes {
  return {
    since: (from) => {
      const found = new Map<string, Uint8Array[]>();
      const before = new Set(mesh.wire.ups.slice(0, from).map((envelope) => hex(upPacket(envelope)?.item.packet)));
      for (const envelope of mesh.wire.ups.slice(from)) {
        const up = upPacket(envelope);
        const id = up?.packet.type === 'm1' && LINE.find((each) => mesh.nodeId(each) === up.packet.nodeId);
        if (up && id && !before.has(hex(up.item.packet))) found.set(id, [...(found.get(id) ?? []), up.item.packet]);
      }
      return found;
    },
    get now() {
      return mesh.wire.ups.length;
    },
  };
}

function hex(bytes: Uint8Array = new Uint8Array(0)): string {
  return Buffer.from(bytes).toString('hex');
}

function isFor(mesh: SealedMesh, id: string, type: 'm2' | 'down', envelope: Uint8Array): boolean {
  const down = downPacket(envelope);
  return down?.header.type === type && down.header.nodeId === mesh.nodeId(id);
}

async function assertExactlyOnce(mesh: SealedMesh): Promise<void> {
  await mesh.drain(300);
  const { measured, stored, violations } = await mesh.judge();
  assert.deepEqual(violations, []);
  assert.equal(stored, measured);
}

describe('attack 13: a lost acknowledgement', function () {
  this.timeout(30_000);

  it('is made good by the next one: no row comes twice, and nobody starts over', async () => {
    const mesh = await SealedMesh.joined({ prr: 1 });
    await mesh.pass(100);
    const watch = handshakes(mesh);
    const from = watch.now;
    let lost = 0;
    mesh.wire.down = (envelope, pass) => {
      if (lost === 0 && isFor(mesh, 'm1', 'down', envelope)) lost++;
      else pass(envelope);
    };
    const fromS = mesh.nowS;
    await mesh.pass(200);
    assert.equal(lost, 1);
    const rows = mesh.talk.rowsUp(mesh.nodeId('m1'), fromS);
    assert.deepEqual(rows, [...new Set(rows)], 'each row came once');
    assert.equal(watch.since(from).size, 0);
    await assertExactlyOnce(mesh);
  });

  it('of every row for two cycles sets nothing off, for longer it does: all is well within the time', async () => {
    const mesh = await SealedMesh.joined({ prr: 1 });
    await mesh.pass(100);
    const watch = handshakes(mesh);
    const cut = async (seconds: number): Promise<number> => {
      const from = watch.now;
      mesh.wire.down = (envelope, pass) => void (isFor(mesh, 'm1', 'down', envelope) || pass(envelope));
      await mesh.pass(seconds);
      mesh.wire.letGo();
      return from;
    };
    const short = await cut((SILENT_CYCLES - 1) * CYCLE_S);
    await mesh.pass(HEALED_S);
    assert.equal(watch.since(short).size, 0);
    const long = await cut(HEALED_S);
    assert.deepEqual([...watch.since(long).keys()], ['m1']);
    await mesh.pass(CYCLE_S);
    const quiet = watch.now;
    await mesh.pass(300);
    assert.equal(watch.since(quiet).size, 0, 'once');
    await assertExactlyOnce(mesh);
  });
});

describe('attack 13: a lost M2', function () {
  this.timeout(30_000);

  for (const { lost, withinS, what } of [
    { lost: 1, withinS: 8, what: 'the same M1 gets the same M2' },
    { lost: 2, withinS: 20, what: 'the same M1 gets the same M2' },
    { lost: 3, withinS: 110, what: 'another M1 follows after the back-off' },
  ]) {
    it(`${lost} in a row: joined ${withinS} s later at most, ${what}`, async () => {
      const mesh = await SealedMesh.joined({ prr: 1 });
      await mesh.pass(60);
      const watch = handshakes(mesh);
      const from = watch.now;
      let firstLostS = 0;
      const m2: string[] = [];
      mesh.wire.down = (envelope, pass) => {
        if (!isFor(mesh, 'm1', 'm2', envelope)) return pass(envelope);
        m2.push(hex(downPacket(envelope)?.packet));
        if (m2.length === 1) firstLostS = mesh.nowS;
        if (m2.length > lost) pass(envelope);
      };
      mesh.world.apply({ kind: 'powerCut', node: 'm1', atS: 0 });
      assert.ok(await mesh.pass(60, () => m2.length > 0));
      const joined = (): boolean => mesh.world.device('m1').state()?.joined === true;
      assert.ok(await mesh.pass(withinS, joined), `not after ${mesh.nowS - firstLostS} s`);
      const m1 = new Set(watch.since(from).get('m1')?.map(hex));
      assert.equal(m1.size, lost < 3 ? 1 : 2);
      assert.equal(new Set(m2).size, m1.size);
      await mesh.pass(100);
      await assertExactlyOnce(mesh);
    });
  }
});

describe('attack 13: a head-end that has lost all its sessions', function () {
  this.timeout(60_000);

  /** The head-end dies and comes back on an empty store, 5 s later. */
  async function reborn(mesh: SealedMesh): Promise<void> {
    mesh.killHeadEnd();
    await mesh.bury();
    mesh.store = new JournaledStore();
    mesh.messages.length = 0;
    await mesh.pass(5);
    await mesh.startHeadEnd();
  }

  async function assertHealed(mesh: SealedMesh, withinS: number, ids: readonly string[]): Promise<void> {
    const fresh = new Set<string>();
    const from = mesh.talk.up.length;
    const healed = (): boolean => {
      for (const { nodeId } of mesh.talk.up.slice(from)) fresh.add(nodeId);
      return ids.every((id) => fresh.has(mesh.nodeId(id)));
    };
    assert.ok(await mesh.pass(withinS, healed), `heard again: ${fresh.size} of ${ids.length}`);
  }

  it('with its store, but not its keys: meters are back within four cycles, and send all that they hold', async () => {
    const networkKey = { keyId: 4, key: new Uint8Array(16).fill(0x4b) };
    const mesh = await SealedMesh.joined({ headEnd: { networkKey } });
    await mesh.pass(600);
    const rows = await mesh.store.count();
    await reborn(mesh);
    const watch = handshakes(mesh);
    const from = watch.now;
    await assertHealed(mesh, HEALED_S, METERS);
    await mesh.pass(60);
    assert.ok((await mesh.store.count()) > rows, 'rows from before are there again');
    await assertHealed(mesh, PROBE_S + HEALED_S, LINE);
    for (const [id, m1] of watch.since(from)) assert.ok(m1.length <= 2, `${id} said M1 ${m1.length} times`);
    await assertExactlyOnce(mesh);
  });

  it('with the network key too: everybody is back by a proxy, after the hourly probe of the gateway', async () => {
    const mesh = await SealedMesh.joined();
    await mesh.pass(600);
    await reborn(mesh);
    await assertHealed(mesh, PROBE_S + 2 * LOST_KEY_S, LINE);
    await mesh.pass(300);
    await assertExactlyOnce(mesh);
  });

  it('for its clock has not moved on: the nodes go on under their names', async () => {
    const mesh = await SealedMesh.joined();
    await mesh.pass(300);
    const shortIds = METERS.map((id) => mesh.world.device(id).state()?.shortId);
    await mesh.headEnd.stop();
    await mesh.startHeadEnd();
    await mesh.headEnd.stop();
    // Two starts within one second: the epoch is ahead of the clock.
    await mesh.startHeadEnd();
    await assertHealed(mesh, HEALED_S, METERS);
    assert.ok((mesh.headEnd.state().errors.notJoined ?? 0) > 0, 'there was something to heal');
    assert.deepEqual(
      METERS.map((id) => mesh.world.device(id).state()?.shortId),
      shortIds,
    );
    await assertExactlyOnce(mesh);
  });
});

describe('attack 13: whoever has no keys', function () {
  this.timeout(60_000);

  const SECONDS = 600;

  function sessions(mesh: SealedMesh): string {
    return LINE.map((id) => mesh.world.device(id).state()?.session).join();
  }

  it('sets off no handshake from the place of the gateway, whatever it sends down', async () => {
    const mesh = await SealedMesh.joined();
    await mesh.pass(60);
    const watch = handshakes(mesh);
    const [from, before] = [watch.now, sessions(mesh)];
    const random = new Random('forged downlinks');
    let token = 0x4000_0000;
    const forge = (): void => {
      const id = LINE[random.int(LINE.length)] as string;
      mesh.wire.toGateway(downWith(forgedDown(mesh, id, random), token++));
      mesh.world.schedule.at(mesh.world.schedule.nowUs + 500_000, forge);
    };
    forge();
    await mesh.pass(SECONDS);
    assert.equal(watch.since(from).size, 0);
    assert.equal(sessions(mesh), before);
    await assertExactlyOnce(mesh);
  });

  it('sets off no handshake by radio, whatever it sends or repeats', async () => {
    const mesh = new SealedMesh();
    const attacker = new Attacker(mesh.world, NETWORK);
    await mesh.startHeadEnd();
    await mesh.pass(120);
    const recorded = [...attacker.recorded];
    const watch = handshakes(mesh);
    const [from, before] = [watch.now, sessions(mesh)];
    const random = new Random('forged frames');
    const linkKey = attacker.joinKey(mesh.credentials.identity.staticKey.publicKey);
    const types = new Set<number>();
    attacker.every(50_000, SECONDS * 1e6, (index) => {
      const victim = LINE[random.int(LINE.length)] as (typeof LINE)[number];
      const old = recorded[random.int(recorded.length)] as (typeof recorded)[number];
      const sender = mesh.world.device(LINE[random.int(LINE.length)] as string).mac;
      types.add(old.type);
      if (index % 4 === 0) attacker.replay(victim, old);
      else if (index % 4 === 1) mesh.world.device(victim).received(altered(old.frame, random), sender, sender, -20);
      else if (index % 4 === 2) {
        const body = { ...tempting(0xeee0), number: index & 0xff };
        attacker.forge(victim, sender, { body, keyId: index & 0x0f, counter: 0x7000_0000 + index });
      } else {
        const body = { type: 'join', direction: 'down', packet: forgedDown(mesh, victim, random, 'm2') } as const;
        attacker.forge(victim, sender, { body, keyId: 0, counter: index + 1, linkKey });
      }
    });
    await mesh.pass(SECONDS + 60);
    assert.ok(types.has(FRAME_TYPES.routed) && types.has(FRAME_TYPES.data) && types.has(FRAME_TYPES.beacon));
    assert.equal(watch.since(from).size, 0);
    assert.equal(sessions(mesh), before);
    await assertExactlyOnce(mesh);
  });
});

/** A packet for a device that looks right and has no tag that verifies. */
function forgedDown(mesh: SealedMesh, id: string, random: Random, only?: 'm2' | 'down'): Uint8Array {
  const type = only ?? (random.int(2) === 0 ? 'm2' : 'down');
  const header: PacketHeader = {
    type,
    suite: SUITE_ECC,
    fragment: false,
    nodeId: mesh.nodeId(id),
    session: type === 'm2' ? 0 : (mesh.world.device(id).state()?.session ?? 0),
    epoch: random.uint32(),
    counter: type === 'm2' ? 1 + random.int(20) : random.int(1000),
  };
  return Uint8Array.from([...encodePacketHeader(header), ...random.bytes(type === 'm2' ? 88 : 16 + random.int(100))]);
}

function altered(frame: Uint8Array, random: Random): Uint8Array {
  const copy = frame.slice();
  const at = random.int(copy.length);
  copy[at] = (copy[at] as number) ^ (1 << random.int(8));
  return copy;
}
