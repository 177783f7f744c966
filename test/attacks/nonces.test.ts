import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { Random } from '../../firmware/simulator/random.ts';
import type { World } from '../../firmware/simulator/world.ts';
import { JsonlStore } from '../../nodes/headend/store/jsonl.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import { installedDrivers } from '../headend/store-drivers.ts';
import { sampleGroup, sampleRow, sampleSession, scratchFolder } from '../headend/store-samples.ts';
import { LINE, SealedMesh } from './support/sealed-mesh.ts';
import { Wire } from './support/wire.ts';

/** No key is ever used twice with one nonce, whatever fails. The numbers are those of SECURITY.md. */

/** Lives of a device, each a write or send longer than the one before. */
const LIVES = 24;
/** A life in which that many seconds went by without another write has no more of them. */
const CALM_S = 400;
const INTERVAL_S = 10;
/** Whoever was not answered for long asks again within this time (PROTOCOL.md, section 4). */
const BACK_OFF_S = 3600;

const drivers = await installedDrivers();

/** Frames under a link counter that is not above its transmitter's last one. */
function linkCounterFaults(world: World): string[] {
  const last = new Map<string, number>();
  const faults: string[] = [];
  world.radio.observe(({ kind, attempt, from, bytes }) => {
    if (kind !== 'data' || attempt !== 1 || !bytes) return;
    const counter = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2, true);
    if (counter <= (last.get(from) ?? -1)) faults.push(`${from} used link counter ${counter} after ${last.get(from)}`);
    last.set(from, counter);
  });
  return faults;
}

/** Lets everybody come back, everything arrive, and judges the whole run. */
async function assertWhole(mesh: SealedMesh, what: string, healS = 900): Promise<void> {
  await mesh.pass(healS);
  await mesh.drain(300);
  const { measured, stored, violations } = await mesh.judge();
  assert.deepEqual(violations, [], what);
  assert.equal(stored, measured, `${what}: rows`);
  assert.deepEqual(mesh.problems, [], what);
  const spoken = [mesh.talk.up.length, mesh.talk.down.length];
  assert.ok(Math.min(...spoken) > 30, `${what}: ${spoken} packets up and down`);
}

describe('attack 7: power cuts', function () {
  this.timeout(60_000);

  for (const id of LINE) {
    it(`uses no nonce twice when power fails at each NV operation of ${id}, from its first boot on`, async () => {
      const mesh = new SealedMesh({ intervalS: INTERVAL_S, pollCycleS: INTERVAL_S });
      const { world } = mesh;
      const faults = linkCounterFaults(world);
      const { flash } = world.device(id);
      const random = new Random(`cuts of ${id}`);
      let cuts = 0;
      world.observe({ power: (node, on) => on || node !== id || cuts++ });
      await mesh.startHeadEnd();
      for (let operation = 1; operation <= LIVES; operation++) {
        flash.cutPowerAt(operation, random);
        const before = cuts;
        if (!(await mesh.pass(CALM_S, () => cuts > before))) break;
      }
      flash.cutPowerAt(Number.POSITIVE_INFINITY, random);
      assert.ok(cuts >= 4, `${cuts} cuts`);
      await assertWhole(mesh, `${cuts} cuts`);
      assert.deepEqual(faults, []);
    });

    it(`uses no nonce twice when power fails between any two sends of ${id}`, async () => {
      const mesh = new SealedMesh({ intervalS: INTERVAL_S, pollCycleS: INTERVAL_S });
      const { world } = mesh;
      const faults = linkCounterFaults(world);
      let sends = 0;
      let cutAfter = 1;
      const sent = (): void => {
        if (++sends !== cutAfter) return;
        world.schedule.at(world.schedule.nowUs, () => world.apply({ kind: 'powerCut', node: id, atS: 0 }));
      };
      world.radio.observe(({ kind, attempt, from }) => kind === 'data' && attempt === 1 && from === id && sent());
      if (id === 'gw') world.gateway.onHostBytes(sent);
      await mesh.startHeadEnd();
      for (; cutAfter <= 2 * LIVES; cutAfter++) {
        sends = 0;
        assert.ok(await mesh.pass(CALM_S, () => sends >= cutAfter), `send ${cutAfter}`);
      }
      await assertWhole(mesh, id);
      assert.deepEqual(faults, []);
    });
  }

  it('uses no nonce twice when the head-end is killed at each of its steps', async () => {
    for (const pauseS of [2.5, 0.2]) {
      const mesh = await SealedMesh.joined({ intervalS: INTERVAL_S, pollCycleS: INTERVAL_S });
      await mesh.headEnd.stop();
      let steps = 0;
      let killAt = 1;
      const step = (): void => {
        if (++steps === killAt) mesh.killHeadEnd();
      };
      mesh.store.committed = step;
      mesh.wire.down = (envelope, pass) => {
        pass(envelope);
        step();
      };
      for (; killAt <= 3 * LIVES; killAt++) {
        steps = 0;
        await mesh.startHeadEnd();
        assert.ok(await mesh.pass(CALM_S, () => steps >= killAt), `step ${killAt}`);
        await mesh.pass(pauseS);
        await mesh.bury();
      }
      killAt = Number.POSITIVE_INFINITY;
      await mesh.startHeadEnd();
      await assertWhole(mesh, `after a pause of ${pauseS} s`, BACK_OFF_S);
    }
  });
});

