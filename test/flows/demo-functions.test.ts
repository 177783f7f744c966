import assert from 'node:assert/strict';
import { readDemoFlow } from '../support/demo-flow.ts';
import { FlowFunctions } from '../support/flow-functions.ts';

const nodes = readDemoFlow();
const INTERVAL_S = 5;
const MIDNIGHT = new Date(2026, 0, 15).getTime();
const HOUR = 3_600_000;

interface Row {
  meter?: string;
  name?: string;
  at: number;
  power_w?: number;
  kwh?: number;
  late?: boolean;
  redelivered?: boolean;
}

/** The function nodes of the demo, and what they are wired to. */
class Demo extends FlowFunctions {
  constructor() {
    super(nodes, MIDNIGHT + 12 * HOUR);
  }

  /** Sends a row to the nodes that it is wired to. */
  reading({ meter = 'a', name = meter, at, power_w, kwh, late = false, redelivered = false }: Row): void {
    const measuredAt = new Date(at).toISOString();
    const payload = { meter, name, measuredAt, interval_s: INTERVAL_S, power_w, energy_import_kwh: kwh };
    const wires = nodes.find(({ type }) => type === 'wattmesh-readings')?.wires as string[][];
    for (const id of wires[late ? 1 : 0] ?? []) {
      const target = nodes.find((node) => node.id === id);
      this.run(String(target?.name), payload, { late, redelivered });
    }
  }

  meters(): { id: string; power_w: number; today_kwh: number | null; stale: boolean }[] {
    return this.run('meters in order', null)?.payload ?? assert.fail('no meters');
  }

  tiles(): Record<string, unknown> {
    return this.run('header figures', this.meters())?.payload ?? assert.fail('no tiles');
  }
}

