import assert from 'node:assert/strict';
import { PENDING_MAX } from '../../nodes/headend/admissions.ts';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { approveAll, Crowd, heapBytes } from './support/crowd.ts';
import { downPacket, downWith, renumbered, upAckOf, upPacket } from './support/envelopes.ts';
import { LINE, SealedMesh } from './support/sealed-mesh.ts';

/** Packets that come again, or late, by whoever carries them: a gateway, a broker, a relay. The numbers are those of SECURITY.md. */

const WINDOW = 64;
/** Up numbers of the attacker: no gateway of these runs is there. */
const FORGED_NUMBER = 0x1000_0000;

function replays(mesh: SealedMesh): number {
  return mesh.headEnd.state().errors.replay ?? 0;
}

function dropped(mesh: SealedMesh, id: string, reason: keyof typeof errorCodes): number {
  return mesh.drops.get(id)?.get(errorCodes[reason]) ?? 0;
}

async function assertExactlyOnce(mesh: SealedMesh): Promise<void> {
  await mesh.drain(300);
  const { measured, stored, violations } = await mesh.judge();
  assert.deepEqual(violations, []);
  assert.equal(stored, measured);
}

/** Whatever was told after the first `before` messages is new: a poll may have brought rows meanwhile. */
function assertToldOnce(mesh: SealedMesh, before: number): void {
  const ids = mesh.messages.map((message) => message.wattmesh.id);
  const known = new Set(ids.slice(0, before));
  assert.deepEqual(
    ids.slice(before).filter((id) => known.has(id)),
    [],
  );
}

/** Every transport packet of a node that the gateway has brought so far, the oldest first. */
function carried(mesh: SealedMesh, id: string): Uint8Array[] {
  const nodeId = mesh.nodeId(id);
  return mesh.wire.ups.filter((envelope) => {
    const packet = upPacket(envelope)?.packet;
    return packet?.type === 'up' && packet.nodeId === nodeId;
  });
}

/** Gives the head-end these envelopes again, under numbers of their own. */
async function again(mesh: SealedMesh, envelopes: readonly Uint8Array[]): Promise<void> {
  let number = FORGED_NUMBER + mesh.wire.ups.length;
  for (const envelope of envelopes) {
    mesh.wire.toHost(renumbered(envelope, number++));
    await mesh.pass(0.2);
  }
  await mesh.pass(1);
}

describe('attack 5: packets to the head-end come again', function () {
  this.timeout(30_000);

  it('at once: they are counted, and nothing else', async () => {
    const mesh = await SealedMesh.joined();
    let number = FORGED_NUMBER;
    const before = replays(mesh);
    const from = mesh.wire.ups.length;
    mesh.wire.up = (envelope, pass) => {
      pass(envelope);
      if (upPacket(envelope)?.packet.type === 'up') pass(renumbered(envelope, number++));
    };
    await mesh.pass(600);
    mesh.wire.letGo();
    const came = mesh.wire.ups.slice(from).filter((envelope) => upPacket(envelope)?.packet.type === 'up').length;
    assert.ok(came > 60, `${came} packets`);
    assert.equal(replays(mesh) - before, came);
    await assertExactlyOnce(mesh);
  });

  it('after a restart of the head-end, all that it ever got', async () => {
    const mesh = await SealedMesh.joined();
    await mesh.pass(600);
    const recorded = LINE.flatMap((id) => carried(mesh, id));
    mesh.killHeadEnd();
    await mesh.bury();
    await mesh.pass(2);
    await mesh.startHeadEnd();
    await mesh.pass(1);
    const [rows, told, from] = [await mesh.store.count(), mesh.messages.length, mesh.talk.up.length];
    await again(mesh, recorded);
    const opened = mesh.talk.up.slice(from).length;
    assert.ok(opened >= recorded.length, 'all of them verify');
    // Those inside the window are counted; older ones bring rows, which are known by their identity.
    assert.ok(replays(mesh) > 40, `${replays(mesh)} replays`);
    const measured = 2 * Math.ceil((recorded.length * 0.2 + 5) / 20) + 2;
    assert.ok((await mesh.store.count()) - rows <= measured);
    assert.ok(mesh.messages.length - told <= measured);
    await assertExactlyOnce(mesh);
  });

  it('after a rekey, and after another one', async () => {
    const mesh = await SealedMesh.joined();
    await mesh.pass(300);
    const first = carried(mesh, 'm1');
    for (const refused of ['replay', 'notJoined'] as const) {
      await rekey(mesh, 'm1');
      // The first packet of the new session makes it the current one.
      await mesh.pass(30);
      const before = mesh.headEnd.state().errors[refused] ?? 0;
      const told = mesh.messages.length;
      await again(mesh, first.slice(-10));
      assert.equal((mesh.headEnd.state().errors[refused] ?? 0) - before, 10, refused);
      assertToldOnce(mesh, told);
    }
    await assertExactlyOnce(mesh);
  });
});

