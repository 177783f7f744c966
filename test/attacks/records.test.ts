import assert from 'node:assert/strict';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { labelText } from '../../nodes/headend/security/label.ts';
import { Field } from './support/field.ts';
import {
  DAMAGES,
  type Damage,
  damage,
  imageOf,
  logHeader,
  logPart,
  logRow,
  logSector,
  numberIn,
  type Place,
  putImage,
  RECORDS,
  recordHeaders,
  recordSlots,
} from './support/flash-image.ts';

/** Records in a meter's flash that are damaged or set back. The number is that of SECURITY.md. */

const INTERVAL_S = 10;
/** Handshakes of a device whose number is one behind wait for one round and its back-off. */
const REJOIN_S = 200;
const KINDS = Object.keys(DAMAGES) as Damage[];
const SLOTS_PER_SECTOR = 102;

async function rowsArrive(field: Field, id: string, seconds: number): Promise<void> {
  const before = (await field.stored(field.nodeId(id))).length;
  await field.pass(seconds);
  const came = (await field.stored(field.nodeId(id))).length - before;
  assert.ok(came >= seconds / INTERVAL_S - 2, `${came} rows of ${id} in ${seconds} s`);
}

/** Every row that the meter measured is stored with its content, but for the seqs in `lost`. It measures no more. */
async function nothingElseIsLost(field: Field, id: string, lost: readonly number[] = []): Promise<void> {
  field.world.stopMeasuring();
  await field.pass(60);
  const stored = new Map((await field.stored(field.nodeId(id))).map((row) => [`${row.logId}:${row.seq}`, row]));
  const measured = field.measured.get(id) ?? [];
  assert.ok(measured.length > 5);
  for (const row of measured) {
    const held = stored.get(`${row.logId}:${row.seq}`);
    if (lost.includes(row.seq)) continue;
    assert.ok(held, `row ${row.seq} of ${id} is missing`);
    const { key: _, ...content } = held;
    assert.deepEqual(content, row);
  }
}

function noHarm(field: Field): void {
  assert.deepEqual(field.nonces.violations, []);
  assert.deepEqual(field.problems, []);
  assert.equal(field.headEnd.state().errors.readingConflict, undefined);
}

