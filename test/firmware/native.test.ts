import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { needFile, needTool } from '../support/tools.ts';
import { BACKENDS, type Backend, BUILD_MS_MAX, buildNative, type Program } from './native-build.ts';

const run = promisify(execFile);

const RUN_MS_MAX = 120_000;

async function passes(program: string): Promise<void> {
  const result = await run(program, [], { cwd: repoRoot() }).catch((error: { stdout?: string; stderr?: string }) => {
    assert.fail(`${error.stdout ?? ''}${error.stderr ?? ''}`);
  });
  assert.match(result.stdout, /^[1-9]\d* tests, 0 failed checks$/m);
}

function describeProgram(program: Program, header?: string): void {
  let file: string;

  before(async function () {
    if (!needTool(this, 'g++') || (header && !needFile(this, header))) return;
    this.timeout(BUILD_MS_MAX);
    file = await buildNative(program);
  });

  it('passes its tests under the address and undefined behaviour sanitizers', async function () {
    this.timeout(RUN_MS_MAX);
    await passes(file);
  });
}

describe('firmware core, native', () => {
  describeProgram('native');
});

describe('what boards need around the core, native', () => {
  describeProgram('devices');
});

for (const backend of Object.keys(BACKENDS) as Backend[]) {
  describe(`sessions of the firmware core over ${backend}`, () => {
    describeProgram(`security-${backend}`, BACKENDS[backend].header);
  });
}
