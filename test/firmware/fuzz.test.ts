import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { needTool } from '../support/tools.ts';

const run = promisify(execFile);

const TARGETS = ['radio', 'envelope', 'batch', 'downlink'];
/** Inputs per target: some seconds in all. They are the same each time. */
const RUNS = 1000;
const BUILD_AND_RUN_MS_MAX = 600_000;

/** Whether this clang++ comes with the fuzzer's run-time library, which Debian packages apart (libclang-rt-14-dev). */
function hasFuzzer(): boolean {
  const input = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }';
  const args = ['-fsanitize=fuzzer,address,undefined', '-x', 'c++', '-', '-o', '/dev/null'];
  return spawnSync('clang++', args, { input }).status === 0;
}

describe('firmware core, fuzzed', () => {
  it('survives what was found once, the vectors and their first mutations', async function () {
    if (!needTool(this, 'clang++')) return;
    if (!hasFuzzer()) {
      if (process.env.WATTMESH_SHARED) assert.fail('install libclang-rt-14-dev: this machine promises it to the tests');
      this.skip();
    }
    this.timeout(BUILD_AND_RUN_MS_MAX);
    const args = [join(repoRoot(), 'tools', 'fuzz.js'), '--runs', String(RUNS)];
    const { stdout } = await run(process.execPath, args).catch((error: { stdout?: string; stderr?: string }) => {
      assert.fail(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    });
    for (const target of TARGETS) {
      const [, executions] = new RegExp(`^${target}: (\\d+) executions, .* 0 findings$`, 'm').exec(stdout) ?? [];
      assert.ok(Number(executions) >= RUNS, `${target}: ${stdout}`);
    }
  });
});
