import assert from 'node:assert/strict';
import { Flash, PowerCut, SECTOR_BYTES } from '../../firmware/simulator/flash.ts';
import { Random } from '../../firmware/simulator/random.ts';

function read(flash: Flash, address: number, length: number): number[] {
  const out = new Uint8Array(length);
  assert.equal(flash.read(address, out), true);
  return [...out];
}

describe('simulated flash', () => {
  it('is erased at first and takes no memory then', () => {
    const flash = new Flash(110 * SECTOR_BYTES);
    assert.deepEqual(read(flash, SECTOR_BYTES - 2, 4), [0xff, 0xff, 0xff, 0xff]);
    assert.equal(flash.sectorsInUse, 0);
    flash.write(5 * SECTOR_BYTES, Uint8Array.of(1));
    assert.equal(flash.sectorsInUse, 1);
  });

  it('clears bits only until its sector is erased', () => {
    const flash = new Flash(2 * SECTOR_BYTES);
    assert.equal(flash.write(10, Uint8Array.of(0xf0)), true);
    assert.equal(flash.write(10, Uint8Array.of(0x3c)), true);
    assert.deepEqual(read(flash, 10, 1), [0x30]);
    assert.equal(flash.erase(0), true);
    assert.deepEqual(read(flash, 10, 1), [0xff]);
  });

  it('writes and reads across sectors', () => {
    const flash = new Flash(2 * SECTOR_BYTES);
    flash.write(SECTOR_BYTES - 2, Uint8Array.of(1, 2, 3, 4));
    assert.deepEqual(read(flash, SECTOR_BYTES - 3, 6), [0xff, 1, 2, 3, 4, 0xff]);
  });

  it('refuses what lies outside, and an erase that starts at no sector', () => {
    const flash = new Flash(SECTOR_BYTES);
    assert.equal(flash.write(SECTOR_BYTES - 1, Uint8Array.of(1, 2)), false);
    assert.equal(flash.read(-1, new Uint8Array(1)), false);
    assert.equal(flash.erase(1), false);
    assert.equal(flash.erase(SECTOR_BYTES), false);
    assert.equal(flash.operations, 0);
    assert.throws(() => new Flash(1000), RangeError);
  });

  it('loses power at the chosen operation, anywhere within a write', () => {
    const endings = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const flash = new Flash(SECTOR_BYTES);
      flash.cutPowerAt(2, new Random(seed));
      flash.write(0, Uint8Array.of(0x11));
      assert.throws(() => flash.write(8, Uint8Array.of(0, 0, 0)), PowerCut);
      const [first, ...torn] = read(flash, 0, 12);
      assert.equal(first, 0x11);
      assert.deepEqual(torn.slice(0, 7), new Array(7).fill(0xff));
      endings.add(torn.slice(7).join());
      assert.equal(flash.write(20, Uint8Array.of(0)), true, 'works again afterwards');
    }
    assert.ok(
      [...endings].some((ending) => ending.endsWith(',255,255,255')),
      'no more than the first byte was touched',
    );
    assert.ok(endings.has('0,0,0,255'), 'everything was written');
    assert.ok(endings.size > 10, 'and every stage between');
  });

  it('loses power within an erase and leaves something between before and after', () => {
    const flash = new Flash(SECTOR_BYTES);
    flash.write(0, new Uint8Array(SECTOR_BYTES));
    flash.cutPowerAt(1, new Random(3));
    assert.throws(() => flash.erase(0), PowerCut);
    const cells = new Set(read(flash, 0, SECTOR_BYTES));
    assert.deepEqual([...cells].sort(), [0, 255]);
  });
});
