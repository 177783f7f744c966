import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run, say } from './process.js';

/** `3 passed, 0 failed`, and the skipped ones where there are any. */
function summary({ passes, failures, pending }) {
  return `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
}

/**
 * Runs mocha on compiled tests and prints the summary line last. A run that dies before mocha could count is one failure.
 * runner: what stands before mocha's script on the command line (program first), env: additions to the environment.
 * Resolves with true when every test passed.
 */
export async function runMocha({ runner = [process.execPath], files, args = [], env = {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-test-'));
  const countsFile = join(folder, 'counts.json');
  const [program, ...before] = runner;
  const mocha = [join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js'), '--enable-source-maps'];
  const reporter = ['--reporter', join(ROOT, 'tools', 'count-reporter.cjs')];
  try {
    const code = await run(program, [...before, ...mocha, ...reporter, ...args, ...files], {
      env: { ...process.env, ...env, WATTMESH_TEST_COUNTS: countsFile },
      stdout: 'inherit',
    });
    const counts = readCounts(countsFile);
    if (!counts) say('mocha ended before it could count: see its message above.');
    console.log(summary(counts ?? { passes: 0, failures: 1, pending: 0 }));
    return code === 0 && counts?.failures === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
