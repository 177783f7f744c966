import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RawResult } from '../../firmware/simulator/raw/raw-run.ts';

const COMMAND = fileURLToPath(new URL('../../nodes/cli.js', import.meta.url));

/** The example of the command's help. */
const EXAMPLE = {
  durationS: 60,
  payloadBytes: 100,
  maxTransmissions: 5,
  captureDb: null,
  nodes: ['a', 'b', 'c'],
  links: [
    { from: 'a', to: 'b', prr: 1, rssi: -50 },
    { from: 'b', to: 'a', prr: 1, rssi: -50 },
  ],
  interference: [{ from: 'a', to: 'c', sensed: false }],
  traffic: [
    { path: ['a', 'b'], saturated: true },
    { path: ['b', 'broadcast'], ratePerS: 5 },
  ],
};

describe('wattmesh radio', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-radio-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function radio(file: object | undefined, ...args: string[]) {
    const path = join(folder, 'radio.json');
    if (file) writeFileSync(path, JSON.stringify(file));
    return spawnSync(process.execPath, [COMMAND, 'radio', ...(file ? [path] : []), ...args], { encoding: 'utf8' });
  }

  it('prints one JSON object with --json, the same for the same seed', () => {
    const first = radio(EXAMPLE, '--seed', '7', '--json');
    assert.equal(first.status, 0, first.stderr);
    assert.equal(first.stderr, '');
    const result = JSON.parse(first.stdout) as RawResult;
    assert.equal(result.seed, 7);
    const [saturated, broadcast] = result.flows;
    assert.deepEqual(saturated?.path, ['a', 'b']);
    assert.ok((saturated?.goodputKbitPerS ?? 0) > 380);
    assert.ok(Math.abs((broadcast?.offered ?? 0) - 300) < 60);
    const again = JSON.parse(radio(EXAMPLE, '--seed', '7', '--json').stdout) as RawResult;
    assert.deepEqual({ ...again, wallMs: 0 }, { ...result, wallMs: 0 });
  });

  it('prints a line per flow otherwise, and remarks on links that lead nowhere', () => {
    const oneWay = { ...EXAMPLE, links: EXAMPLE.links.slice(0, 1), durationS: 1 };
    const { status, stdout, stderr } = radio(oneWay);
    assert.equal(status, 0);
    assert.match(stdout, /^2 flows, 1 s simulated in .* s, seed 1\na > b: \d+ offered, /);
    assert.match(stderr, /there is no link b back to a: no acknowledgement arrives there/);
    assert.equal(radio(oneWay, '--quiet').stderr, '');
  });

  it('refuses bad input with exit code 2 and says where', () => {
    const traffic = (flow: object) => ({ ...EXAMPLE, traffic: [flow] });
    const cases: [object | undefined, string[], RegExp][] = [
      [undefined, [], /name one scenario file/],
      [EXAMPLE, ['--seed', '-1'], /--seed/],
      [{ ...EXAMPLE, durationS: 0 }, [], /radio\.json: durationS: 0 is not possible/],
      [{ ...EXAMPLE, wattage: 1 }, [], /wattage: there is no such field/],
      [{ ...EXAMPLE, nodes: ['a', 'a'] }, [], /nodes\[1\]: "a" is there already/],
      [{ ...EXAMPLE, nodes: ['a', 'broadcast'] }, [], /nodes\[1\]: "broadcast" is no id/],
      [{ ...EXAMPLE, payloadBytes: 251 }, [], /payloadBytes: 251 is not possible/],
      [{ ...EXAMPLE, maxTransmissions: 0 }, [], /maxTransmissions: 0 is not possible/],
      [{ ...EXAMPLE, captureDb: 'on' }, [], /captureDb: "on" is not possible/],
      [{ ...EXAMPLE, burst: { meanBadS: 1 } }, [], /burst\.meanGoodS: links that are never good/],
      [{ ...EXAMPLE, interference: [{ from: 'a', to: 'c', sensed: 1 }] }, [], /interference\[0\]\.sensed: 1 is not/],
      [{ ...EXAMPLE, interference: [{ from: 'a', to: 'x', sensed: true }] }, [], /interference\[0\]\.to: there is no/],
      [{ ...EXAMPLE, traffic: [] }, [], /traffic: there are 0 flows/],
      [traffic({ path: ['a'], saturated: true }), [], /traffic\[0\]\.path: it has 1 nodes/],
      [traffic({ path: ['a', 'z'], saturated: true }), [], /traffic\[0\]\.path\[1\]: there is no node "z"/],
      [traffic({ path: ['a', 'broadcast', 'b'], saturated: true }), [], /path\[1\]: everybody cannot forward/],
      [traffic({ path: ['a', 'b', 'b'], saturated: true }), [], /path\[2\]: "b" forwards to itself/],
      [traffic({ path: ['a', 'b'] }), [], /traffic\[0\]: how much it offers is not clear/],
      [traffic({ path: ['a', 'b'], saturated: true, ratePerS: 1 }), [], /traffic\[0\]: how much it offers is not/],
      [traffic({ path: ['a', 'b'], ratePerS: 0 }), [], /traffic\[0\]\.ratePerS: 0 is not possible/],
    ];
    for (const [file, args, message] of cases) {
      const { status, stdout, stderr } = radio(file, ...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    }
  });

  it('explains itself', () => {
    const { status, stdout } = radio(undefined, '--help');
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: wattmesh radio FILE/);
  });
});
