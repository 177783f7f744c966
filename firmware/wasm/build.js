// Compiles the firmware core to WebAssembly with the pinned clang from npm. Results are kept by the hash of everything that goes
// in, so that an unchanged core costs nothing, also after dist/ was removed.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { contentHash, dropOld, readKept, sourcesAndHeaders, writeWhole } from './compiler.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CORE = 'firmware/lib/wattmesh/src';
const PORT = 'firmware/wasm';
const STACK_BYTES = 64 * 1024;
/** Results kept per variant, so that going back and forth between some states of the core stays instant. */
const MODULES_KEPT = 8;
/** Each thread loads a compiler of its own, some 400 MB. */
const THREADS_MAX = 4;

export const COMPILE_FLAGS = [
  ...['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics'],
  ...['-Wall', '-Wextra', '-Wconversion', '-Werror', '-Wno-unknown-attributes', `-I${CORE}`],
];

// --stack-first: a stack overflow traps instead of overwriting data. No --initial-memory: the linker takes the least that holds
// stack and data, which is what five hundred instances in one process want.
export const LINK_FLAGS = ['-mexec-model=reactor', `-Wl,--stack-first,-z,stack-size=${STACK_BYTES}`];

const VARIANTS = [
  {
    name: 'release',
    compileFlags: [...COMPILE_FLAGS, '-Os'],
    linkFlags: [...LINK_FLAGS, '-Wl,--strip-all'],
    output: 'dist/firmware/wasm/wattmesh.wasm',
  },
  {
    name: 'checked',
    compileFlags: [...COMPILE_FLAGS, '-O1', '-g', '-fsanitize=undefined', '-fsanitize-trap=undefined'],
    linkFlags: LINK_FLAGS,
    output: '.cache/wasm/wattmesh.checked.wasm',
  },
];

/** Every C++ file below a folder of the repository, as sorted paths from the root with forward slashes. */
function cppFilesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(cpp|hpp|h|inc)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Sources and headers of the core and the WASM port as [path, text] pairs. Throws when there is nothing to compile. */
export function readSources(root = ROOT) {
  const paths = [...cppFilesBelow(root, CORE), ...cppFilesBelow(root, PORT)];
  if (!paths.some((path) => path.endsWith('.cpp'))) {
    throw new Error(`no C++ sources under ${CORE} and ${PORT}: the checkout is incomplete`);
  }
  return paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]);
}

/** Runs a job of compile-worker.js in a thread of its own and resolves with its answer. */
function inWorker(job) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./compile-worker.js', import.meta.url), { workerData: job });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the compiler ended without a result')));
  });
}

/** Compiles the objects on several threads, then links them. */
async function compileOnThreads(job, threads) {
  const { sources, headers } = sourcesAndHeaders(job.files);
  const parts = Array.from({ length: threads }, (_, part) =>
    sources.filter((_source, index) => index % threads === part),
  );
  await Promise.all(parts.map((part) => inWorker({ ...job, files: [...headers, ...part], objectsOnly: true })));
  return inWorker(job);
}

async function buildVariant({ name, compileFlags, linkFlags, output }, { root, cache, files, threads, report }) {
  const kept = join(cache, `${name}-${contentHash([compileFlags, linkFlags], files)}.wasm`);
  const known = readKept(kept);
  if (!known) report(`compiling the firmware core to WebAssembly (${name}) …`);
  const bytes = known ?? (await compileOnThreads({ compileFlags, linkFlags, files, cache }, threads));
  if (!known) {
    writeWhole(kept, bytes, cache);
    dropOld(cache, new RegExp(`^${name}-.*\\.wasm$`), MODULES_KEPT);
  }
  const target = join(root, output);
  if (!existsSync(target) || !readFileSync(target).equals(bytes)) writeWhole(target, bytes, cache);
  return { name, output, bytes: bytes.length, cached: known !== undefined };
}

/**
 * Builds the release module (packed, dist/firmware/wasm) and the checked one (UBSan traps, for tests, .cache/wasm); `variants` names
 * the wanted ones. Returns for each its name, output path from the root, size in bytes and whether it came from the cache.
 * Throws with the compiler's message when the core does not compile.
 */
export async function buildWasm({ root = ROOT, variants = ['release', 'checked'], report = () => {} } = {}) {
  const wanted = VARIANTS.filter(({ name }) => variants.includes(name));
  const threads = Math.max(1, Math.floor(Math.min(availableParallelism(), THREADS_MAX) / wanted.length));
  const context = { root, cache: join(root, '.cache', 'wasm'), files: readSources(root), threads, report };
  const results = await Promise.allSettled(wanted.map((variant) => buildVariant(variant, context)));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
  return results.map(({ value }) => value);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, output, bytes, cached } of await buildWasm({ report: console.error })) {
    console.log(`${name} ${output} ${bytes} B${cached ? ' (unchanged)' : ''}`);
  }
}
