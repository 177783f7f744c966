import assert from 'node:assert/strict';
import { type Firmware, type FirmwareInstance, loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { drawPlan } from '../../firmware/simulator/swarm/draw.ts';
import { FAULT_KINDS } from '../../firmware/simulator/swarm/fault-kinds.ts';
import { judge } from '../../firmware/simulator/swarm/judge.ts';
import { fileOf, healedAtS, isConnected, type Plan } from '../../firmware/simulator/swarm/plan.ts';
import { runSwarm } from '../../firmware/simulator/swarm/run.ts';
import { shrink } from '../../firmware/simulator/swarm/shrink.ts';

const DRAWN = 300;
const SMALL = { nodesMax: 6, durationSMax: 700 };
const ENDLESS = { tries: 1000, isOver: () => false };

/** A gateway and meters that all hear each other. */
function plan(meters: number, changes: Partial<Plan> = {}): Plan {
  const ids = ['gw', ...Array.from({ length: meters }, (_, index) => `m${index + 1}`)];
  return {
    seed: 1,
    durationS: 600,
    powerUpS: 2,
    nodes: ids.map((id) => ({ id, role: id === 'gw' ? 'gateway' : 'meter', power: 'mains' })),
    links: ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => ({ from, to, prr: 0.9 }))),
    radio: { captureDb: 6, burst: { meanBadS: 0, meanGoodS: 0 } },
    mesh: { suite: 'none', pollCycleS: 30 },
    intervalS: 30,
    clock: { crystalPpm: 0, rcPercent: 0, callbackJitterMs: 0 },
    counters: 'new',
    faults: [],
    ...changes,
  };
}

/** The firmware with something changed in each instance. */
function broken(change: (instance: FirmwareInstance) => Partial<FirmwareInstance>): Firmware {
  return {
    instantiate(imports) {
      const instance = loadFirmware().instantiate(imports);
      return { ...instance, ...change(instance) };
    },
  };
}

async function kindsOf(subject: Plan, firmware = loadFirmware()): Promise<string[]> {
  const { findings } = await judge(subject, firmware);
  return [...new Set(findings.map(({ kind }) => kind))];
}

describe('what a swarm draws', () => {
  const plans = Array.from({ length: DRAWN }, (_, index) => drawPlan(index + 1));

  it('is a connected mesh that the simulator accepts, the same for the same seed', () => {
    for (const each of plans) {
      const scenario = parseScenario(fileOf(each));
      assert.equal(scenario.seed, each.seed);
      assert.ok(scenario.nodes.length >= 3 && scenario.nodes.length <= 40);
      assert.ok(isConnected(each), `seed ${each.seed}`);
    }
    assert.deepEqual(drawPlan(7), plans[6]);
    assert.notDeepEqual(drawPlan(7), { ...drawPlan(8), seed: 7 });
  });

  it('is whole again at 60 % of its time', () => {
    for (const each of plans) {
      const healedS = healedAtS(each);
      const { faults } = parseScenario(fileOf(each));
      assert.ok(
        faults.every(({ atS }) => atS <= healedS + 1e-9),
        `seed ${each.seed}`,
      );
      const dead = new Set<string>();
      for (const fault of faults) {
        if (fault.kind === 'kill') dead.add(fault.node);
        else if (fault.kind === 'revive') dead.delete(fault.node);
      }
      assert.deepEqual([...dead], [], `seed ${each.seed}`);
      assert.equal(faults.at(-1)?.kind, 'heal');
    }
  });

  it('has everything in it: fault kinds, suites, numbers of hubs, sleepers, bursts', () => {
    const names = new Set(plans.flatMap(({ faults }) => faults.flat().flatMap((entry) => Object.keys(entry))));
    for (const name of ['kill', 'powerCut', 'powerCutInWrite', 'partition', 'gatewayOutage', 'hostOutage']) {
      assert.ok(names.has(name), name);
    }
    for (const name of ['ackLoss', 'link', 'channel']) assert.ok(names.has(name), name);
    assert.equal(Object.keys(FAULT_KINDS).length, 11);
    const cuts = plans.map(({ faults }) => faults.flat().filter((entry) => 'powerCut' in entry));
    assert.ok(
      cuts.some((of) => of.length > 10),
      'blackouts',
    );
    assert.deepEqual([...new Set(plans.map(({ mesh }) => mesh.suite))].sort(), ['noise', 'none', 'rsa']);
    const hubs = plans.map(({ nodes }) => nodes.filter(({ role }) => role === 'hub').length);
    assert.deepEqual([...new Set(hubs)].sort(), [0, 1, 2, 3, 4]);
    assert.ok(plans.some(({ nodes }) => nodes.some(({ power }) => power === 'battery')));
    assert.ok(plans.some(({ radio }) => radio.burst.meanBadS > 0));
  });
});

