import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import type { SimulationResult } from '../../firmware/simulator/result.ts';
import { parseScenario, type Scenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { repoRoot } from '../support/root.ts';

const COMMAND = fileURLToPath(new URL('../../nodes/cli.js', import.meta.url));
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

function file(name: string): string {
  return join(repoRoot(), 'test', 'scenarios', `${name}.json`);
}

function scenario(name: string): Scenario {
  return parseScenario(JSON.parse(readFileSync(file(name), 'utf8')));
}

function withoutWallTime({ wallMs: _, ...rest }: SimulationResult): string {
  return JSON.stringify(rest);
}

function promisesKept({ readings, violations }: SimulationResult, seed: number): void {
  assert.deepEqual(violations, [], `seed ${seed}`);
  assert.deepEqual([readings.lost, readings.duplicates], [0, 0], `seed ${seed}`);
}

describe('simulation', function () {
  this.timeout(180_000);

  it('loses nothing and repeats nothing on links that lose a fifth, whatever the seed', async () => {
    for (const seed of SEEDS) {
      const result = await simulate({ scenario: scenario('grid-12'), firmware: loadFirmware(), seed });
      promisesKept(result, seed);
      assert.equal(result.readings.measured, 600, `seed ${seed}`);
      assert.equal(result.readings.delivered, 600, `seed ${seed}`);
    }
  });

  it('loses nothing and repeats nothing while nodes die, come back and are cut off', async () => {
    for (const seed of SEEDS.slice(0, 3)) {
      const result = await simulate({ scenario: scenario('faults-12'), firmware: loadFirmware(), seed });
      promisesKept(result, seed);
      assert.equal(result.readings.pending, 0, `seed ${seed}`);
      assert.ok(result.repairS > 0, `seed ${seed}`);
    }
  });

  it('depends on nothing but scenario and seed', async () => {
    const short = { ...scenario('faults-12'), durationS: 1300, faults: scenario('faults-12').faults.slice(0, 2) };
    const [first, second, other] = [
      await simulate({ scenario: short, firmware: loadFirmware(), seed: 5 }),
      await simulate({ scenario: short, firmware: loadFirmware(), seed: 5 }),
      await simulate({ scenario: short, firmware: loadFirmware(), seed: 6 }),
    ];
    assert.equal(withoutWallTime(first), withoutWallTime(second));
    assert.notEqual(withoutWallTime(first), withoutWallTime(other));
  });

  it('runs without undefined behaviour in the firmware', async () => {
    const short = { ...scenario('grid-12'), durationS: 900 };
    promisesKept(await simulate({ scenario: short, firmware: loadFirmware(true) }), short.seed);
  });

  it('delivers from a mesh that stands in a building, and from a battery meter', async () => {
    const nodes = [
      { id: 'gw', role: 'gateway', x: 0, y: 0 },
      { id: 'h1', role: 'hub', x: 25, y: 0 },
      { id: 'm1', role: 'meter', x: 40, y: 5 },
      { id: 'm2', role: 'meter', power: 'battery', x: 40, y: -5 },
    ];
    const progress: number[] = [];
    const result = await simulate({
      scenario: parseScenario({ durationS: 600, warmupS: 120, nodes }),
      firmware: loadFirmware(),
      progress: (atS) => progress.push(atS),
    });
    promisesKept(result, 1);
    assert.equal(result.pdr, 1);
    assert.ok(result.energy.meanRouterMilliAmp > 100);
    assert.ok(result.energy.leafMilliJoulePerReading > 0);
    assert.deepEqual(
      [...progress].sort((a, b) => a - b),
      progress,
    );
  });
});

describe('wattmesh sim', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-sim-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function sim(...args: string[]) {
    return spawnSync(process.execPath, [COMMAND, 'sim', ...args], { encoding: 'utf8' });
  }

  /** A short scenario in a file, with fields replaced. */
  function write(changes: object): string {
    const path = join(folder, 'scenario.json');
    const nodes = [
      { id: 'gw', role: 'gateway' },
      { id: 'm1', role: 'meter' },
    ];
    const links = [
      { from: 'gw', to: 'm1', prr: 1 },
      { from: 'm1', to: 'gw', prr: 1 },
    ];
    writeFileSync(path, JSON.stringify({ name: 'pair', durationS: 300, nodes, links, ...changes }));
    return path;
  }

  it('prints one JSON object and nothing else with --json --quiet', () => {
    const path = write({});
    const { status, stdout, stderr } = sim(path, '--json', '--quiet', '--seed', '3');
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    const result = JSON.parse(stdout) as SimulationResult;
    assert.equal(result.readings.delivered, 5);
    assert.equal(result.simS, 540);
    const again = JSON.parse(sim(path, '--json', '--quiet', '--seed', '3').stdout) as SimulationResult;
    assert.equal(withoutWallTime(again), withoutWallTime(result));
  });

  it('prints a summary otherwise', () => {
    const { status, stdout } = sim(write({}), '--quiet', '--seed', '3');
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^pair: 2 nodes, 540 s simulated in .* s, seed 3\nreadings +5 measured, 5 delivered, 0 pending, 0 lost, 0 duplicates\n/,
    );
  });

  it('refuses bad input with exit code 2 and says where', () => {
    const cases: [string[], RegExp][] = [
      [[write({ durationS: 'long' })], /scenario\.json: durationS: "long" is not possible/],
      [[join(folder, 'absent.json')], /absent\.json cannot be read as JSON/],
      [[file('grid-12'), '--seed', 'x'], /--seed x is not possible: give a whole number/],
      [[file('grid-12'), '--fast'], /'--fast'/],
      [[], /name one scenario file/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = sim(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    }
  });

  it('explains itself', () => {
    const { status, stdout } = sim('--help');
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: wattmesh sim FILE/);
  });
});