describe('attack 5: a packet to the head-end comes late', function () {
  this.timeout(30_000);

  for (const late of [WINDOW - 1, WINDOW]) {
    it(`by ${late} others: its rows count once, and ${late < WINDOW ? 'it is taken' : 'nothing else of it does'}`, async () => {
      // Cycles so long that the meter does not send the rows again by itself meanwhile.
      const mesh = await SealedMesh.joined({ intervalS: 20, pollCycleS: 900 });
      const nodeId = mesh.nodeId('m1');
      const held = await holdBack(mesh, nodeId);
      let delivered = false;
      mesh.wire.up = (envelope, pass) => {
        pass(envelope);
        const packet = upPacket(envelope)?.packet;
        if (packet?.type !== 'up' || packet.nodeId !== nodeId || packet.counter !== held.counter + late) return;
        delivered = true;
        pass(renumbered(held.envelope, FORGED_NUMBER));
        pass(renumbered(held.envelope, FORGED_NUMBER + 1));
      };
      const before = replays(mesh);
      const missing = new Set((await mesh.storedSeqs('m1')).concat(0));
      while (!delivered) await pollNow(mesh, nodeId);
      await mesh.pass(1);
      const [row] = held.seqs(mesh);
      assert.ok(row !== undefined && !missing.has(row), 'the packet brought rows that were not there');
      assert.equal((await mesh.storedSeqs('m1')).filter((seq) => seq === row).length, 1);
      assert.equal(replays(mesh) - before, late < WINDOW ? 1 : 0, 'the second copy');
      await mesh.pass(2000);
      await mesh.drain(2000);
      const { measured, stored, violations } = await mesh.judge();
      assert.deepEqual(violations, []);
      assert.equal(stored, measured);
    });
  }
});

describe('attack 5: packets to a node come again, or late', function () {
  this.timeout(30_000);

  it('are refused at once, and after a rekey', async () => {
    const mesh = await SealedMesh.joined();
    await mesh.pass(300);
    const nodeId = mesh.nodeId('m1');
    const downs = mesh.wire.downs.map(downPacket).filter((down) => down?.header.nodeId === nodeId);
    const [last] = downs.slice(-1);
    assert.ok(last);
    const replay = async (): Promise<void> => {
      for (let copy = 0; copy < 5; copy++) {
        mesh.wire.toGateway(downWith(last.packet, copy));
        await mesh.pass(2);
      }
    };
    await replay();
    assert.equal(dropped(mesh, 'm1', 'replay') > 0, true);
    const before = dropped(mesh, 'm1', 'notJoined') + dropped(mesh, 'm1', 'badTag');
    await rekey(mesh, 'm1');
    await replay();
    assert.ok(dropped(mesh, 'm1', 'notJoined') + dropped(mesh, 'm1', 'badTag') > before);
    await assertExactlyOnce(mesh);
  });

  for (const late of [WINDOW - 1, WINDOW]) {
    it(`${late < WINDOW ? 'is taken' : 'is refused'} when it is late by ${late} others`, async () => {
      const mesh = await SealedMesh.joined({ prr: 1 });
      const nodeId = mesh.nodeId('m1');
      const shown: number[] = [];
      mesh.world.observe({ identified: (node, seconds) => node === 'm1' && shown.push(seconds) });
      let held: NonNullable<ReturnType<typeof downPacket>> | undefined;
      let delivered = false;
      mesh.wire.down = (envelope, pass) => {
        const down = downPacket(envelope);
        const isOurs = down?.header.type === 'down' && down.header.nodeId === nodeId;
        if (isOurs && !held) {
          held = down;
          return;
        }
        // The command itself comes again, in other packets: they are what makes it late.
        pass(envelope);
        if (!isOurs || !held || delivered || down.header.counter !== held.header.counter + late) return;
        delivered = true;
        pass(downWith(held.packet, 1));
      };
      // 77 s in one packet only: the one that is held back.
      void mesh.headEnd
        .command({ nodeId, operation: 'identify', args: { seconds: 77 }, timeoutS: 5 })
        .catch(() => undefined);
      await mesh.pass(6);
      assert.ok(held && shown.length === 0);
      while (!delivered) await pollNow(mesh, nodeId);
      await mesh.pass(5);
      assert.deepEqual(shown, late < WINDOW ? [77] : []);
      assert.equal(dropped(mesh, 'm1', 'replay'), late < WINDOW ? 0 : 1);
      await assertExactlyOnce(mesh);
    });
  }
});