describe('functions of the demo', () => {
  let demo: Demo;
  beforeEach(() => {
    demo = new Demo();
  });

  const todayKwh = () => Math.round((demo.meters()[0]?.today_kwh ?? Number.NaN) * 1000) / 1000;

  it("take today's energy from the first register since local midnight", () => {
    demo.reading({ at: MIDNIGHT - 1000, power_w: 1, kwh: 90 });
    assert.equal(demo.meters()[0]?.today_kwh, null);
    demo.reading({ at: MIDNIGHT, power_w: 1, kwh: 100 });
    demo.reading({ at: MIDNIGHT + 8 * HOUR, power_w: 1, kwh: 101.5 });
    assert.equal(todayKwh(), 1.5);
    demo.reading({ at: MIDNIGHT + 9 * HOUR, power_w: 1, kwh: 102.25 });
    assert.equal(todayKwh(), 2.25);
  });

  it('count late rows into the energy of the day, but keep them off the live display', () => {
    demo.reading({ at: MIDNIGHT + 9 * HOUR, power_w: 500, kwh: 102 });
    demo.reading({ at: MIDNIGHT + 7 * HOUR, power_w: 9000, kwh: 101, late: true });
    assert.equal(todayKwh(), 1);
    assert.equal(demo.meters()[0]?.power_w, 500);
    assert.deepEqual([demo.tiles().stored, demo.tiles().late], [2, 1]);
  });

  it('begin a new day at midnight', () => {
    demo.reading({ at: MIDNIGHT + 9 * HOUR, power_w: 1, kwh: 100 });
    demo.reading({ at: MIDNIGHT + 23 * HOUR, power_w: 1, kwh: 107 });
    assert.equal(todayKwh(), 7);
    demo.nowMs = new Date(2026, 0, 16, 0, 1).getTime();
    assert.equal(demo.meters()[0]?.today_kwh, null);
    assert.equal(demo.tiles().today_kwh, null);
    demo.reading({ at: demo.nowMs, power_w: 1, kwh: 107.1 });
    demo.reading({ at: demo.nowMs + 5000, power_w: 1, kwh: 107.2 });
    assert.equal(todayKwh(), 0.1);
  });

  it('show the newest power, whatever the order in which rows come', () => {
    demo.reading({ at: demo.nowMs, power_w: 300, kwh: 1 });
    demo.reading({ at: demo.nowMs - 5000, power_w: 200, kwh: 1 });
    demo.reading({ at: demo.nowMs, power_w: 300, kwh: 1, redelivered: true });
    assert.equal(demo.meters()[0]?.power_w, 300);
    assert.equal(demo.tiles().stored, 2);
  });

  it('list meters in the order of their names, numbers as numbers', () => {
    for (const meter of ['Flat 10', 'Flat 9', 'Attic']) demo.reading({ meter, at: demo.nowMs, power_w: 1 });
    assert.deepEqual(
      demo.meters().map(({ id }) => id),
      ['Attic', 'Flat 9', 'Flat 10'],
    );
  });

  it('leave meters that fell silent out of the total', () => {
    demo.reading({ meter: 'a', at: demo.nowMs - 60_000, power_w: 1000 });
    demo.reading({ meter: 'b', at: demo.nowMs, power_w: 250 });
    assert.deepEqual(
      demo.meters().map(({ stale }) => stale),
      [true, false],
    );
    assert.equal(demo.tiles().total_w, 250);
  });

  it('put all curves on common times, once for each new row', () => {
    const at = demo.nowMs;
    demo.reading({ meter: 'a', at: at - 5000, power_w: 10 });
    demo.reading({ meter: 'b', at: at - 5000, power_w: 20 });
    demo.reading({ meter: 'a', at, power_w: 11 });
    const curves = demo.run('curves on common times', demo.meters())?.payload as unknown as {
      times: number[];
      series: { power_w: number[] }[];
    };
    assert.deepEqual(curves.times, [at - 5000, at]);
    assert.deepEqual(
      curves.series.map(({ power_w }) => power_w),
      [
        [10, 11],
        [20, 20],
      ],
    );
    assert.equal(demo.run('curves on common times', demo.meters()), null);
  });

  it('keep a limited curve', () => {
    for (let i = 0; i < 500; i++) demo.reading({ at: demo.nowMs + i * 5000, power_w: i });
    const curves = demo.run('curves on common times', demo.meters())?.payload as unknown as { times: number[] };
    assert.equal(curves.times.length, 180);
  });

  it('give every node its own signal', () => {
    demo.run('keep the links', { links: [{ from: 'm1', to: 'h1', rssi_dbm: -61, etx: 1.1 }] });
    const status = demo.run("add each node's own signal", {
      nodes: [{ nodeId: 'm1', rssi_dbm: -80 }, { nodeId: 'gw' }],
    });
    const { nodes: shown } = (status?.payload ?? assert.fail('no status')) as {
      nodes: { signal_dbm: number | null }[];
    };
    assert.deepEqual(
      shown.map(({ signal_dbm }) => signal_dbm),
      [-61, null],
    );
  });
});

describe('flow of the demo', () => {
  const templates = nodes.filter(({ type }) => type === 'ui-template');

  it('needs no other host and never takes data for markup', () => {
    assert.ok(templates.length >= 6);
    for (const { name, format } of templates) {
      assert.doesNotMatch(String(format), /https?:|\/\/[a-z]|@import|v-html|innerHTML/, name);
    }
  });

  it('has every node in a group that lists it, and every wire ends at a node', () => {
    const ids = new Set(nodes.map(({ id }) => id));
    assert.equal(ids.size, nodes.length);
    const groups = nodes.filter(({ type }) => type === 'group');
    const onTab = nodes.filter(({ z, type, name }) => z && type !== 'group' && !String(name).startsWith('Start here'));
    for (const { id, name, g, wires } of onTab) {
      const group = groups.find((each) => each.id === g);
      assert.ok((group?.nodes as string[] | undefined)?.includes(id), `${name} stands outside the groups`);
      for (const target of (wires as string[][]).flat()) assert.ok(ids.has(target), `${name} is wired to nothing`);
    }
  });
});
