import assert from 'node:assert/strict';
import { DeviceClock } from '../../firmware/simulator/device-clock.ts';
import { Random } from '../../firmware/simulator/random.ts';

const NONE = { crystalPpm: 0, rcPercent: 0, callbackJitterMs: 0 };

describe('clock of a device', () => {
  it('is true without errors', () => {
    const clock = new DeviceClock(NONE, 'mains', new Random(1));
    assert.equal(clock.local(123_456_789), 123_456_789);
    assert.equal(clock.whenLocal(5e12 + 1), 5e12 + 1);
    assert.equal(clock.whenLocal(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
    assert.equal(clock.callbackDelayUs(), 0);
  });

  it('draws each device an error of its own within the bounds of its kind', () => {
    const errors = { crystalPpm: 20, rcPercent: 5, callbackJitterMs: 0 };
    const rates = (energy: 'mains' | 'battery') =>
      Array.from({ length: 200 }, (_, seed) => new DeviceClock(errors, energy, new Random(seed)).rate - 1);
    for (const [energy, bound] of [
      ['mains', 20e-6],
      ['battery', 0.05],
    ] as const) {
      const drawn = rates(energy);
      assert.ok(drawn.every((error) => Math.abs(error) <= bound));
      assert.ok(Math.min(...drawn) < -0.9 * bound && Math.max(...drawn) > 0.9 * bound);
    }
  });

  it('finds the first moment at which the local time has come', () => {
    const random = new Random(3);
    for (let round = 0; round < 2000; round++) {
      const clock = new DeviceClock({ ...NONE, rcPercent: 5 }, 'battery', random.fork(`${round}`));
      const localUs = random.int(2 ** 32) * (1 + random.int(1000));
      const trueUs = clock.whenLocal(localUs);
      assert.ok(clock.local(trueUs) >= localUs, `${localUs} at ${clock.rate}`);
      assert.ok(clock.local(trueUs - 2) < localUs, `${localUs} at ${clock.rate}`);
    }
  });

  it('delays callbacks by up to the jitter', () => {
    const clock = new DeviceClock({ ...NONE, callbackJitterMs: 2 }, 'mains', new Random(1));
    const delays = Array.from({ length: 500 }, () => clock.callbackDelayUs());
    assert.ok(Math.min(...delays) < 50 && Math.max(...delays) > 1950 && Math.max(...delays) <= 2000);
  });
});
