import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';

const NODES = 100;
const JOINED_S = 120;

/** Everybody hears everybody. */
function clique(): unknown {
  const ids = ['gw', ...Array.from({ length: NODES - 1 }, (_, index) => `m${index + 1}`)];
  return {
    name: 'clique',
    durationS: 420,
    warmupS: 240,
    nodes: ids.map((id) => ({ id, role: id === 'gw' ? 'gateway' : 'meter' })),
    links: ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => ({ from, to, prr: 0.95 }))),
    radio: { captureDb: null },
    mesh: { suite: 'noise', pollCycleS: 60 },
    reading: { intervalS: 60 },
  };
}

describe('a hundred nodes in one cell, powered up together', function () {
  this.timeout(120_000);

  it('have all joined soon, and then leave each other alone', async () => {
    const { readings, joinS, frames, violations } = await simulate({
      scenario: parseScenario(clique()),
      firmware: loadFirmware(),
      seed: 1,
    });
    assert.ok(joinS.max <= JOINED_S, `joined after ${joinS.max} s`);
    assert.equal(readings.delivered, readings.measured);
    assert.deepEqual(violations, []);
    assert.ok(
      frames.join <= readings.delivered / 2,
      `${frames.join} challenges and handshakes for ${readings.delivered} rows`,
    );
  });
});
