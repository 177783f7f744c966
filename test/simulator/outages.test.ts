import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario, type Scenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';

/** A gateway or its host that is away for hours: the meters' logs hold what nobody takes. */

const OUTAGE_S = 2 * 3600;
const BEFORE_S = 600;
const AFTER_S = 900;
const AGAIN_S = BEFORE_S + OUTAGE_S;

/** A gateway, two hubs and six meters, of which three hear one hub only. */
function smallMesh(faults: readonly object[]): Scenario {
  const pairs = ['h1', 'h2', 'm1', 'm2'].map((id) => ['gw', id]);
  pairs.push(
    ['h1', 'h2'],
    ['h1', 'm1'],
    ['h1', 'm3'],
    ['h1', 'm4'],
    ['h2', 'm4'],
    ['h2', 'm5'],
    ['m4', 'm6'],
    ['m5', 'm6'],
  );
  return parseScenario({
    durationS: AGAIN_S + AFTER_S,
    nodes: [
      { id: 'gw', role: 'gateway' },
      { id: 'h1', role: 'hub' },
      { id: 'h2', role: 'hub' },
      ...['m1', 'm2', 'm3', 'm4', 'm5', 'm6'].map((id) => ({ id, role: 'meter' })),
    ],
    links: pairs.flatMap(([from, to]) => [
      { from, to, prr: 0.9 },
      { from: to, to: from, prr: 0.9 },
    ]),
    mesh: { pollCycleS: 60 },
    reading: { intervalS: 60 },
    faults,
  });
}

const outages: [what: string, faults: object[]][] = [
  ['the host', [{ atS: BEFORE_S, hostOutage: { forS: OUTAGE_S } }]],
  [
    'the gateway',
    [
      { atS: BEFORE_S, kill: 'gw' },
      { atS: AGAIN_S, revive: 'gw' },
    ],
  ],
];

describe('an outage of two hours', function () {
  this.timeout(120_000);
  for (const [what, faults] of outages) {
    it(`of ${what}: no row is lost, and all of them come afterwards`, async () => {
      const result = await simulate({ scenario: smallMesh(faults), firmware: loadFirmware(), seed: 21 });
      const { measured, delivered, lost, duplicates, pending } = result.readings;
      assert.deepEqual(result.violations, []);
      assert.deepEqual({ lost, duplicates, pending }, { lost: 0, duplicates: 0, pending: 0 });
      assert.equal(delivered, measured);
      assert.ok(measured >= (6 * (OUTAGE_S + AFTER_S)) / 60, `${measured} rows`);
      assert.ok(result.latencyMs.max >= (OUTAGE_S - 120) * 1000, 'nothing waited for the end of the outage');
    });
  }
});
