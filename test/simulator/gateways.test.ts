import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { GatewayLink } from '../../firmware/simulator/gateway-port.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { World } from '../../firmware/simulator/world.ts';
import { HeadEndBench, NETWORK } from './head-end-bench.ts';

const METERS = 6;
const READINGS = { measured: METERS * 60, delivered: METERS * 60, duplicates: 0, lost: 0, pending: 0 };

/** Two gateways with a hub each and meters between them, so that every meter has a way to both. */
function between(faults: readonly object[], mode = 'collection') {
  const pairs = [
    ['gw1', 'h1'],
    ['gw2', 'h2'],
    ['h1', 'm1'],
    ['h1', 'm2'],
    ['h2', 'm3'],
    ['h2', 'm4'],
    ['m1', 'm3'],
    ['m2', 'm4'],
    ['m1', 'm5'],
    ['m3', 'm6'],
    ['m5', 'm6'],
  ];
  // Across the middle the links are so poor that the other side is dearer by more than a parent is left for.
  const across = new Set(['m1m3', 'm2m4', 'm5m6']);
  const links = pairs.flatMap(([a, b]) => {
    const prr = across.has(`${a}${b}`) ? 0.7 : 0.9;
    return [
      { from: a, to: b, prr },
      { from: b, to: a, prr },
    ];
  });
  const ids = ['gw1', 'gw2', 'h1', 'h2', ...Array.from({ length: METERS }, (_, index) => `m${index + 1}`)];
  const roles: Record<string, string> = { g: 'gateway', h: 'hub', m: 'meter' };
  const nodes = ids.map((id) => ({ id, role: roles[id.charAt(0)] }));
  const mesh = { mode, suite: 'noise', pollCycleS: 30 };
  return parseScenario({ durationS: 2100, warmupS: 300, nodes, links, mesh, reading: { intervalS: 30 }, faults });
}

async function play(faults: readonly object[], mode?: string) {
  return simulate({ scenario: between(faults, mode), firmware: loadFirmware(), seed: 2 });
}

describe('two gateways', function () {
  this.timeout(60_000);

  it('share the meters: each reports over the nearer one, until that is gone', async () => {
    const scenario = { ...between([{ atS: 600, kill: 'gw2' }]), suite: 'none' as const };
    const world = new World({ scenario, firmware: loadFirmware(), seed: 2, network: NETWORK });
    const bench = new HeadEndBench(world, new GatewayLink(world.gateways));
    await bench.headEnd.start();
    const gatewaysNow = (): Map<string, string> => {
      const nodeIds = new Map(world.devices.map((device) => [device.state()?.nodeId, device.id]));
      return new Map(bench.messages.map(({ wattmesh }) => [nodeIds.get(wattmesh.nodeId) ?? '', wattmesh.gateway]));
    };
    await bench.run(599);
    const before = gatewaysNow();
    const [first, second] = [before.get('m1'), before.get('m3')];
    assert.notEqual(first, second);
    assert.deepEqual([before.get('m2'), before.get('m5')], [first, first]);
    assert.deepEqual([before.get('m4'), before.get('m6')], [second, second]);
    await bench.run(700);
    assert.deepEqual([...gatewaysNow().values()], Array(METERS).fill(first));
    const { violations } = await bench.judge();
    assert.deepEqual(violations, []);
  });

  for (const mode of ['collection', 'flooding']) {
    it(`lose nothing when one of them dies, is back, and the other one dies: ${mode}`, async () => {
      const { readings, violations, repairS } = await play(
        [
          { atS: 600, kill: 'gw1' },
          { atS: 1200, revive: 'gw1' },
          { atS: 1300, gatewayOutage: { forS: 500, gateway: 'gw2' } },
        ],
        mode,
      );
      assert.deepEqual(violations, []);
      assert.deepEqual(readings, READINGS);
      // One and a half poll cycles and 30 s at most (two in mode flooding, where nobody asks).
      assert.ok(repairS > 0 && repairS < 75, `${repairS} s`);
    });
  }

  it('lose nothing when the host is away for one of them, for both, and for the other one', async () => {
    const { readings, violations, latencyMs } = await play([
      { atS: 600, hostOutage: { forS: 600, gateway: 'gw1' } },
      { atS: 1000, hostOutage: { forS: 600, gateway: 'gw2' } },
    ]);
    assert.deepEqual(violations, []);
    assert.deepEqual(readings, READINGS);
    // Half of the time nothing arrives at all for 200 s, otherwise a reading waits for a cycle and the time until a gateway notices.
    assert.ok(latencyMs.p50 < 60_000, `${latencyMs.p50} ms`);
  });
});
