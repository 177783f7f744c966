import assert from 'node:assert/strict';
import { type ErrorName, errorCodes } from '../../nodes/headend/errors.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { StoreKey } from '../../nodes/headend/security/store-key.ts';
import { providers } from '../headend/support/security-vectors.ts';
import { Field } from './support/field.ts';
import { damage, imageOf, logPart, putImage, RECORDS, recordSlots } from './support/flash-image.ts';
import type { FaultyRandom } from './support/handled-firmware.ts';

/** A source of randomness that is stuck. The number is that of SECURITY.md. */

const FAULTS: Readonly<Record<string, FaultyRandom>> = {
  zeros: (length) => new Uint8Array(length),
  'one byte': (length) => new Uint8Array(length).fill(0xa5),
  'the same bytes with each call': (length) => Uint8Array.from({ length }, (_, index) => (index * 37 + 11) & 0xff),
  'two bytes in turn': (length) => Uint8Array.from({ length }, (_, index) => (index % 2 === 0 ? 0x12 : 0x34)),
};

function says(field: Field, id: string, error: ErrorName): boolean {
  return field.drops.get(id)?.has(errorCodes[error]) ?? false;
}

function secure(field: Field): void {
  assert.deepEqual(field.nonces.violations, []);
  assert.equal(field.headEnd.state().errors.readingConflict, undefined);
}

/** All rows but the last few, which may be under way. */
async function rowsArrived(field: Field, id: string): Promise<void> {
  const stored = await field.stored(field.nodeId(id));
  const rows = (field.measured.get(id) ?? []).slice(0, -4);
  assert.ok(rows.length > 5);
  for (const { logId, seq } of rows) {
    assert.ok(
      stored.some((row) => row.logId === logId && row.seq === seq),
      `row ${seq}`,
    );
  }
}

describe('attack 26: the source of randomness of a device is stuck', () => {
  it('from the start: the device makes no key, says why, and makes one once it works', async () => {
    const field = await Field.joined({ off: ['m2'] });
    const device = field.world.device('m2');
    for (const fault of Object.values(FAULTS)) {
      field.firmware.setRandom(device.mac, fault);
      assert.throws(() => device.powerOn(), { reason: 'randomStuck' });
      assert.equal(device.on, false);
      assert.deepEqual(recordSlots(imageOf(device.flash), RECORDS.identity), []);
    }
    field.firmware.setRandom(device.mac, undefined);
    field.world.apply({ kind: 'revive', node: 'm2', atS: 0 });
    assert.ok(await field.pass(120, () => field.isJoined('m2')));
    assert.equal(field.headEnd.state().nodesKnown, 3);
    assert.deepEqual(field.problems, []);
    secure(field);
  });

  for (const [name, fault] of Object.entries(FAULTS)) {
    it(`from some moment on (${name}): no key comes twice, no row is lost, and it says so`, async function () {
      this.timeout(60_000);
      const field = await Field.joined();
      for (const { mac } of field.world.devices) field.firmware.setRandom(mac, fault);
      const nodeId = field.nodeId('m2');
      for (let boot = 0; boot < 5; boot++) {
        for (const id of ['m1', 'm2', ...(boot === 2 ? ['gw'] : [])]) field.whileOff(id, () => undefined);
        assert.ok(await field.pass(300, () => ['gw', 'm1', 'm2'].every((id) => field.isJoined(id))), `boot ${boot}`);
        await field.pass(30);
      }
      const rekeyed = field.headEnd.command({ nodeId, operation: 'rekey' });
      await field.pass(60);
      assert.equal((await rekeyed).payload.outcome, 'done');
      assert.ok(field.nonces.seals > 100);
      for (const id of ['gw', 'm1', 'm2']) assert.ok(says(field, id, 'randomStuck'), id);
      await rowsArrived(field, 'm2');
      assert.deepEqual(field.problems, []);
      secure(field);
    });
  }

  it('while logs are begun again: each has an id of its own, so that no row is taken for another', async function () {
    this.timeout(60_000);
    const field = await Field.joined();
    const { flash, mac } = field.world.device('m2');
    field.firmware.setRandom(mac, FAULTS['one byte']);
    const ids = new Set<string | undefined>();
    for (let boot = 0; boot < 4; boot++) {
      field.whileOff('m2', () => {
        const image = imageOf(flash);
        damage(image, 'zeroed', logPart(image));
        putImage(flash, image, logPart(image).at);
      });
      assert.ok(await field.pass(200, () => field.isJoined('m2')));
      await field.pass(60);
      ids.add(field.measured.get('m2')?.at(-1)?.logId);
    }
    assert.equal(ids.size, 4);
    assert.deepEqual(field.problems, []);
    secure(field);
  });
});

