import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repoRoot } from '../support/root.ts';

describe('npm run bench -- headend', () => {
  it('prints one JSON object with every figure', function () {
    this.timeout(180_000);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(repoRoot(), 'tools', 'bench.js'), 'headend', '--json', '--quick'],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    for (const stage of [
      result.handshakes,
      result.stages.open,
      result.stages.decode,
      result.store,
      result.bytesToStore,
    ]) {
      assert.ok(stage.perSecond > 0);
    }
    assert.deepEqual(result.bytesToStore.errors, {}, 'every frame was taken');
    assert.ok(result.mqtt.skipped || result.mqtt.ratio > 0);
  });

  it('says how it is used', () => {
    for (const args of [[], ['constructor'], ['headend', '--fast']]) {
      const { status, stderr } = spawnSync(process.execPath, [join(repoRoot(), 'tools', 'bench.js'), ...args], {
        encoding: 'utf8',
      });
      assert.equal(status, 2);
      assert.match(stderr, /npm run bench/);
    }
  });
});
