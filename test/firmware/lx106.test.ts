import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { needFile, needTool } from '../support/tools.ts';
import { BUILD_MS_MAX, buildLx106, LX106_FILES, LX106_TOOLS, type Lx106Program } from './lx106-build.ts';

const run = promisify(execFile);

const RUN_MS_MAX = 300_000;
const EMULATOR = [
  '-M',
  'sim',
  '-cpu',
  'lx106',
  '-semihosting',
  '-display',
  'none',
  '-monitor',
  'none',
  '-serial',
  'none',
];

describe('firmware on the ESP8266’s processor', () => {
  it('stays within its limits of RAM, code and stack', async function () {
    if (!needTool(this, `${LX106_TOOLS[0]}`) || !LX106_FILES.every((file) => needFile(this, file))) return;
    this.timeout(BUILD_MS_MAX);
    const tool = join(repoRoot(), 'tools/lx106-size.js');
    const { stdout } = await run(process.execPath, [tool]).catch((error: { stderr?: string; message: string }) => {
      assert.fail(error.stderr || error.message);
    });
    const { structs, text } = JSON.parse(stdout) as { structs: Record<string, number>; text: number };
    assert.ok(structs.MeterDevice && structs.HubDevice && text > 0, stdout);
  });
});

describe('firmware on the ESP8266’s processor, emulated', () => {
  for (const program of ['native', 'devices'] satisfies Lx106Program[]) {
    it(`passes the tests "${program}", built with -Os and all warnings as errors`, async function () {
      if (!needTool(this, ...LX106_TOOLS) || !LX106_FILES.every((file) => needFile(this, file))) return;
      this.timeout(BUILD_MS_MAX + RUN_MS_MAX);
      const kernel = await buildLx106(program);
      const { stdout } = await run('qemu-system-xtensa', [...EMULATOR, '-kernel', kernel], {
        timeout: RUN_MS_MAX,
      }).catch((error: { stdout?: string; stderr?: string; message: string }) => {
        assert.fail(`${error.stdout ?? ''}${error.stderr ?? ''}${error.message}`);
      });
      assert.match(stdout, /^[1-9]\d* tests, 0 failed checks$/m);
    });
  }
});