describe("attack 26: the head-end's source of randomness is stuck", () => {
  /** Its random bytes, as long as `fault` is not set. */
  function breakable(field: Field) {
    let fault: FaultyRandom | undefined;
    const { provider } = field.credentials;
    const draw = (length: number): Uint8Array => fault?.(length) ?? provider.randomBytes(length);
    const change = {
      random: draw,
      provider: field.nonces.watched({ ...provider, randomBytes: draw }, 'head-end', () => field.nowS),
    };
    const setFault = (next: FaultyRandom | undefined): void => {
      fault = next;
    };
    return { change, setFault };
  }

  it('from the start: it does not start, whichever generator it is', async () => {
    for (const fault of Object.values(FAULTS)) {
      const field = new Field();
      const { provider } = field.credentials;
      await assert.rejects(field.startHeadEnd({ random: fault }), { reason: 'randomStuck' });
      const stuck: CryptoProvider = { ...provider, randomBytes: fault };
      await assert.rejects(field.startHeadEnd({ provider: stuck }), { reason: 'randomStuck' });
      assert.equal((await field.store.open()).secrets.length, 0, 'and has made no key');
    }
  });

  for (const [name, fault] of Object.entries(FAULTS)) {
    it(`from some moment on (${name}): no key is made of it, readings go on, and it says so`, async function () {
      this.timeout(60_000);
      const field = new Field({ off: ['m2'] });
      const { change, setFault } = breakable(field);
      await field.startHeadEnd(change);
      await field.pass(60);
      assert.ok(field.isJoined('m1'));
      setFault(fault);
      field.world.apply({ kind: 'revive', node: 'm2', atS: 0 });
      await field.pass(120);
      assert.equal(field.isJoined('m2'), false);
      const revoked = field.headEnd.devices.revoke({ nodeId: field.nodeId('m1') });
      const refused = assert.rejects(revoked, { reason: 'randomStuck' });
      await field.pass(5);
      await refused;
      const { errors, warnings } = field.headEnd.state();
      assert.ok((errors.randomStuck ?? 0) > 0);
      assert.ok(warnings.some((line) => line.includes('random generator is stuck')));
      await rowsArrived(field, 'm1');
      setFault(undefined);
      assert.ok(await field.pass(1200, () => field.isJoined('m2')), 'joins once the generator works');
      assert.deepEqual(field.problems, []);
      secure(field);
    });
  }

  it('costs the key table no nonce, even if nobody noticed', () => {
    for (const provider of providers) {
      for (const fault of Object.values(FAULTS)) {
        const storeKey = new StoreKey({ ...provider, randomBytes: fault }, new Uint8Array(32).fill(9));
        const texts = Array.from({ length: 50 }, (_, index) => new Uint8Array(64).fill(index));
        const nonces = texts.flatMap((text) =>
          ['one', 'other'].map((row) => Buffer.from(storeKey.seal(row, text).slice(1, 13)).toString('hex')),
        );
        assert.equal(new Set(nonces).size, 100);
      }
    }
  });
});
