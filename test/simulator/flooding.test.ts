import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { repoRoot } from '../support/root.ts';

const MESH = { mode: 'flooding', suite: 'noise' };

function grid(changes: object = {}) {
  const text = readFileSync(join(repoRoot(), 'test', 'scenarios', 'grid-12.json'), 'utf8');
  return parseScenario({ ...(JSON.parse(text) as object), mesh: MESH, ...changes });
}

/** A gateway and meters in a row, each in reach of its neighbours only. */
function row(meters: number, changes: object = {}) {
  const ids = ['gw', ...Array.from({ length: meters }, (_, index) => `m${index + 1}`)];
  const links = ids.slice(1).flatMap((id, index) => [
    { from: id, to: ids[index], prr: 1 },
    { from: ids[index], to: id, prr: 1 },
  ]);
  const nodes = ids.map((id) => ({ id, role: id === 'gw' ? 'gateway' : 'meter' }));
  return parseScenario({ durationS: 900, warmupS: 300, nodes, links, mesh: MESH, ...changes });
}

describe('flooding', function () {
  this.timeout(120_000);

  it('delivers every reading of a grid of twelve on links that lose a fifth, and polls nobody', async () => {
    for (const seed of [1, 2]) {
      const { readings, violations, frames } = await simulate({ scenario: grid(), firmware: loadFirmware(), seed });
      assert.deepEqual(violations, [], `seed ${seed}`);
      assert.deepEqual(readings, { measured: 600, delivered: 600, duplicates: 0, lost: 0, pending: 0 }, `seed ${seed}`);
      assert.equal(frames.poll, 0);
      // No unicast but a few challenges: what travels is broadcast, and nobody acknowledges that.
      assert.ok(frames.ack < frames.data / 100, `${frames.ack} acknowledgements of ${frames.data} frames`);
    }
  });

  it('runs without undefined behaviour in the firmware', async () => {
    const { violations } = await simulate({ scenario: grid({ durationS: 900 }), firmware: loadFirmware(true) });
    assert.deepEqual(violations, []);
  });

  it('reaches, up and down, as far as a node can join: nineteen hops', async () => {
    const { readings, violations } = await simulate({ scenario: row(20), firmware: loadFirmware() });
    assert.deepEqual(violations, []);
    assert.deepEqual(readings, { measured: 190, delivered: 190, duplicates: 0, lost: 0, pending: 0 });
  });

  it('goes on in the same mode after power cuts, also of the gateway', async () => {
    const faults = ['m2', 'gw', 'm3'].map((powerCut, index) => ({ atS: 400 + 60 * index, powerCut }));
    const { readings, violations, frames } = await simulate({ scenario: row(4, { faults }), firmware: loadFirmware() });
    assert.deepEqual(violations, []);
    assert.deepEqual([readings.lost, readings.pending, readings.duplicates], [0, 0, 0]);
    assert.equal(frames.poll, 0);
  });
});
