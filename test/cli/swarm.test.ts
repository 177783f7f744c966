import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repoRoot } from '../support/root.ts';

const COMMAND = fileURLToPath(new URL('../../nodes/cli.js', import.meta.url));
/** The folder of the compiled package that this test runs from. */
const COMPILED = fileURLToPath(new URL('../../', import.meta.url));

/** A module that has what the simulator calls first, and traps at boot. */
const TRAPPING_FIRMWARE = Buffer.from(
  [
    '0061736d01000000',
    '010501600001 7f',
    '0303020000',
    '0503010001',
    '071c 03 066d656d6f72790200 05776d5f696f0000 07776d5f626f6f740001',
    '0a0a 02 040041000b 0300000b',
  ]
    .join('')
    .replaceAll(' ', ''),
  'hex',
);

interface Failed {
  readonly seed: number;
  readonly findings: readonly { readonly kind: string }[];
  readonly shrunk: { readonly nodes: number; readonly faults: number };
  readonly file: string;
}

describe('wattmesh swarm', function () {
  this.timeout(120_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-swarm-test-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function call(command: string, ...args: string[]) {
    return spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  }

  it('prints one JSON object with --json and its progress on stderr', () => {
    const keep = join(folder, 'none');
    const { status, stdout, stderr } = call(
      COMMAND,
      'swarm',
      ...['--first', '5', '--seeds', '2', '--nodes', '4', '--jobs', '2', '--keep', keep, '--json'],
    );
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    assert.deepEqual([result.first, result.seeds, result.failed], [5, 2, []]);
    assert.ok(result.readings.measured > 0);
    assert.match(stderr, /^1 of 2: seed [56], [34] nodes, \d+ faults, \d+ s: fine/);
    assert.equal(existsSync(keep), false, 'a folder comes into being with the first failure');
  });

  it('keeps a failing seed as a small scenario file that wattmesh sim plays', () => {
    const broken = join(folder, 'broken');
    for (const part of ['nodes', 'firmware'])
      cpSync(join(COMPILED, part), join(broken, 'dist', part), { recursive: true });
    cpSync(join(repoRoot(), 'package.json'), join(broken, 'package.json'));
    symlinkSync(join(repoRoot(), 'node_modules'), join(broken, 'node_modules'));
    mkdirSync(join(broken, 'dist', 'firmware', 'wasm'), { recursive: true });
    writeFileSync(join(broken, 'dist', 'firmware', 'wasm', 'wattmesh.wasm'), TRAPPING_FIRMWARE);
    const command = join(broken, 'dist', 'nodes', 'cli.js');
    const keep = join(folder, 'kept');
    const swarm = ['swarm', '--seeds', '2', '--keep', keep, '--quiet'];
    const { status, stdout, stderr } = call(command, ...swarm, '--json');
    assert.equal(status, 1, stderr);
    assert.equal(stderr, '');
    const failed = JSON.parse(stdout).failed as Failed[];
    assert.deepEqual(
      failed.map(({ seed, findings }) => [seed, findings[0]?.kind]),
      [
        [1, 'trap'],
        [2, 'trap'],
      ],
    );
    for (const { shrunk, file } of failed) {
      assert.ok(shrunk.nodes <= 8 && shrunk.faults === 0, `${shrunk.nodes} nodes, ${shrunk.faults} faults`);
      const replayed = call(command, 'sim', file, '--quiet');
      assert.equal(replayed.status, 1);
      assert.match(replayed.stderr, /trap/);
    }
    const asText = call(command, ...swarm);
    assert.match(asText.stdout, /seed 2 failed, \d+ nodes.*\n {2}trap: .*\n {2}play it: wattmesh sim .*seed-2\.json/);
  });

  it('refuses bad input with exit code 2 and says what to give', () => {
    const cases: [string[], RegExp][] = [
      [['--seeds', '0'], /--seeds 0 is not possible: give a whole number from 1 to/],
      [['--jobs', 'two'], /--jobs two is not possible/],
      [['--minutes', '0'], /--minutes 0 is not possible/],
      [['--nodes', '2'], /--nodes 2 is not possible/],
      [['--first', '-1'], /--first/],
      [['file.json'], /file\.json/],
      [['--sheds', '1'], /--sheds/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = call(COMMAND, 'swarm', ...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    }
  });

  it('explains itself', () => {
    const { status, stdout } = call(COMMAND, 'swarm', '--help');
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: wattmesh swarm/);
  });
});
