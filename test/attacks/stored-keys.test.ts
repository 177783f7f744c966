import assert from 'node:assert/strict';
import { publicKeyOf, RECORD } from '../../firmware/simulator/provision.ts';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { Keyring } from '../../nodes/headend/keyring.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import { labelDigits, labelText } from '../../nodes/headend/security/label.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { StoreKey } from '../../nodes/headend/security/store-key.ts';
import type { StoredState } from '../../nodes/headend/store/store.ts';
import { Bench, ecc, secured } from '../headend/support/bench.ts';
import { FakeLink } from '../headend/support/fake-link.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { JOINED_S, LINE } from './mesh.ts';
import { Plant } from './support/plant.ts';
import { appendRecord } from './support/records.ts';

/** Attack 15: a stored key replaced without the operator. The numbers are those of SECURITY.md. */

const OTHER_SECRET = new Uint8Array(32).fill(0x77);
const psk = new Uint8Array(32).fill(0xc5);

/** Approves whoever asks until all have joined. */
async function approveAll(plant: Plant): Promise<void> {
  const { devices } = plant.bench.headEnd;
  for (let round = 0; round < 20 && !LINE.every((id) => plant.joined(id)); round++) {
    await plant.pass(10);
    for (const { key } of devices.pending()) {
      const approved = devices.approve({ key: labelText(fromHex(key)) });
      await plant.pass(1);
      await approved;
    }
  }
  for (const id of LINE) assert.equal(plant.joined(id), true, id);
}

describe("attack 15: a device's stored key replaced", () => {
  it('makes it another device, which waits for the operator and says nothing in the name of the first', async () => {
    const plant = await Plant.started({ policy: { approval: 'operator' } });
    const { world, bench } = plant;
    const { headEnd, store } = bench;
    await approveAll(plant);
    await plant.pass(120);
    const trueId = plant.nodeId('m2');
    const rowsOf = async () => (await store.readings({})).filter(({ key }) => nodeIdOf(fromHex(key)) === trueId).length;
    world.powerOff('m2');
    await plant.pass(30);
    const rows = await rowsOf();
    assert.ok(rows > 3, `${rows} rows`);
    appendRecord(world.device('m2').flash, RECORD.identity, OTHER_SECRET);
    world.powerOn('m2');
    await plant.pass(900);
    const otherKey = publicKeyOf(OTHER_SECRET);
    const otherId = nodeIdOf(otherKey);
    assert.equal(plant.nodeId('m2'), otherId);
    assert.equal(plant.joined('m2'), false);
    const [waiting] = headEnd.devices.pending();
    assert.deepEqual([waiting?.nodeId, waiting?.key], [otherId, toHex(otherKey)]);
    assert.equal(await rowsOf(), rows);
    const known = headEnd.status().payload.nodes.find(({ nodeId }) => nodeId === trueId);
    assert.equal(known?.status, 'offline');
    // It goes on at the same metering point once the operator has put it there.
    const [one, other] = waiting?.asked ?? assert.fail('no digits are asked for');
    const label = labelDigits(otherKey);
    const digits = `${label[one - 1]} ${label[other - 1]}`;
    const exchanged = headEnd.devices.exchange(known?.meter ?? '', { nodeId: otherId, digits });
    await plant.pass(JOINED_S);
    await exchanged;
    await plant.pass(4000);
    assert.equal(plant.joined('m2'), true);
    assert.equal(await rowsOf(), rows);
    const later = bench.messages.filter(({ wattmesh }) => wattmesh.nodeId === otherId);
    assert.ok(later.length > 3 && later.every(({ payload }) => payload.meter === known?.meter));
  }).timeout(20_000);
});

/** Starts a head-end anew on the store of another one, as it is after somebody has changed it. */
async function startOn(
  bench: Bench,
  change: (state: StoredState) => Partial<StoredState>,
  options = secured(),
): Promise<Bench> {
  const { store, clock } = bench;
  const open = store.open;
  store.open = async () => {
    const state = await open.call(store);
    return { ...state, ...change(state) };
  };
  clock.advance(2000);
  const next = new Bench({ ...options, store, clock, link: new FakeLink() });
  try {
    await next.headEnd.start();
  } finally {
    store.open = open;
  }
  return next;
}