describe('the verdict of a swarm', function () {
  this.timeout(60_000);

  it('is fine when everything arrives', async () => {
    const verdict = await judge(plan(2, { faults: [[{ atS: 100, powerCut: 'm1' }]] }), loadFirmware());
    assert.deepEqual(verdict.findings, []);
    assert.equal(verdict.readings.delivered, verdict.readings.measured);
    assert.ok(verdict.readings.measured > 30);
  });

  it('is that a mesh is slow when readings arrive only after a wait', async () => {
    // Nobody hears anything from the middle of the run until after the drain. The link is poor: nobody must have a parent by it.
    const deaf = broken((instance) => ({
      wm_receive(length, rssiDbm, nowUs) {
        if (nowUs > 400e6 && nowUs < 900e6) return instance.wm_tick(nowUs);
        return instance.wm_receive(length, rssiDbm, nowUs);
      },
    }));
    const links = plan(1).links.map((link) => ({ ...link, prr: 0.49 }));
    const { findings, slow } = await judge(plan(1, { links }), deaf);
    assert.deepEqual([findings, slow], [[], true]);
  });

  it('names readings that stay with their meters', async () => {
    const cut = [...plan(1).links].map(({ from, to }) => ({ atS: 300, link: { from, to, prr: 0 } }));
    assert.deepEqual(await kindsOf(plan(1, { faults: [cut] })), ['pending']);
  });

  it('names meters that do not measure any more', async () => {
    const dead = plan(2, { faults: [[{ atS: 298, kill: 'm2' }]] });
    assert.deepEqual((await judge(dead, loadFirmware())).findings, [
      { kind: 'silent', what: 'm2 took its last row at 270 s of 5100' },
    ]);
  });

  it('names a firmware that traps and one that never rests', async () => {
    const traps = broken((instance) => ({
      wm_tick(nowUs) {
        if (nowUs > 100e6) throw new WebAssembly.RuntimeError('unreachable');
        return instance.wm_tick(nowUs);
      },
    }));
    assert.deepEqual(await kindsOf(plan(1), traps), ['trap']);
    const restless = broken((instance) => ({ wm_tick: (nowUs) => Math.min(instance.wm_tick(nowUs), nowUs + 50) }));
    assert.deepEqual(await kindsOf(plan(1), restless), ['storm']);
  });

  it('names a flash that forgets', async () => {
    const forgetful: Firmware = {
      instantiate: (imports) => loadFirmware().instantiate({ ...imports, nv_write: () => 1 }),
    };
    const kinds = await kindsOf(plan(1, { faults: [[{ atS: 300, powerCut: 'm1' }]] }), forgetful);
    assert.ok(kinds.length > 0, 'rows were measured, and after the power cut nobody knew');
  });
});

describe('a failing plan', () => {
  const culprit = [
    { atS: 240, kill: 'm3' },
    { atS: 300, revive: 'm3' },
  ];
  const large = plan(8, {
    durationS: 2400,
    clock: { crystalPpm: 20, rcPercent: 1, callbackJitterMs: 1 },
    faults: [
      [{ atS: 100, powerCut: 'm1' }],
      [
        { atS: 200, partition: ['m2', 'm3'] },
        { atS: 300, heal: true },
      ],
      culprit,
      [{ atS: 400, ackLoss: { from: 'm8', loss: 1, forS: 10 } }],
    ],
  });
  const failsWith = (fault: string, node: string) => async (candidate: Plan) => {
    parseScenario(fileOf(candidate));
    const entries = candidate.faults.flat();
    return entries.some((entry) => entry[fault] === node) ? [{ kind: 'lost', what: '' }] : [];
  };

  it('becomes as small as it can while it fails in the same way', async () => {
    const { plan: small } = await shrink(large, 'lost', failsWith('kill', 'm3'), ENDLESS);
    assert.deepEqual(
      small.nodes.map(({ id }) => id),
      ['gw', 'm3'],
    );
    assert.deepEqual(
      small.faults.map((fault) => fault.map((entry) => Object.keys(entry)[1] ?? '')),
      [['kill', 'revive']],
    );
    assert.ok(small.durationS < 800, `${small.durationS}`);
    assert.deepEqual(small.clock, { crystalPpm: 0, rcPercent: 0, callbackJitterMs: 0 });
    assert.ok(isConnected(small));
  });

  it('keeps of a blackout those whose power cut matters', async () => {
    const cuts = large.nodes.map(({ id }) => ({ atS: 100, powerCut: id }));
    const test = async (candidate: Plan) => {
      const nodes = candidate.faults.flat().map((entry) => entry.powerCut);
      return nodes.includes('m2') && nodes.includes('m5') ? [{ kind: 'lost', what: '' }] : [];
    };
    const { plan: small } = await shrink({ ...large, faults: [cuts] }, 'lost', test, ENDLESS);
    assert.deepEqual(
      small.faults.map((fault) => fault.map((entry) => entry.powerCut)),
      [['m2', 'm5']],
    );
    assert.deepEqual(
      small.nodes.map(({ id }) => id),
      ['gw', 'm2', 'm5'],
    );
  });

  it('stays as it is when nothing smaller fails, and the search keeps its limits', async () => {
    const other = async () => [{ kind: 'duplicates', what: '' }];
    assert.equal((await shrink(large, 'lost', other, ENDLESS)).plan, large);
    const { tries } = await shrink(large, 'lost', failsWith('kill', 'm3'), { ...ENDLESS, tries: 3 });
    assert.equal(tries, 3);
    const stopped = await shrink(large, 'lost', failsWith('kill', 'm3'), { ...ENDLESS, isOver: () => true });
    assert.deepEqual([stopped.plan, stopped.tries], [large, 0]);
  });
});

describe('a swarm', function () {
  this.timeout(120_000);

  it('finds nothing in three small seeds, and the same in two threads', async () => {
    const one = await runSwarm({ first: 1, seeds: 3, jobs: 1, limits: SMALL });
    assert.deepEqual(one.failed, []);
    assert.equal(one.seeds, 3);
    assert.ok(one.readings.measured > 50);
    assert.equal(one.readings.delivered, one.readings.measured);
    const two = await runSwarm({ first: 1, seeds: 3, jobs: 2, limits: SMALL });
    assert.deepEqual([two.readings, two.simS], [one.readings, one.simS]);
  });

  it('draws no seed after its time', async () => {
    const { seeds } = await runSwarm({ first: 1, seeds: 1000, minutes: 1e-9, jobs: 1, limits: SMALL });
    assert.equal(seeds, 0);
  });
});
