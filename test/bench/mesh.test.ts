import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repoRoot } from '../support/root.ts';

const BENCH = join(repoRoot(), 'tools', 'bench.js');

interface Link {
  from: string;
  to: string;
  prr: number;
}
type BoundOf = (links: Link[], gateway: string, meters: string[]) => { etx: number; dataOnly: number };
type MakePlan = () => { nodes: { id: string; role: string }[]; links: Link[] };

function load(file: string): Promise<Record<string, unknown>> {
  return import(pathToFileURL(join(repoRoot(), 'tools', 'bench', 'mesh', file)).href);
}

function bench(...args: string[]) {
  return spawnSync(process.execPath, [BENCH, 'mesh', ...args], { encoding: 'utf8' });
}

function bothWays(from: string, to: string, there: number, back: number): Link[] {
  return [
    { from, to, prr: there },
    { from: to, to: from, prr: back },
  ];
}

describe('npm run bench -- mesh', function () {
  this.timeout(120_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-bench-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('compares the modes on one topology, prints one JSON object and draws it', () => {
    const plot = join(folder, 'mesh.svg');
    const { status, stdout, stderr } = bench('--json', '--quick', '--plot', plot);
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    const { variants } = result.scenarios['line-8'];
    assert.deepEqual(Object.keys(variants), ['one hub', 'several hubs', 'flooding']);
    for (const [name, { readings, violations, framesPerReading, bound }] of Object.entries<
      Record<string, Record<string, number>>
    >(variants)) {
      assert.equal(readings?.lost, 0, name);
      assert.ok((readings?.delivered ?? 0) > 0, name);
      assert.equal(violations?.count, 0, name);
      assert.ok((framesPerReading?.total ?? 0) > (bound?.dataOnly ?? 0), name);
    }
    assert.equal(variants.flooding.framesPerReading.poll, 0);
    const svg = readFileSync(plot, 'utf8');
    assert.match(svg, /^<svg .*<\/svg>\n$/s);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  });

  it('refuses what it does not know', () => {
    for (const args of [['--scenario', 'moon'], ['--seeds', '0'], ['--fast'], ['--part', 'luck']]) {
      const { status, stderr } = bench(...args);
      assert.notEqual(status, 0);
      assert.match(stderr, /scenario moon|--seeds 0|--fast|part luck/);
    }
  });
});

interface FaultyFile {
  durationS: number;
  faults: Record<string, unknown>[];
  hubKill?: { atS: number; place: number };
}
type Rehearse = (file: FaultyFile) => Promise<{ metersThroughHubs: Record<string, number> }>;
type HubKillOf = (file: FaultyFile, rehearse: Rehearse) => Promise<FaultyFile>;
type FaultsOf = (topology: unknown) => Record<string, (seed: number) => FaultyFile>;

describe('the faults of the bench', () => {
  it('kill the busiest hub of that moment, or the one in the middle of those that serve anybody', async () => {
    const { hubKillOf } = (await load('faults.js')) as { hubKillOf: HubKillOf };
    const rehearse: Rehearse = async ({ durationS, faults }) => {
      assert.deepEqual([durationS, faults], [1235, []]);
      return { metersThroughHubs: { h1: 0, h2: 3, h3: 40, h4: 7 } };
    };
    for (const [place, kill] of [
      [0, 'h3'],
      [0.5, 'h4'],
    ] as const) {
      const file = await hubKillOf({ durationS: 3000, faults: [], hubKill: { atS: 1236, place } }, rehearse);
      assert.deepEqual(file, { durationS: 3000, faults: [{ atS: 1236, kill }] });
    }
  });

  it('cut the power of every node once, and cut off the half that is farther from the gateway', async () => {
    const { faultsOf } = (await load('faults.js')) as { faultsOf: FaultsOf };
    const nodes = ['gw', 'm1', 'm2', 'm3', 'm4'].map((id) => ({ id, role: id === 'gw' ? 'gateway' : 'meter' }));
    const links = nodes.slice(1).flatMap(({ id }, index) => bothWays(id, nodes[index]?.id ?? '', 0.9, 0.9));
    const faults = faultsOf({ nodes, links });
    const cut = faults['every node power-cut once']?.(1).faults.map(({ powerCut }) => powerCut);
    assert.deepEqual(cut, ['gw', 'm1', 'm2', 'm3', 'm4']);
    const [partition] = faults['partition for 1 h']?.(2).faults ?? [];
    assert.deepEqual(partition, { atS: 1212, partition: ['m4', 'm3'] });
  });
});

describe('the bound of a topology', () => {
  it('is the least number of transmissions to the gateway, with and without the acknowledgement', async () => {
    const { boundOf } = (await load('bound.js')) as { boundOf: BoundOf };
    // By b: 1 / (0.8 * 0.5) + 1; straight: 1 / 0.25. Without acknowledgements by b too: 1 / 0.8 + 1 against 4.
    const links = [...bothWays('a', 'b', 0.8, 0.5), ...bothWays('b', 'gw', 1, 1), ...bothWays('a', 'gw', 0.25, 1)];
    assert.deepEqual(boundOf(links, 'gw', ['a']), { etx: 3.5, dataOnly: 2.25 });
    assert.deepEqual(boundOf(links, 'gw', ['a', 'b']), { etx: 2.25, dataOnly: 1.625 });
  });

  it('takes no way that has no way back', async () => {
    const { boundOf } = (await load('bound.js')) as { boundOf: BoundOf };
    const links = [{ from: 'a', to: 'gw', prr: 1 }];
    assert.equal(boundOf(links, 'gw', ['a']).etx, Number.POSITIVE_INFINITY);
  });

  it('exists for every meter of every topology, the same at every run', async () => {
    const { boundOf } = (await load('bound.js')) as { boundOf: BoundOf };
    const { SCENARIOS } = (await load('scenarios.js')) as { SCENARIOS: Record<string, { make: MakePlan }> };
    for (const [name, { make }] of Object.entries(SCENARIOS)) {
      const { nodes, links } = make();
      const meters = nodes.filter(({ role }) => role === 'meter').map(({ id }) => id);
      assert.ok(Number.isFinite(boundOf(links, 'gw', meters).etx), name);
      assert.deepEqual(make().links, links, name);
    }
  });
});