describe('attack 6: ten thousand spoofed node ids, then a replay', function () {
  this.timeout(60_000);

  const SPOOFED = 10_000;
  /** Enough to see what each leaves behind. */
  const MORE = 5_000;
  /** What a wave may leave behind: lists of a fixed length, and what the engine keeps of its own. */
  const GROWTH_BYTES_MAX = 500_000;

  it('leave limits, memory and known nodes as they are, and the replay is refused', async () => {
    const mesh = new SealedMesh({ headEnd: { policy: { allowSuiteNone: false, approval: 'operator' } } });
    await mesh.startHeadEnd();
    await approveAll(mesh);
    await mesh.pass(120);
    const recorded = carried(mesh, 'm1').slice(-20);
    const crowd = new Crowd(mesh);
    const heap: number[] = [];
    for (const count of [SPOOFED, MORE, MORE]) {
      await crowd.wave(count);
      const { pendingDevices, nodesKnown } = mesh.headEnd.state();
      assert.equal(pendingDevices, PENDING_MAX, 'the list of those who wait is full, and no longer');
      assert.equal(nodesKnown, LINE.length);
      heap.push(heapBytes());
    }
    const [, second = 0, third = 0] = heap;
    assert.ok(third - second < GROWTH_BYTES_MAX, `${third - second} bytes more after another wave`);

    const before = replays(mesh);
    const told = mesh.messages.length;
    await again(mesh, recorded);
    assert.equal(replays(mesh) - before, recorded.length);
    assertToldOnce(mesh, told);
    for (const id of LINE) assert.equal(mesh.world.device(id).state()?.joined, true, id);
    await assertExactlyOnce(mesh);
  });
});

/** Waits for the next packet with rows of a node, keeps it from the head-end and tells the gateway that it has arrived. */
async function holdBack(mesh: SealedMesh, nodeId: string) {
  let envelope: Uint8Array | undefined;
  mesh.wire.up = (bytes, pass) => {
    const up = upPacket(bytes);
    if (envelope || up?.packet.type !== 'up' || up.packet.nodeId !== nodeId) {
      pass(bytes);
      return;
    }
    envelope = bytes;
    mesh.wire.toGateway(upAckOf(up.number));
  };
  await pollNow(mesh, nodeId, () => envelope !== undefined);
  assert.ok(envelope, 'a packet came');
  const packet = upPacket(envelope)?.packet;
  assert.ok(packet);
  const { counter, session } = packet;
  const seqs = (from: SealedMesh): number[] => {
    const found = from.talk.up.find(
      (each) => each.nodeId === nodeId && each.session === session && each.counter === counter,
    );
    return (found?.sections ?? []).flatMap((section) =>
      section.kind === 'readings' ? section.rows.map((_, index) => section.first + index) : [],
    );
  };
  return { envelope, counter, seqs };
}

/** Has a node send what waits, and waits until it has answered. */
async function pollNow(mesh: SealedMesh, nodeId: string, until: () => boolean = () => false): Promise<void> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  mesh.headEnd.command({ nodeId, operation: 'pollNow', timeoutS: 20 }).then(end, end);
  await mesh.pass(30, () => ended || until());
}

async function rekey(mesh: SealedMesh, id: string): Promise<void> {
  const before = mesh.world.device(id).state()?.session;
  const nodeId = mesh.nodeId(id);
  mesh.headEnd.command({ nodeId, operation: 'rekey' }).catch((error) => mesh.problems.push(error));
  await mesh.pass(90, () => {
    const state = mesh.world.device(id).state();
    return state?.joined === true && state.session !== before;
  });
  assert.notEqual(mesh.world.device(id).state()?.session, before);
}