describe('attack 7: a store restored from a backup', function () {
  this.timeout(60_000);

  /** Seconds between the backup and its restoring, and whether the nodes have new sessions by then. */
  const cases = [
    { ageS: 300, rekeyed: false },
    { ageS: 300, rekeyed: true },
    { ageS: 3600, rekeyed: false },
  ];
  for (const { ageS, rekeyed } of cases) {
    const sessions = rekeyed ? 'new sessions' : 'the same sessions';
    it(`uses no nonce twice and loses nothing: ${ageS} s old, ${sessions}`, async () => {
      const mesh = await SealedMesh.joined({ intervalS: INTERVAL_S, pollCycleS: INTERVAL_S });
      await mesh.pass(120);
      const { moment } = mesh.store;
      const told = mesh.messages.length;
      const before = await mesh.store.count();
      await mesh.pass(ageS);
      if (rekeyed) await rekeyAll(mesh);
      const lost = (await mesh.store.count()) - before;
      assert.ok(lost >= (2 * ageS) / INTERVAL_S - 5, `${lost} rows are in no store any more`);
      mesh.killHeadEnd();
      await mesh.bury();
      mesh.store = await mesh.store.backup(moment);
      // Messages out of a store that is no more count for nothing: their rows come again and are told again.
      mesh.messages.length = told;
      await mesh.pass(2);
      await mesh.startHeadEnd();
      await assertWhole(mesh, sessions);
    });
  }
});

describe('attack 7: two head-ends', function () {
  this.timeout(30_000);

  it('are one: the second is refused by the lease', async () => {
    const mesh = await SealedMesh.joined();
    const { headEnd } = mesh.makeHeadEnd();
    await assert.rejects(headEnd.start(), { reason: 'storeLocked' });
    await mesh.pass(300);
    await assertWhole(mesh, 'beside a second one');
  });

  it('use no nonce twice when the lease is stolen and both hear and answer everything', async () => {
    const mesh = await SealedMesh.joined({ intervalS: INTERVAL_S, pollCycleS: INTERVAL_S });
    const second = new Wire(mesh.world.gateway, 'gw', () => mesh.touch());
    await mesh.store.close();
    const { headEnd: thief, life } = mesh.makeHeadEnd({}, second);
    await thief.start();
    await mesh.pass(60);
    await rekeyAll(mesh, thief);
    mesh.world.apply({ kind: 'powerCut', node: 'm2', atS: 0 });
    await mesh.pass(600);
    assert.deepEqual(mesh.nonces.violations, []);
    const epochs = new Set(mesh.talk.down.map(({ epoch }) => epoch));
    assert.equal(epochs.size, 2, 'both speak');
    life.end();
    mesh.killHeadEnd();
    await mesh.bury();
    await mesh.pass(2);
    await mesh.startHeadEnd();
    await mesh.pass(900);
    await mesh.drain(300);
    const { measured, stored, violations } = await mesh.judge();
    assert.equal(stored, measured);
    assert.deepEqual(
      violations.filter(({ what }) => !what.startsWith('message')),
      [],
    );
  });

  for (const driver of drivers) {
    it(`cannot both write: who takes the epoch last owns the file (${driver})`, async () => {
      const folder = scratchFolder();
      const file = folder.file('net.sqlite');
      const stores = [1, 2, 3].map(() => new SqliteStore({ file, driver }));
      const [first, thief, late] = stores as [SqliteStore, SqliteStore, SqliteStore];
      try {
        await first.open();
        const epoch = await first.takeEpoch(1000);
        await first.commit(sampleGroup([sampleRow(1)]));
        for (const store of [thief, late]) {
          rmSync(`${file}-lease`);
          await store.open();
        }
        assert.equal(await thief.takeEpoch(1000), epoch + 1);
        await assert.rejects(late.takeEpoch(1000), { reason: 'storeFailed', message: /epoch was changed/ });
        for (const fenced of [first, late]) {
          const group = sampleGroup([], { sessions: [sampleSession()] });
          await assert.rejects(fenced.commit(group), { reason: 'storeLocked', message: /taken it over/ });
        }
        await thief.commit(sampleGroup([sampleRow(2)]));
        assert.equal(await thief.count(), 2);
      } finally {
        for (const store of stores) await store.close();
        folder.remove();
      }
    });
  }

  it('cannot both write: who has written last owns the file (JSONL)', async () => {
    const folder = scratchFolder();
    const file = folder.file('net.jsonl');
    const [first, thief] = [new JsonlStore({ file }), new JsonlStore({ file })];
    try {
      await first.open();
      await first.takeEpoch(1000);
      rmSync(`${file}.lock`);
      await thief.open();
      assert.equal(await thief.takeEpoch(1000), 1001);
      await assert.rejects(first.commit(sampleGroup([sampleRow(1)])), {
        reason: 'storeFailed',
        message: /has written/,
      });
      await thief.commit(sampleGroup([sampleRow(2)]));
      assert.equal(await thief.count(), 1);
    } finally {
      await first.close();
      await thief.close();
      folder.remove();
    }
  });
});

/** Has every node make a new session. */
async function rekeyAll(mesh: SealedMesh, headEnd = mesh.headEnd): Promise<void> {
  for (const id of LINE) {
    const nodeId = mesh.nodeId(id);
    let outcome: string | null | undefined;
    const ended = headEnd.command({ nodeId, operation: 'rekey' }).then(({ payload }) => {
      outcome = payload.outcome;
    });
    assert.ok(await mesh.pass(90, () => outcome !== undefined), `${id} answers`);
    await ended;
    assert.equal(outcome, 'done');
  }
  await mesh.pass(60);
}
