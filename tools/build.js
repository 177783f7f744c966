// Builds everything that is packed or tested: the WASM modules, the compiled TypeScript and the files that must lie beside it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWasm } from '../firmware/wasm/build.js';
import { ROOT, say } from './process.js';

const TYPESCRIPT_FOLDERS = ['nodes', 'firmware', 'test'];
/** The editor offers `examples/` only; complete flows appear in it under this name. */
const DASHBOARDS = 'examples/Dashboards';

/** All files below a folder of the repository as paths from its root, with forward slashes; none when the folder is absent. */
function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

async function buildFirmware(variants) {
  const built = await buildWasm({ variants, report: (line) => say(`  ${line}`) });
  say(`wasm: ${built.map(({ name, bytes, cached }) => `${name} ${bytes} B${cached ? '' : ' (new)'}`).join(', ')}`);
  return ['dist/firmware/wasm/wattmesh.wasm'];
}

function compileTypeScript() {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--noEmitOnError', '--pretty', 'false'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the TypeScript does not compile:\n${stdout.trim()}`);
  const sources = TYPESCRIPT_FOLDERS.flatMap(filesBelow).filter((file) => /(?<!\.d)\.ts$/.test(file));
  say(`tsc: ${sources.length} files`);
  return sources.flatMap((file) => {
    const script = `dist/${file.replace(/\.ts$/, '.js')}`;
    return [script, `${script}.map`];
  });
}

/** Node-RED looks for a node's template, locales and icons beside its script: [source, target] pairs. */
function besideTheNodes() {
  const pairs = [];
  for (const file of filesBelow('nodes')) {
    const [, node, ...rest] = file.split('/');
    const isTemplate = rest.length === 1 && file.endsWith('.html');
    if (!isTemplate && rest[0] !== 'locales') continue;
    pairs.push([file, `dist/${file}`]);
    if (!isTemplate) continue;
    const named = readFileSync(join(ROOT, file), 'utf8').match(/[\w-]+\.svg/g) ?? [];
    for (const icon of new Set(named)) {
      const source = `icons/${icon}`;
      if (existsSync(join(ROOT, source))) pairs.push([source, `dist/nodes/${node}/icons/${icon}`]);
    }
  }
  return pairs;
}

/** Layouts and other data that the simulator reads from beside its scripts. */
function simulatorData() {
  return filesBelow('firmware/simulator')
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file, `dist/${file}`]);
}

function flowsAsExamples() {
  return filesBelow('flows')
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file, `${DASHBOARDS}/${basename(file)}`]);
}

/** Copies what differs. Returns the targets. */
function copyFiles(pairs) {
  let changed = 0;
  for (const [source, target] of pairs) {
    const from = join(ROOT, source);
    const to = join(ROOT, target);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    changed += 1;
  }
  say(`copy: ${pairs.length} files${changed > 0 ? ` (${changed} new)` : ''}`);
  return pairs.map(([, target]) => target);
}

/** Removes outputs whose sources have gone, and the folders they leave empty: a stale node or test would still be loaded. */
function removeStale(wanted) {
  const keep = new Set(wanted);
  const stale = ['dist', DASHBOARDS].flatMap(filesBelow).filter((file) => !keep.has(file));
  for (const file of stale) {
    rmSync(join(ROOT, file));
    let folder = dirname(join(ROOT, file));
    while (folder !== ROOT && readdirSync(folder).length === 0) {
      rmdirSync(folder);
      folder = dirname(folder);
    }
  }
  if (stale.length > 0) say(`removed ${stale.length} stale outputs`);
}

/**
 * Builds all outputs; of the WASM variants those named (`checked` is for tests only). Throws with a readable message when a step
 * fails.
 */
export async function build({ wasm = ['release', 'checked'] } = {}) {
  const firmware = await buildFirmware(wasm);
  const scripts = compileTypeScript();
  const copies = copyFiles([...besideTheNodes(), ...simulatorData(), ...flowsAsExamples()]);
  removeStale([...firmware, ...scripts, ...copies]);
}

/** Builds and ends the process with code 1, after the message, where that fails. */
export async function buildOrExit(options) {
  try {
    await build(options);
  } catch (error) {
    say(`The build failed: ${error.message}`);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildOrExit();
