// Clang from npm, running in this thread: C++ texts in, bytes out. Objects are kept by the hash of everything that goes into them, so
// that a change of one file compiles one file.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { commands } from '@yowasp/clang';

const OBJECTS_KEPT = 400;

/** Version of the pinned compiler: part of every hash. */
export function compilerVersion() {
  const entry = createRequire(import.meta.url).resolve('@yowasp/clang');
  return JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')).version;
}

/** Hash of flags and [path, content] pairs under this compiler, 32 hex digits. */
export function contentHash(flags, files) {
  const hash = createHash('sha256').update(JSON.stringify([compilerVersion(), flags]));
  for (const [path, content] of files) hash.update(`\0${path}\0`).update(content);
  return hash.digest('hex').slice(0, 32);
}

/** Writes through a temporary file in the cache, so that somebody who reads beside us never sees half a file. */
export function writeWhole(file, bytes, cache) {
  mkdirSync(dirname(file), { recursive: true });
  mkdirSync(cache, { recursive: true });
  const temporary = join(cache, `${process.pid}-${threadId}.tmp`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, file);
}

/** The file's bytes, marked as used now; undefined when there is no such file. */
export function readKept(file) {
  if (!existsSync(file)) return undefined;
  const now = new Date();
  utimesSync(file, now, now);
  return readFileSync(file);
}

/** Removes all but the most recently used files of a folder whose name the pattern fits. */
export function dropOld(folder, pattern, kept) {
  const files = readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .map((file) => ({ file, usedMs: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.usedMs - a.usedMs);
  for (const { file } of files.slice(kept)) rmSync(file, { force: true });
}

/** Turns ['a/b.cpp', text] pairs into the compiler's nested file tree. */
function fileTree(files) {
  const tree = {};
  for (const [path, content] of files) {
    const folders = path.split('/');
    const name = folders.pop();
    let folder = tree;
    for (const part of folders) {
      folder[part] ??= {};
      folder = folder[part];
    }
    folder[name] = content;
  }
  return tree;
}

/** Runs clang++ and returns the files it leaves. Throws with its own message when it fails. */
async function clang(args, files) {
  const messages = [];
  const collect = (bytes) => bytes && messages.push(Buffer.from(bytes));
  // Loads the compiler first: left to itself it reports its loading on stdout.
  await commands['clang++'](null, {}, { fetchProgress: () => {} });
  try {
    return await commands['clang++'](args, fileTree(files), { stdout: collect, stderr: collect, decodeASCII: false });
  } catch (error) {
    const text = Buffer.concat(messages).toString().trim();
    throw new Error(`the firmware does not compile to WebAssembly:\n${text || error.message}`, { cause: error });
  }
}

/** .cpp files and headers, apart. */
export function sourcesAndHeaders(files) {
  const isSource = ([path]) => path.endsWith('.cpp');
  return { sources: files.filter(isSource), headers: files.filter((file) => !isSource(file)) };
}

/**
 * Object files for the .cpp files among [path, text] pairs, as [name, bytes] pairs in their order: kept ones, and the others compiled
 * in one go. Throws with the compiler's own message when they do not compile.
 */
export async function compileObjects({ compileFlags: flags, files, cache }) {
  const { sources, headers } = sourcesAndHeaders(files);
  const folder = join(cache, 'objects');
  const units = sources.map(([path, text]) => ({
    path,
    text,
    object: `${basename(path, '.cpp')}.o`,
    kept: join(folder, `${contentHash(flags, [...headers, [path, text]])}.o`),
  }));
  if (new Set(units.map((unit) => unit.object)).size < units.length) {
    throw new Error('two C++ files have the same name: give each its own');
  }
  const known = units.map((unit) => readKept(unit.kept));
  const open = units.filter((_, index) => known[index] === undefined);
  if (open.length === 0) return units.map((unit, index) => [unit.object, known[index]]);
  const input = [...headers, ...open.map(({ path, text }) => [path, text])];
  const made = await clang([...flags, '-c', ...open.map((unit) => unit.path)], input);
  for (const unit of open) writeWhole(unit.kept, made[unit.object], cache);
  dropOld(folder, /\.o$/, OBJECTS_KEPT);
  return units.map((unit, index) => [unit.object, known[index] ?? made[unit.object]]);
}

/** The module must ask its host for the port functions and for nothing else: no clock, file or random source of WASI. */
function refuseForeignImports(bytes) {
  const foreign = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).filter((entry) => entry.module !== 'env');
  if (foreign.length === 0) return;
  const names = foreign.map((entry) => `${entry.module}.${entry.name}`).join(', ');
  throw new Error(
    `the module imports ${names}: the core uses a library function that needs an operating system, remove it`,
  );
}

/**
 * Compiles the .cpp files among [path, text] pairs (the others are headers) and links them. Returns the module's bytes.
 * Throws with the compiler's own message when they do not compile, and when the module would import anything but `env`.
 */
export async function compileModule({ compileFlags, linkFlags, files, cache }) {
  const objects = await compileObjects({ compileFlags, files, cache });
  const linked = await clang([...linkFlags, ...objects.map(([name]) => name), '-o', 'out.wasm'], objects);
  refuseForeignImports(linked['out.wasm']);
  return linked['out.wasm'];
}
