import assert from 'node:assert/strict';
import { Random } from '../../firmware/simulator/random.ts';

const draws = (random: Random, n = 8): number[] => Array.from({ length: n }, () => random.uint32());

describe('random', () => {
  it('gives the same numbers for the same seed, number or string, on every machine', () => {
    assert.deepEqual(draws(new Random(7)), draws(new Random('7')));
    assert.notDeepEqual(draws(new Random(7)), draws(new Random(8)));
    assert.deepEqual(draws(new Random(1), 3), [1437514603, 2752549740, 3607064732]);
  });

  it('forks by name alone, whatever was drawn or forked before', () => {
    const a = new Random('seed');
    const b = new Random('seed');
    draws(a);
    a.fork('other');
    assert.deepEqual(draws(a.fork('radio')), draws(b.fork('radio')));
    assert.notDeepEqual(draws(b.fork('radio')), draws(b.fork('load')));
    assert.notDeepEqual(draws(b.fork('x').fork('y')), draws(b.fork('y').fork('x')));
  });

  it('is uniform over its range', () => {
    const random = new Random('uniform');
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.int(10)] = (counts[random.int(10)] as number) + 1;
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${count} of 10000`);
    for (let i = 0; i < 1000; i++) assert.ok(random.float() < 1);
    assert.throws(() => random.int(0), RangeError);
    assert.throws(() => random.int(1.5), RangeError);
  });

  it('draws normal values with the asked mean and deviation', () => {
    const random = new Random('normal');
    const values = Array.from({ length: 50_000 }, () => random.normal(5, 2));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(mean - 5) < 0.05, `mean ${mean}`);
    assert.ok(Math.abs(Math.sqrt(variance) - 2) < 0.05, `deviation ${Math.sqrt(variance)}`);
  });

  it('fills bytes with all values', () => {
    const bytes = new Random('bytes').bytes(20_000);
    assert.equal(bytes.length, 20_000);
    assert.equal(new Set(bytes).size, 256);
  });
});
