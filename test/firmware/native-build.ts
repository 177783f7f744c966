import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';

const run = promisify(execFile);

const CORE = 'firmware/lib/wattmesh/src/wattmesh';
const TESTS = 'firmware/test/native';
/** Of the WASM port only what judges the codecs: the rest talks to a JavaScript host. */
const JUDGE = ['firmware/wasm/io.cpp', 'firmware/wasm/judge.cpp'];
const HARNESS = ['main.cpp', 'device.cpp', 'sha256.cpp'].map((name) => `${TESTS}/${name}`);
const FLAGS = [
  ...['-std=c++17', '-O1', '-g', '-fno-exceptions', '-fno-rtti'],
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  ...['-Wall', '-Wextra', '-Wconversion', '-Werror', `-I${dirname(CORE)}`, '-Ifirmware/wasm'],
];
/** Longest that building a program may take, from nothing. */
export const BUILD_MS_MAX = 180_000;

/** The libraries that stand in for the chips' cryptography, with a header that tells whether one is installed. */
export const BACKENDS = {
  libsodium: { library: '-lsodium', header: '/usr/include/sodium.h' },
  bearssl: { library: '-lbearssl', header: '/usr/include/bearssl.h' },
} as const;
export type Backend = keyof typeof BACKENDS;

/** `native`: the core's own tests; `security-…`: those of its sessions; `oracle-…`: answers questions about cryptography. */
export type Program = 'native' | `security-${Backend}` | `oracle-${Backend}`;

interface Recipe {
  readonly sources: readonly string[];
  readonly libraries: readonly string[];
}

interface Unit {
  readonly source: string;
  readonly object: string;
}

/**
 * Compiles what changed since the last time, under the address and undefined behaviour sanitizers, and links it; returns the program's path.
 * Objects are kept by the hash of everything that goes in. Throws with the compiler's message.
 */
export async function buildNative(program: Program): Promise<string> {
  const folder = join(repoRoot(), '.cache', 'native');
  mkdirSync(folder, { recursive: true });
  const all = recipes();
  const hashes = objectHashes();
  const unitsOf = ({ sources }: Recipe): Unit[] =>
    sources.map((source) => ({ source, object: `${hashes.get(source) as string}.o` }));
  const nameOf = (name: Program): string => `${name}-${hashOf(...unitsOf(all[name]).map(({ object }) => object))}`;

  await compile(folder, unitsOf(all[program]));
  const file = join(folder, nameOf(program));
  const objects = unitsOf(all[program]).map(({ object }) => join(folder, object));
  if (!existsSync(file)) await run('g++', [...FLAGS, ...objects, '-o', file, ...all[program].libraries]);

  const programs = Object.keys(all) as Program[];
  const kept = new Set(programs.flatMap((name) => [nameOf(name), ...unitsOf(all[name]).map(({ object }) => object)]));
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name), { force: true });
  return file;
}

function recipes(): Readonly<Record<Program, Recipe>> {
  const core = sourcesIn(CORE);
  const security = sourcesIn(`${TESTS}/security`);
  const headEnd = security.filter((file) => !file.endsWith('.test.cpp'));
  const forBackend = (backend: Backend) => {
    const chip = [`${TESTS}/backends/${backend}.cpp`];
    const libraries = [BACKENDS[backend].library];
    return {
      [`security-${backend}`]: { sources: [...core, ...HARNESS, ...security, ...chip], libraries },
      [`oracle-${backend}`]: { sources: [...core, ...headEnd, ...sourcesIn(`${TESTS}/oracle`), ...chip], libraries },
    };
  };
  return {
    native: { sources: [...core, ...sourcesIn(TESTS), ...JUDGE], libraries: [] },
    ...forBackend('libsodium'),
    ...forBackend('bearssl'),
  } as Readonly<Record<string, Recipe>> as Readonly<Record<Program, Recipe>>;
}

/** The C++ sources that lie in a folder itself. */
function sourcesIn(folder: string): string[] {
  return projectFiles().filter((file) => file.endsWith('.cpp') && dirname(file) === folder);
}

/** For each source a hash of it, of all headers and of the flags. */
function objectHashes(): Map<string, string> {
  const files = projectFiles().filter((file) => /^firmware\/.*\.(cpp|hpp)$/.test(file));
  const headers = hashOf(...FLAGS, ...files.filter((file) => file.endsWith('.hpp')).map(readProjectFile));
  return new Map(files.map((file) => [file, hashOf(headers, file, readProjectFile(file))]));
}

async function compile(folder: string, units: readonly Unit[]): Promise<void> {
  const waiting = units.filter(({ object }) => !existsSync(join(folder, object)));
  const compileNext = async (): Promise<void> => {
    for (let unit = waiting.pop(); unit !== undefined; unit = waiting.pop()) {
      await run('g++', [...FLAGS, '-c', unit.source, '-o', join(folder, unit.object)], { cwd: repoRoot() });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileNext));
}

function hashOf(...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}