describe('attack 8: damaged records in the flash of a meter', () => {
  it('cost no key, no row and no number that was used, whichever of them is corrupted or zeroed', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const { flash } = field.world.device('m2');
    const nodeId = field.nodeId('m2');
    for (const name of ['networkKey', 'handshake', 'linkCounter', 'bootCount', 'logId'] as const) {
      for (const kind of KINDS) {
        for (const howMany of ['newest', 'all'] as const) {
          // Without any number it would take long to catch up: that is a case of its own.
          if (name === 'handshake' && howMany === 'all') continue;
          const before = highest(field, 'linkCounter');
          field.whileOff('m2', () => {
            const image = imageOf(flash);
            const slots = recordSlots(image, RECORDS[name]);
            assert.ok(slots.length > 0, name);
            damage(image, kind, ...(howMany === 'newest' ? slots.slice(-1) : slots));
            putImage(flash, image);
          });
          const what = `${name} ${kind}, ${howMany}`;
          assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')), what);
          assert.equal(field.nodeId('m2'), nodeId, what);
          await rowsArrive(field, 'm2', 40);
          // Neighbours that know a higher number challenge a device that has forgotten all of its own: it is heard again.
          const forgotten = name === 'linkCounter' && howMany === 'all';
          assert.ok(forgotten || highest(field, 'linkCounter') > before, what);
        }
      }
    }
    await nothingElseIsLost(field, 'm2');
    noHarm(field);
  });

  it('are made up for when a header of the journal is gone', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const { flash } = field.world.device('m2');
    const nodeId = field.nodeId('m2');
    for (const kind of KINDS) {
      for (const header of [0, 1, 0]) {
        field.whileOff('m2', () => {
          const image = imageOf(flash);
          damage(image, kind, recordHeaders()[header] as Place);
          putImage(flash, image);
        });
        assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')), `${kind}, header ${header}`);
        assert.equal(field.nodeId('m2'), nodeId);
      }
    }
    await field.pass(30);
    await nothingElseIsLost(field, 'm2');
    noHarm(field);
  });

  it('set back as a whole are caught up with: the meter joins, under numbers that were not used', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const { flash } = field.world.device('m2');
    const early = imageOf(flash);
    // A handshake after each of these.
    for (let boot = 0; boot < 8; boot++) {
      field.whileOff('m2', () => undefined);
      assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')));
      await field.pass(10);
    }
    const used = highest(field, 'handshake');
    field.whileOff('m2', () => putImage(flash, early, 0, logPart(early).at));
    assert.ok(await field.pass(3600, () => field.isJoined('m2')), 'joins within the hour');
    assert.ok(highest(field, 'handshake') > used);
    assert.ok((field.headEnd.state().errors.staleHandshake ?? 0) > 0);
    await rowsArrive(field, 'm2', 60);
    await nothingElseIsLost(field, 'm2');
    noHarm(field);
  });

  it('without the key make another device of it, which the operator sees, and whose rows come once it is let in', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const { flash } = field.world.device('m2');
    const before = field.nodeId('m2');
    const rows = (await field.stored(before)).length;
    await field.headEnd.stop();
    await field.startHeadEnd({ policy: { allowSuiteNone: false, approval: 'operator' } });
    field.whileOff('m2', () => {
      const image = imageOf(flash);
      damage(image, 'zeroed', ...recordSlots(image, RECORDS.identity));
      putImage(flash, image);
    });
    await field.pass(60);
    const after = field.nodeId('m2');
    assert.notEqual(after, before);
    assert.equal(field.headEnd.state().pendingDevices, 1);
    const pending = field.headEnd.devices.list().find(({ state }) => state === 'pending');
    assert.equal(pending?.nodeId, after);
    assert.equal((await field.stored(before)).length, rows, 'nobody adds to the rows of the former device');
    const approved = field.headEnd.devices.approve({ key: labelText(fromHex(pending?.key ?? '')) });
    await field.pass(1);
    await approved;
    assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m2')));
    await field.pass(60);
    // Its log outlived the key: whatever it measured comes, under the key that it has now.
    const { length } = (field.measured.get('m2') ?? []).slice(0, -3);
    assert.ok((await field.stored(after)).length >= length);
    noHarm(field);
  });
});

