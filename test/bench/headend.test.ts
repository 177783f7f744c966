import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repoRoot } from '../support/root.ts';
import { needTool } from '../support/tools.ts';

const BENCH = join(repoRoot(), 'tools', 'bench.js');
const METERS = 500;

function bench(...args: string[]) {
  return spawnSync(process.execPath, [BENCH, ...args], { encoding: 'utf8' });
}

describe('npm run bench -- headend', () => {
  it('finds every row in the store exactly once and prints one JSON object with every figure', function () {
    needTool(this, 'mosquitto');
    this.timeout(120_000);
    const { status, stdout, stderr } = bench('headend', '--json', '--quick');
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    assert.equal(result.meters, METERS);
    const { handshakes, open, decode, store, bytesToStore, bytesToStore4Rows, mqttToStore } = result;
    for (const stage of [handshakes, open, decode, store, bytesToStore, bytesToStore4Rows, mqttToStore]) {
      for (const name of ['perSecond', 'best', 'ceilingPerSecond', 'ratio']) assert.ok(stage[name] > 0, name);
    }
    for (const { frames, rowsPerFrame = 1, storedRows } of [bytesToStore, bytesToStore4Rows, mqttToStore]) {
      assert.equal(storedRows, frames * rowsPerFrame);
    }
    const { receivePerSecond, openPerSecond, ceilingPerSecond } = mqttToStore;
    assert.ok(ceilingPerSecond <= receivePerSecond && ceilingPerSecond <= openPerSecond);
  });

  it('says how it is used', () => {
    for (const args of [[], ['constructor'], ['headend', '--fast']]) {
      const { status, stderr } = bench(...args);
      assert.equal(status, 2);
      assert.match(stderr, /npm run bench/);
    }
  });
});
