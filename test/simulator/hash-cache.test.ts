import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { HashCache } from '../../firmware/simulator/hash-cache.ts';
import { Random } from '../../firmware/simulator/random.ts';

describe('remembered hashes', () => {
  it('are those that would be computed, whatever came before', () => {
    const cache = new HashCache();
    const random = new Random(1);
    const inputs: Uint8Array[] = [];
    for (let round = 0; round < 20_000; round++) {
      const known = inputs[random.int(inputs.length + 1)];
      const data = known && random.int(3) > 0 ? known.slice() : random.bytes(random.int(420));
      // Another input with the same end lands in the same place.
      if (random.int(4) === 0 && data.length > 8) data[random.int(data.length - 4)] = random.int(256);
      if (inputs.length < 300) inputs.push(data);
      assert.deepEqual(Buffer.from(cache.sha256(data)), createHash('sha256').update(data).digest());
    }
    assert.ok(cache.hits > 1000 && cache.misses > 1000, `${cache.hits} of ${cache.hits + cache.misses}`);
  });

  it('do not depend on the caller keeping its input', () => {
    const cache = new HashCache();
    const data = new Uint8Array(100);
    const first = Buffer.from(cache.sha256(data));
    data[0] = 1;
    assert.notDeepEqual(Buffer.from(cache.sha256(data)), first);
  });
});
