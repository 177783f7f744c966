import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { badges, helper, load, received, withNodeRed } from './support/bench.ts';

const TAB = { id: 'tab', type: 'tab', label: 'test' };
const NET = {
  id: 'sim',
  type: 'wattmesh-network',
  connection: 'simulated',
  networkId: 'sim-test',
  layout: 'demo',
  seed: '7',
};
const READINGS = { id: 'readings', type: 'wattmesh-readings', z: 'tab', network: 'sim', wires: [['out'], ['out']] };
const FLOW = [TAB, NET, READINGS, { id: 'out', type: 'helper', z: 'tab' }];

describe('wattmesh-network: simulated', function () {
  this.timeout(60_000);
  withNodeRed();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-simulated-'));
    helper.settings({ userDir: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('runs without any secret, and again after a restart, in a file of its own', async () => {
    for (const start of ['first', 'second']) {
      await load(FLOW, {});
      const out = received('out');
      const { payload, wattmesh } = await out.find(
        `a reading after the ${start} start`,
        (message) => !message.wattmesh.redelivered,
      );
      assert.match(payload.name, /^Flat \d+$/);
      assert.ok(payload.power_w >= 0);
      assert.equal(wattmesh.network, 'sim-test');
      await badges('readings').find('a fine badge', ({ fill }) => fill === 'green');
      assert.equal(helper.getNode('sim').service.condition().state.errors.readingConflict, undefined);
      await helper.unload();
    }
    assert.ok(existsSync(join(folder, 'wattmesh', 'sim-test-simulated-7.sqlite')));
  });
});
