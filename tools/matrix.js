// npm run test:matrix [-- mocha arguments]: the tests that concern Node-RED, on Node-RED 5 with Node 24.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runMocha } from './mocha.js';
import { cleanInstall, ROOT, run, say } from './process.js';

const FOLDER = join(ROOT, '.matrix');
const MODULES = join(FOLDER, 'node_modules');
const LOCK_FOLDER = join(ROOT, 'tools', 'matrix');
const LOCK = join(LOCK_FOLDER, 'package-lock.json');
const NODE = join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const TESTS = ['nodes', 'flows', 'package', 'browser'].map((folder) => `dist/test/${folder}/**/*.test.js`);

function isFresh() {
  const installed = join(FOLDER, 'package-lock.json');
  return (
    existsSync(join(MODULES, '.package-lock.json')) &&
    existsSync(installed) &&
    readFileSync(installed).equals(readFileSync(LOCK)) &&
    nodeVersion() !== undefined
  );
}

/** The version the installed Node says it has, undefined when it does not run. */
function nodeVersion() {
  const { status, stdout } = spawnSync(NODE, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

async function install() {
  say('Installing Node 24 and Node-RED 5 into .matrix (a minute) …');
  mkdirSync(FOLDER, { recursive: true });
  const sources = [join(ROOT, '.npmrc'), join(LOCK_FOLDER, 'package.json'), LOCK];
  for (const source of sources) copyFileSync(source, join(FOLDER, basename(source)));
  await cleanInstall(FOLDER);
  // The package `node` fetches its binary in an install script, which newer versions of npm no longer run by themselves.
  if (nodeVersion() === undefined) {
    await run(process.execPath, ['installArchSpecificPackage.js'], { cwd: join(MODULES, 'node') });
  }
  if (nodeVersion() === undefined) throw new Error(`the npm package "node" brought no Node that runs here (${NODE})`);
}

if (!isFresh()) await install();
const nodeRed = join(MODULES, 'node-red');
const { version } = JSON.parse(readFileSync(join(nodeRed, 'package.json'), 'utf8'));
say(`Node-RED ${version} on Node ${nodeVersion()}`);
const passed = await runMocha({
  runner: [NODE],
  files: TESTS,
  args: process.argv.slice(2),
  env: { WATTMESH_NODE_RED: nodeRed },
});
process.exitCode = passed ? 0 : 1;
