import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needTool } from '../support/tools.ts';
import { BUILD_MS_MAX, buildNative } from './native-build.ts';

interface CapturedFrame {
  readonly t?: string;
  readonly hex: string;
  readonly addr?: number;
  readonly voltage_V: number;
  readonly current_A: number;
  readonly power_W: number;
  readonly energy_Wh: number;
  readonly frequency_Hz: number;
  readonly power_factor: number;
  readonly alarm: boolean;
}

/** What real meters have said; not part of the project. */
const CAPTURES = process.env.WATTMESH_SHARED && join(process.env.WATTMESH_SHARED, 'captures', 'pzem', 'dev');

function framesOf(name: string): CapturedFrame[] {
  return (JSON.parse(readFileSync(join(CAPTURES as string, name), 'utf8')) as { frames: CapturedFrame[] }).frames;
}

/** The words that the program answers a reading with, in the meter's units. */
function wordsOf(frame: CapturedFrame): string {
  const values = [
    [frame.voltage_V, 10],
    [frame.current_A, 1000],
    [frame.power_W, 10],
    [frame.energy_Wh, 1],
    [frame.frequency_Hz, 10],
    [frame.power_factor, 100],
  ] as const;
  return [...values.map(([value, unit]) => Math.round(value * unit)), frame.alarm ? 1 : 0].join(' ');
}

describe('PZEM, captured', () => {
  let program: string;

  function answers(lines: readonly string[]): string[] {
    const { stdout, stderr, status } = spawnSync(program, { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout.trimEnd().split('\n');
  }

  before(async function () {
    if (!CAPTURES || !existsSync(CAPTURES)) {
      this.skip();
      return;
    }
    if (!needTool(this, 'g++')) return;
    this.timeout(BUILD_MS_MAX);
    program = await buildNative('captures');
  });

  it('reads every reply as its register map says', () => {
    const names = readdirSync(CAPTURES as string).filter((name) => name.endsWith('.json') && name !== 'requests.json');
    const frames = names.flatMap(framesOf);
    assert.ok(frames.length >= 33, `${frames.length} frames: captures are missing`);
    assert.deepEqual(answers(frames.map(({ hex }) => hex)), frames.map(wordsOf));
  });

  it('finds every reply in one stream of bytes', () => {
    const names = readdirSync(CAPTURES as string).filter((name) => name.endsWith('.json') && name !== 'requests.json');
    for (const name of names) {
      const stream = readFileSync(join(CAPTURES as string, name.replace(/json$/, 'bin'))).toString('hex');
      const bytes = ['00', 'F8', '04', ...(stream.match(/../g) ?? [])];
      assert.deepEqual(answers([bytes.join(' ')]), framesOf(name).map(wordsOf), name);
    }
  });

  it('asks with the bytes that others ask with', () => {
    const frames = framesOf('requests.json');
    const asked = answers(frames.map(({ hex }) => `request ${Number.parseInt(hex.slice(0, 2), 16)}`));
    assert.deepEqual(
      asked,
      frames.map(({ hex }) => hex),
    );
  });
});
