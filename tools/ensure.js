// Runs before start, test and pack: a fresh clone needs Node and npm, nothing else. --release: what users run, without the checked
// firmware of the tests. Only Node's built-ins are imported until the
// dependencies are there.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { cleanInstall, ROOT, say } from './process.js';

/** Modification time in ms, or 0 when there is no such file. */
function modifiedMs(file) {
  return statSync(join(ROOT, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (modifiedMs('node_modules/.package-lock.json') < modifiedMs('package-lock.json')) {
  say('Installing the dependencies (half a minute) …');
  try {
    await cleanInstall(ROOT);
  } catch (error) {
    say(`The dependencies could not be installed: ${error.message}`);
    process.exit(1);
  }
}

const { buildOrExit } = await import('./build.js');
await buildOrExit({ wasm: process.argv.includes('--release') ? ['release'] : undefined });