describe('attack 8: a damaged log in the flash of a meter', () => {
  const ROWS = 230;

  /** A meter with rows in three sectors that nobody has yet, and the first seq of those. */
  async function withRows(): Promise<{ field: Field; waitingFrom: number }> {
    const field = await Field.joined({ intervalS: 1, meters: ['m1'] });
    const waitingFrom = (await field.stored(field.nodeId('m1'))).length + 1;
    field.world.apply({ kind: 'partition', nodes: ['m1'], atS: 0 });
    await field.pass(ROWS);
    return { field, waitingFrom };
  }

  async function afterDamage(field: Field, change: (image: Uint8Array) => void): Promise<void> {
    const { flash } = field.world.device('m1');
    field.whileOff('m1', () => {
      const image = imageOf(flash);
      change(image);
      putImage(flash, image);
    });
    field.world.apply({ kind: 'heal', atS: 0 });
    assert.ok(await field.pass(REJOIN_S, () => field.isJoined('m1')));
    await field.pass(90);
  }

  for (const kind of KINDS) {
    it(`costs the rows that are ${kind} and no others, and says so`, async function () {
      this.timeout(60_000);
      const { field, waitingFrom } = await withRows();
      // Delivered already; in the middle; a whole run of them; the last but one of a sector.
      const seqs = [3, 60, 61, 62, SLOTS_PER_SECTOR - 1, 150];
      await afterDamage(field, (image) => {
        for (const seq of seqs) {
          const index = seq - 1;
          damage(image, kind, logRow(Math.floor(index / SLOTS_PER_SECTOR), index % SLOTS_PER_SECTOR));
        }
      });
      const lost = seqs.filter((seq) => seq >= waitingFrom);
      assert.ok(lost.length >= 4 && lost.length < seqs.length, `${waitingFrom}`);
      const warnings = field.headEnd.state().warnings.filter((line) => line.includes('has lost'));
      assert.equal(warnings.length, 1, warnings.join());
      assert.match(warnings[0] ?? '', new RegExp(` has lost ${lost.length} readings `));
      // Nobody waits for them: what is measured now goes out at once, and nothing twice.
      const sent = field.world.device('m1').state()?.counters.framesSent ?? 0;
      await field.pass(60);
      const frames = (field.world.device('m1').state()?.counters.framesSent ?? 0) - sent;
      assert.ok(frames < 60, `${frames} frames in a minute`);
      await nothingElseIsLost(field, 'm1', seqs);
      noHarm(field);
    });

    it(`costs nothing when a sector's header is ${kind}`, async function () {
      this.timeout(60_000);
      for (const sector of [0, 1, 2]) {
        const { field } = await withRows();
        await afterDamage(field, (image) => damage(image, kind, logHeader(sector)));
        await nothingElseIsLost(field, 'm1');
        noHarm(field);
      }
    });
  }

  it('costs only the sector that is garbage', async function () {
    this.timeout(60_000);
    const { field, waitingFrom } = await withRows();
    await afterDamage(field, (image) => damage(image, 'corrupted', logSector(0)));
    const first = Array.from({ length: SLOTS_PER_SECTOR }, (_, index) => index + 1);
    await nothingElseIsLost(field, 'm1', first);
    const stored = await field.stored(field.nodeId('m1'));
    assert.equal(stored.filter(({ seq }) => seq <= SLOTS_PER_SECTOR).length, waitingFrom - 1);
    noHarm(field);
  });

  it('begins another log when all of it is gone', async function () {
    this.timeout(60_000);
    const { field } = await withRows();
    const logId = field.measured.get('m1')?.at(-1)?.logId;
    await afterDamage(field, (image) => damage(image, 'zeroed', logPart(image)));
    const now = field.measured.get('m1')?.at(-1);
    assert.notEqual(now?.logId, logId);
    assert.ok((now?.seq ?? 0) < ROWS);
    const stored = await field.stored(field.nodeId('m1'));
    assert.ok(stored.some((row) => row.logId === now?.logId && row.seq === 1));
    noHarm(field);
  });

  it('set back goes on under seqs that were not used, and what is measured meanwhile is kept', async function () {
    this.timeout(60_000);
    const field = await Field.joined({ intervalS: 1, meters: ['m1'] });
    const { flash } = field.world.device('m1');
    const early = imageOf(flash);
    await field.pass(120);
    const before = await field.stored(field.nodeId('m1'));
    const used = Math.max(...before.map(({ seq }) => seq));
    field.whileOff('m1', () => putImage(flash, early, logPart(early).at));
    const atUtcMs = field.world.utcMs();
    await field.pass(120);
    const after = (await field.stored(field.nodeId('m1'))).filter(({ measuredAtMs }) => measuredAtMs > atUtcMs);
    assert.ok(after.length > 100, `${after.length} rows`);
    assert.ok(
      after.every(({ seq }) => seq > used),
      'no seq comes again',
    );
    const moments = (field.measured.get('m1') ?? []).map(({ measuredAtMs }) => measuredAtMs);
    const measured = new Set(moments.filter((moment) => moment > atUtcMs && moment < field.world.utcMs() - 15_000));
    const stored = new Set(after.map(({ measuredAtMs }) => measuredAtMs));
    for (const moment of measured) assert.ok(stored.has(moment), `the row of ${new Date(moment).toISOString()}`);
    assert.ok(measured.size > 90);
    noHarm(field);
  });
});

/** The highest number of one kind in the flash of m2. */
function highest(field: Field, name: 'handshake' | 'linkCounter'): number {
  const image = imageOf(field.world.device('m2').flash);
  return Math.max(...recordSlots(image, RECORDS[name]).map((slot) => numberIn(image, slot)));
}
