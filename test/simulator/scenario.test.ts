import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { repoRoot } from '../support/root.ts';

type Json = Record<string, unknown>;

/** The smallest scenario, with fields replaced. */
function scenario(changes: Json = {}): Json {
  return {
    durationS: 600,
    nodes: [
      { id: 'gw', role: 'gateway', x: 0, y: 0 },
      { id: 'h1', role: 'hub', x: 10, y: 0 },
      { id: 'm1', role: 'meter', x: 20, y: 0 },
    ],
    ...changes,
  };
}

function refuses(json: unknown, message: RegExp): void {
  assert.throws(
    () => parseScenario(json),
    (error: Error) => {
      assert.equal(reasonOf(error), 'badScenario', error.stack);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('scenario file', () => {
  it('takes every field that it documents', () => {
    const parsed = parseScenario({
      name: 'grid',
      seed: 7,
      durationS: 3600,
      warmupS: 600,
      nodes: [
        { id: 'gw', role: 'gateway', x: 0, y: 0 },
        { id: 'h1', role: 'hub', localHubId: 4, x: 40, y: 0 },
        { id: 'm1', role: 'meter', power: 'mains', x: 60, y: 10 },
        { id: 'm2', role: 'meter', power: 'battery', x: 70, y: 5 },
      ],
      links: [{ from: 'm1', to: 'h1', prr: 0.93, rssi: -80 }],
      interference: [{ from: 'm2', to: 'h1', sensed: false, rssi: -70 }],
      radio: {
        interferencePrr: 0.05,
        captureDb: null,
        macRetries: 4,
        peersMax: 20,
        burst: { meanBadS: 0, meanGoodS: 0 },
      },
      mesh: { mode: 'collection', suite: 'noise', pollCycleS: 30 },
      reading: { intervalS: 15 },
      powerUpS: 60,
      clock: { crystalPpm: 20, rcPercent: 5, callbackJitterMs: 2 },
      counters: 'old',
      faults: [
        { atS: 2400, heal: true },
        { atS: 1200, kill: 'h1' },
        { atS: 1800, revive: 'h1' },
        { atS: 2000, powerCut: 'm1' },
        { atS: 2050, powerCutInWrite: 'm1' },
        { atS: 2100, partition: ['m1', 'm2'] },
        { atS: 2500, ackLoss: { to: 'm1', loss: 0.5, forS: 60 } },
        { atS: 2600, link: { from: 'm1', to: 'h1', prr: 0.1, forS: 20 } },
        { atS: 2610, link: { from: 'h1', to: 'm1', prr: 0 } },
        { atS: 2700, channel: { nodes: ['m1', 'm2'], number: 6 } },
        { atS: 2800, gatewayOutage: { forS: 100 } },
        { atS: 2850, hostOutage: { forS: 750 } },
      ],
    });
    assert.deepEqual(parsed, {
      name: 'grid',
      seed: 7,
      durationS: 3600,
      warmupS: 600,
      nodes: [
        { id: 'gw', role: 'gateway', power: 'mains', localHubId: 0, place: { x: 0, y: 0 } },
        { id: 'h1', role: 'hub', power: 'mains', localHubId: 4, place: { x: 40, y: 0 } },
        { id: 'm1', role: 'meter', power: 'mains', localHubId: 0, place: { x: 60, y: 10 } },
        { id: 'm2', role: 'meter', power: 'battery', localHubId: 0, place: { x: 70, y: 5 } },
      ],
      links: [{ from: 'm1', to: 'h1', prr: 0.93, rssi: -80 }],
      interference: [{ from: 'm2', to: 'h1', sensed: false, rssi: -70 }],
      radio: { interferencePrr: 0.05, captureDb: null, macRetries: 4, burst: { meanBadS: 0, meanGoodS: 0 } },
      peersMax: 20,
      pollCycleS: 30,
      mode: 'collection',
      suite: 'noise',
      intervalS: 15,
      powerUpS: 60,
      clock: { crystalPpm: 20, rcPercent: 5, callbackJitterMs: 2 },
      counters: 'old',
      events: [],
      faults: [
        { atS: 1200, kind: 'kill', node: 'h1' },
        { atS: 1800, kind: 'revive', node: 'h1' },
        { atS: 2000, kind: 'powerCut', node: 'm1' },
        { atS: 2050, kind: 'powerCutInWrite', node: 'm1' },
        { atS: 2100, kind: 'partition', nodes: ['m1', 'm2'] },
        { atS: 2400, kind: 'heal' },
        { atS: 2500, kind: 'ackLoss', to: 'm1', loss: 0.5 },
        { atS: 2560, kind: 'ackLoss', to: 'm1', loss: 0 },
        { atS: 2600, kind: 'link', from: 'm1', to: 'h1', prr: 0.1 },
        { atS: 2610, kind: 'link', from: 'h1', to: 'm1', prr: 0 },
        { atS: 2620, kind: 'link', from: 'm1', to: 'h1', prr: undefined },
        { atS: 2700, kind: 'channel', nodes: ['m1', 'm2'], channel: 6 },
        { atS: 2800, kind: 'kill', node: 'gw' },
        { atS: 2850, kind: 'hostOutage', gateways: ['gw'], on: true },
        { atS: 2900, kind: 'revive', node: 'gw' },
        { atS: 3600, kind: 'hostOutage', gateways: ['gw'], on: false },
      ],
    });
  });

  it('has defaults for everything but nodes and duration', () => {
    const parsed = parseScenario(scenario());
    assert.equal(parsed.seed, 1);
    assert.equal(parsed.warmupS, 0);
    assert.equal(parsed.pollCycleS, 60);
    assert.equal(parsed.intervalS, 60);
    assert.equal(parsed.links, undefined);
    assert.deepEqual(parsed.radio, {
      interferencePrr: 0.02,
      captureDb: 6,
      macRetries: 5,
      burst: { meanBadS: 0, meanGoodS: 0 },
    });
  });

  it('numbers hubs that have no number, around those that have one', () => {
    const hubs = [{ id: 'a' }, { id: 'b', localHubId: 1 }, { id: 'c' }].map((hub) => ({
      ...hub,
      role: 'hub',
      x: 0,
      y: 0,
    }));
    const { nodes } = parseScenario(scenario({ nodes: [{ id: 'gw', role: 'gateway', x: 0, y: 0 }, ...hubs] }));
    assert.deepEqual(
      nodes.map((node) => node.localHubId),
      [0, 2, 1, 3],
    );
  });

  it('takes the scenarios of this repository', () => {
    for (const name of ['grid-12', 'faults-12']) {
      const text = readFileSync(join(repoRoot(), 'test', 'scenarios', `${name}.json`), 'utf8');
      assert.equal(parseScenario(JSON.parse(text)).name, name);
    }
  });

  const wrong: [string, unknown, RegExp][] = [
    ['no object', [], /the scenario: \[\] is no object/],
    ['an unknown field', scenario({ wattage: 1 }), /^wattage: there is no such field; .*known: name, seed/],
    ['a missing field', { nodes: [] }, /^durationS: it is missing/],
    ['a wrong type', scenario({ durationS: '600' }), /^durationS: "600" is not possible; give a number from 1/],
    ['null for a number', scenario({ seed: null }), /^seed: null is not possible/],
    ['a broken seed', scenario({ seed: 1.5 }), /^seed: 1.5 is not possible; give a whole number/],
    ['a warm-up that is too long', scenario({ warmupS: 600 }), /^warmupS: 600 leaves nothing of durationS/],
    ['nodes that are no list', scenario({ nodes: {} }), /^nodes: \{\} is no list/],
    [
      'an unknown field of a node',
      scenario({ nodes: [{ id: 'gw', role: 'gateway', z: 1 }] }),
      /^nodes\[0\]\.z: there is no such field/,
    ],
    [
      'an unknown role',
      scenario({ nodes: [{ id: 'gw', role: 'router' }] }),
      /^nodes\[0\]\.role: "router" is not possible; give one of meter, hub, gateway/,
    ],
    ['no gateway', scenario({ nodes: [{ id: 'm1', role: 'meter', x: 0, y: 0 }] }), /^nodes: there are 0 gateways/],
    [
      'five gateways',
      scenario({ nodes: [...'abcde'].map((id) => ({ id, role: 'gateway', x: 0, y: 0 })) }),
      /^nodes: there are 5 gateways; give one to 4 nodes/,
    ],
    [
      'an id given twice',
      scenario({ nodes: ['gw', 'gw'].map((id) => ({ id, role: 'gateway', x: 0, y: 0 })) }),
      /^nodes\[1\]\.id: "gw" is the id of nodes\[0\] already/,
    ],
    [
      'a hub number given twice',
      scenario({ nodes: ['a', 'b'].map((id) => ({ id, role: 'hub', localHubId: 2, x: 0, y: 0 })) }),
      /^nodes\[1\]\.localHubId: 2 belongs to nodes\[0\] already/,
    ],
    [
      'a hub number 0',
      scenario({ nodes: [{ id: 'a', role: 'hub', localHubId: 0 }] }),
      /^nodes\[0\]\.localHubId: 0 is not possible; give a whole number from 1/,
    ],
    [
      'a hub number of a meter',
      scenario({ nodes: [{ id: 'a', role: 'meter', localHubId: 1 }] }),
      /^nodes\[0\]\.localHubId: a meter has none/,
    ],
    [
      'a hub on a battery',
      scenario({ nodes: [{ id: 'a', role: 'hub', power: 'battery' }] }),
      /^nodes\[0\]\.power: a hub routes for others/,
    ],
    [
      'neither places nor links',
      scenario({
        nodes: [
          { id: 'gw', role: 'gateway', x: 0, y: 0 },
          { id: 'm1', role: 'meter' },
        ],
      }),
      /^nodes\[1\]\.x: it is missing; .*or a list of links/,
    ],
    ['half a place', scenario({ nodes: [{ id: 'gw', role: 'gateway', x: 0 }] }), /^nodes\[0\]\.y: it is missing/],
    [
      'a link to nowhere',
      scenario({ links: [{ from: 'm1', to: 'h9', prr: 1 }] }),
      /^links\[0\]\.to: there is no node "h9"/,
    ],
    [
      'a link to itself',
      scenario({ links: [{ from: 'm1', to: 'm1', prr: 1 }] }),
      /^links\[0\]\.to: "m1" is the sender itself/,
    ],
    [
      'a link given twice',
      scenario({ links: [1, 2].map(() => ({ from: 'm1', to: 'h1', prr: 1 })) }),
      /^links\[1\]: m1 to h1 is given in links\[0\] already/,
    ],
    [
      'a ratio above 1',
      scenario({ links: [{ from: 'm1', to: 'h1', prr: 80 }] }),
      /^links\[0\]\.prr: 80 is not possible; give a number from 0 to 1/,
    ],
    [
      'bursts that never end',
      scenario({ radio: { burst: { meanBadS: 1 } } }),
      /^radio\.burst\.meanGoodS: links that are never good deliver nothing/,
    ],
    ['unknown mode', scenario({ mesh: { mode: 'gossip' } }), /^mesh\.mode: "gossip" is not possible/],
    [
      'a suite of its own',
      scenario({ mesh: { suite: 'aes' } }),
      /^mesh\.suite: "aes" is not possible; give one of none/,
    ],
    ['an interval of 0', scenario({ reading: { intervalS: 0 } }), /^reading\.intervalS: 0 is not possible/],
    [
      'a fault without an action',
      scenario({ faults: [{ atS: 1 }] }),
      /^faults\[0\]: it has 0 actions; give exactly one of kill/,
    ],
    ['a fault with two', scenario({ faults: [{ atS: 1, kill: 'm1', heal: true }] }), /^faults\[0\]: it has 2 actions/],
    [
      'a fault inside an NV write',
      scenario({ faults: [{ atS: 1, powerCut: 'm1', nvWrite: 3 }] }),
      /^faults\[0\]\.nvWrite: there is no such field/,
    ],
    [
      'a fault after the end',
      scenario({ faults: [{ atS: 601, heal: true }] }),
      /^faults\[0\]\.atS: 601 is not possible/,
    ],
    ['a fault of nobody', scenario({ faults: [{ atS: 1, kill: 'm9' }] }), /^faults\[0\]\.kill: there is no node "m9"/],
    ['heal: false', scenario({ faults: [{ atS: 1, heal: false }] }), /^faults\[0\]\.heal: false is not possible/],
    [
      'an empty partition',
      scenario({ faults: [{ atS: 1, partition: [] }] }),
      /^faults\[0\]\.partition: it names no node/,
    ],
    [
      'a partition of nobody',
      scenario({ faults: [{ atS: 1, partition: ['m1', 'x'] }] }),
      /^faults\[0\]\.partition\[1\]: there is no node "x"/,
    ],
    [
      'a loss of acknowledgements of nobody',
      scenario({ faults: [{ atS: 1, ackLoss: { forS: 1 } }] }),
      /it names no node/,
    ],
    [
      'a fault without an end',
      scenario({ faults: [{ atS: 1, hostOutage: {} }] }),
      /^faults\[0\]\.hostOutage\.forS: it is missing/,
    ],
    [
      'a fault that ends after the run',
      scenario({ faults: [{ atS: 500, gatewayOutage: { forS: 101 } }] }),
      /^faults\[0\]\.gatewayOutage\.forS: 101 is not possible; give a number from 0 to 100/,
    ],
    [
      'a host that is away twice',
      scenario({ faults: [1, 5].map((atS) => ({ atS, hostOutage: { forS: 10 } })) }),
      /^faults\[1\]\.hostOutage: the host is away at that time/,
    ],
    [
      'an outage of a node that is no gateway',
      scenario({ faults: [{ atS: 1, gatewayOutage: { forS: 10, gateway: 'm1' } }] }),
      /^faults\[0\]\.gatewayOutage\.gateway: there is no gateway "m1"; name one of gw/,
    ],
    [
      'a dead gateway that dies',
      scenario({
        faults: [
          { atS: 1, kill: 'gw' },
          { atS: 2, gatewayOutage: { forS: 1 } },
        ],
      }),
      /^faults\[1\]\.gatewayOutage: gw is dead at that time/,
    ],
    [
      'a channel that is none',
      scenario({ faults: [{ atS: 1, channel: { nodes: ['m1'], number: 0 } }] }),
      /^faults\[0\]\.channel\.number: 0 is not possible; give a whole number from 1 to 14/,
    ],
    [
      'a change of a link to itself',
      scenario({ faults: [{ atS: 1, link: { from: 'm1', to: 'm1', prr: 1 } }] }),
      /^faults\[0\]\.link\.to: "m1" is the sender itself/,
    ],
    ['a clock that is wild', scenario({ clock: { rcPercent: 80 } }), /^clock\.rcPercent: 80 is not possible/],
    [
      'killing the dead',
      scenario({
        faults: [
          { atS: 2, kill: 'm1' },
          { atS: 1, kill: 'm1' },
        ],
      }),
      /^faults\[0\]\.kill: m1 is dead at that time/,
    ],
    [
      'reviving the living',
      scenario({ faults: [{ atS: 2, revive: 'm1' }] }),
      /^faults\[0\]\.revive: m1 is alive at that time/,
    ],
  ];
  for (const [what, json, message] of wrong) it(`refuses ${what}`, () => refuses(json, message));
});