describe("attack 15: a key replaced in the head-end's store", () => {
  const [one, other] = ['one', 'other'].map((seed) => new ScriptedNode({ seed, security: ecc })) as [
    ScriptedNode,
    ScriptedNode,
  ];
  const thief = new ScriptedNode({ seed: 'thief', security: ecc });
  const operated = secured({ approval: 'operator' });
  let bench: Bench;
  beforeEach(async () => {
    const list = [one, other].map(({ keyHex }) => `${keyHex},,,${toHex(psk)}`).join('\n');
    bench = await Bench.started({ ...operated, preloaded: list });
    for (const node of [one, other]) await bench.joinAndSpeak(node);
    await bench.headEnd.stop();
  });

  /** The store as it was is still good. */
  async function assertUnharmed(): Promise<void> {
    const next = await startOn(bench, () => ({}), operated);
    next.up(one.up([one.readings(1, 1)]), { route: [one.shortId] });
    await next.run(1000);
    assert.equal(next.readings.length, 1);
    assert.deepEqual(next.headEnd.state().warnings, []);
  }

  const foreign = new Keyring(new StoreKey(nodeProvider, new Uint8Array(32).fill(0x55)));
  const moves: [string, (state: StoredState) => Partial<StoredState>][] = [
    [
      'the session keys of two devices, swapped',
      ({ sessions }) => ({
        sessions: sessions.map((session, index) => {
          return { ...session, sealedKeys: sessions[(index + 1) % sessions.length]?.sealedKeys ?? '' };
        }),
      }),
    ],
    [
      "a session that was given to another device's key",
      ({ sessions }) => ({ sessions: sessions.map((session) => ({ ...session, key: thief.keyHex })) }),
    ],
    [
      'a PSK under another name',
      ({ secrets }) => ({
        secrets: secrets.map((secret) =>
          secret.name === `psk/${one.keyHex}` ? { ...secret, name: `psk/${thief.keyHex}` } : secret,
        ),
      }),
    ],
    [
      'a PSK sealed under another store key',
      ({ secrets }) => ({ secrets: [...secrets, foreign.sealPsk(thief.keyHex, psk)] }),
    ],
    [
      'an approval under another name',
      ({ secrets }) => ({
        secrets: secrets.map((secret) =>
          secret.name === `approved/${one.keyHex}` ? { ...secret, name: `approved/${thief.keyHex}` } : secret,
        ),
      }),
    ],
  ];
  for (const [what, change] of moves) {
    it(`keeps the head-end from starting: ${what}`, async () => {
      await assert.rejects(startOn(bench, change, operated), { reason: 'badTag', message: /recovery file/ });
      await assertUnharmed();
    });
  }

  it('lets nobody in who only stands there as approved, and says so', async () => {
    const record = ({ admissions }: StoredState) => admissions.find(({ key }) => key === one.keyHex);
    const next = await startOn(
      bench,
      (state) => {
        const approved = record(state) ?? assert.fail('the device is not listed');
        const forged = { ...approved, key: thief.keyHex, nodeId: thief.nodeId };
        return { admissions: [...state.admissions, forged] };
      },
      operated,
    );
    next.up(thief.m1());
    await next.run(100);
    assert.equal(next.downs(thief, 'm2').length, 0, 'it gets no network key');
    assert.deepEqual(
      next.headEnd.devices.pending().map(({ nodeId }) => nodeId),
      [thief.nodeId],
    );
    assert.ok(next.headEnd.state().warnings.some((line) => /1 devices stand in the store as approved/.test(line)));
    await next.join(one);
    await next.headEnd.stop();
  });

  it("does not let a thief in under a device's name, and counts the device itself as a conflict", async () => {
    const swap = <Row extends { key: string }>(rows: readonly Row[]): Row[] =>
      rows.map((row) => (row.key === one.keyHex ? { ...row, key: thief.keyHex } : row));
    const next = await startOn(
      bench,
      ({ nodes, admissions, sessions }) => ({
        nodes: swap(nodes),
        admissions: swap(admissions),
        sessions: sessions.filter(({ key }) => key !== one.keyHex),
      }),
      operated,
    );
    next.up(thief.m1());
    next.up(one.m1());
    await next.run(100);
    assert.deepEqual([next.downs(thief, 'm2').length, next.downs(one, 'm2').length], [0, 0]);
    assert.equal(next.errors().idConflict, 1);
    assert.deepEqual(
      next.headEnd.devices.pending().map(({ nodeId }) => nodeId),
      [thief.nodeId],
    );
    assert.ok(next.headEnd.state().warnings.some((line) => /node id that another key holds/.test(line)));
    await next.headEnd.stop();
  });
});
