import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
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
