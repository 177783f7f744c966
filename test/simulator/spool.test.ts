import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { GatewayLink } from '../../firmware/simulator/gateway-port.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { World } from '../../firmware/simulator/world.ts';
import { HeadEndBench, NETWORK } from './head-end-bench.ts';

/** What hubs take into custody while nobody takes it from them: it waits in their flash, comes afterwards, and is stored once. */

const HOUR_S = 3600;
const START_S = 600;
const HUBS = ['h1', 'h2'];
const METERS = ['m1', 'm2', 'm3', 'm4', 'm5'];
/** Two hubs beside the gateway, and meters that hear one of them, or another meter. */
const PAIRS = ['gw h1', 'gw h2', 'h1 m1', 'h1 m2', 'm2 m3', 'h2 m4', 'm4 m5'].map((pair) => pair.split(' '));

class Outage {
  readonly world: World;
  readonly bench: HeadEndBench;
  /** Nodes that were without a parent, and when. */
  readonly orphans: { readonly node: string; readonly atS: number }[] = [];

  constructor(faults: readonly object[], seed: number) {
    const scenario = parseScenario({
      durationS: 4 * HOUR_S,
      nodes: [
        { id: 'gw', role: 'gateway' },
        ...HUBS.map((id) => ({ id, role: 'hub' })),
        ...METERS.map((id) => ({ id, role: 'meter' })),
      ],
      links: PAIRS.flatMap(([from, to]) => [
        { from, to, prr: 0.9 },
        { from: to, to: from, prr: 0.9 },
      ]),
      mesh: { pollCycleS: 60 },
      reading: { intervalS: 60 },
      faults,
    });
    this.world = new World({ scenario, firmware: loadFirmware(), seed, network: NETWORK });
    this.bench = new HeadEndBench(this.world, new GatewayLink(this.world.gateways));
    this.world.observe({
      traced: (node, trace) => {
        if (trace.kind !== 'parentChanged' || trace.parent !== 0) return;
        this.orphans.push({ node, atS: this.world.schedule.nowUs / 1e6 });
      },
    });
  }

  spooled(id: string): number {
    return this.world.device(id).state()?.spooled ?? 0;
  }

  /** Flash operations of a hub so far. */
  operations(id: string): number {
    return this.world.device(id).flash.operations;
  }

  /** Meters that lost their place between two moments. */
  lostPlaces(fromS: number, toS: number): string[] {
    const lost = this.orphans.filter(({ node, atS }) => METERS.includes(node) && atS >= fromS && atS < toS);
    return lost.map(({ node, atS }) => `${node} at ${atS} s`);
  }

  async stored(): Promise<number> {
    return (await this.bench.store.readings({})).length;
  }

  /** Nothing waits any more, and each row is there once. */
  async endsWell(): Promise<void> {
    for (const id of ['gw', ...HUBS]) assert.equal(this.spooled(id), 0, `${id} still holds packets`);
    const { measured, stored, violations } = await this.bench.judge();
    assert.deepEqual(violations, []);
    // What was measured right before the end may be on its way.
    assert.ok(measured - stored <= METERS.length, `${stored} of ${measured} rows`);
  }
}

describe("a hub's spool", function () {
  this.timeout(120_000);

  it('is not written to as long as the way is open', async () => {
    const outage = new Outage([], 5);
    await outage.bench.headEnd.start();
    await outage.bench.run(300);
    const before = HUBS.map((id) => outage.operations(id));
    await outage.bench.run(HOUR_S / 2);
    for (const [index, id] of HUBS.entries()) {
      // Link counters and promises of the tree are written now and then.
      assert.ok(outage.operations(id) - (before[index] as number) <= 10, `${id} wrote to its flash`);
    }
    await outage.endsWell();
  });

  it('holds the rows of two hours without gateway, also over a power cut inside a write to it', async () => {
    const faults = [
      { atS: START_S, kill: 'gw' },
      { atS: START_S + HOUR_S / 2, powerCutInWrite: 'h1' },
      { atS: START_S + 2 * HOUR_S, revive: 'gw' },
    ];
    const outage = new Outage(faults, 11);
    await outage.bench.headEnd.start();
    await outage.bench.run(START_S + 1);
    const stored = await outage.stored();
    await outage.bench.run(START_S + HOUR_S / 2 - 1);
    assert.deepEqual(outage.lostPlaces(START_S, START_S + HOUR_S / 2), [], 'members stay where they are');
    for (const id of HUBS) assert.ok(outage.spooled(id) >= 40, `${id} holds ${outage.spooled(id)} packets`);
    const held = outage.spooled('h1');
    await outage.bench.run(START_S + HOUR_S);
    // A hub that has just started has no session, takes nothing, and has forgotten nothing.
    assert.ok(outage.spooled('h1') >= held, `h1 held ${held} packets, then ${outage.spooled('h1')}`);
    await outage.bench.run(START_S + 2 * HOUR_S - 1);
    assert.equal(await outage.stored(), stored);
    assert.ok(outage.spooled('h2') >= 200, `h2 holds ${outage.spooled('h2')} packets`);
    await outage.bench.run(START_S + 2 * HOUR_S + 900);
    await outage.endsWell();
  });

  it('is not overfilled: the tree is given up, and the rows wait in the logs of their meters', async () => {
    const faults = [{ atS: START_S, hostOutage: { forS: 3 * HOUR_S } }];
    const outage = new Outage(faults, 3);
    await outage.bench.headEnd.start();
    await outage.bench.run(START_S + 3 * HOUR_S - 1);
    // Three members fill it in less than three hours, two do not.
    assert.equal(outage.spooled('h1'), 256);
    assert.notDeepEqual(outage.lostPlaces(START_S, START_S + 3 * HOUR_S), []);
    await outage.bench.run(START_S + 3 * HOUR_S + 900);
    await outage.endsWell();
  });
});

describe('a floating hub', function () {
  this.timeout(120_000);

  it('goes on with its members while they are cut off together, and everything comes when that ends', async () => {
    const faults = [
      { atS: START_S, partition: ['h1', 'm1', 'm2', 'm3'] },
      { atS: START_S + 480, heal: true },
    ];
    const outage = new Outage(faults, 7);
    await outage.bench.headEnd.start();
    await outage.bench.run(START_S + 479);
    assert.deepEqual(outage.lostPlaces(START_S, START_S + 480), []);
    const { attached, parentShort } = outage.world.device('h1').state() ?? {};
    assert.deepEqual({ attached, parentShort }, { attached: true, parentShort: 0 });
    const held = outage.spooled('h1');
    assert.ok(held >= 15, `${held} packets`);
    assert.equal(outage.spooled('h2'), 0, 'the others go on as ever');
    const stored = await outage.stored();
    await outage.bench.run(START_S + 480 + 120);
    assert.ok((await outage.stored()) >= stored + held);
    await outage.endsWell();
  });

  it('keeps its place when only the host is away, with the whole tree', async () => {
    const outage = new Outage([{ atS: START_S, hostOutage: { forS: 500 } }], 9);
    await outage.bench.headEnd.start();
    await outage.bench.run(START_S + 499);
    assert.deepEqual(outage.lostPlaces(START_S, START_S + 500), []);
    for (const id of HUBS) assert.ok(outage.spooled(id) > 0, `${id} holds nothing`);
    await outage.bench.run(START_S + 500 + 120);
    assert.deepEqual(outage.lostPlaces(START_S, START_S + 620), []);
    await outage.endsWell();
  });
});
