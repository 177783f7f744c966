import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';

const run = promisify(execFile);

/** Longest that building a program may take, from nothing. */
export const BUILD_MS_MAX = 180_000;

/** Libraries of the firmware, the folders of their sources by the folder that includes start from. */
export const LIBRARIES = {
  core: 'firmware/lib/wattmesh/src',
  board: 'firmware/lib/board/src',
  inputs: 'firmware/lib/inputs/src',
} as const;
const LIBRARY_SOURCES = { core: 'wattmesh', board: 'board', inputs: 'inputs' } as const;

export interface Toolchain {
  /** Folder of its objects and programs below `.cache`. */
  readonly folder: string;
  readonly compiler: string;
  readonly linker: string;
  readonly flags: readonly string[];
  readonly linkFlags: readonly string[];
}

export interface Recipe {
  /** C++ or assembler. */
  readonly sources: readonly string[];
  readonly libraries?: readonly string[];
}

interface Unit {
  readonly source: string;
  readonly object: string;
}

/** The C++ sources of a library of the firmware. */
export function librarySources(library: keyof typeof LIBRARIES): string[] {
  return sourcesIn(`${LIBRARIES[library]}/${LIBRARY_SOURCES[library]}`);
}

/** The sources that lie in a folder itself. */
export function sourcesIn(folder: string): string[] {
  return projectFiles().filter((file) => /\.(cpp|S)$/.test(file) && dirname(file) === folder);
}

/**
 * Compiles what changed since the last time and links it; returns the program's path. Objects are kept by the hash of everything that goes
 * in, as long as one of `recipes` needs them. Throws with the compiler's message.
 */
export async function buildProgram<Name extends string>(
  toolchain: Toolchain,
  recipes: Readonly<Record<Name, Recipe>>,
  program: Name,
): Promise<string> {
  const folder = join(repoRoot(), '.cache', toolchain.folder);
  mkdirSync(folder, { recursive: true });
  const hashes = objectHashes(toolchain);
  const unitsOf = ({ sources }: Recipe): Unit[] =>
    sources.map((source) => ({ source, object: `${hashes.get(source) as string}.o` }));
  const nameOf = (name: Name): string =>
    `${name}-${hashOf(...toolchain.linkFlags, ...unitsOf(recipes[name]).map(({ object }) => object))}`;

  const units = unitsOf(recipes[program]);
  await compile(toolchain, folder, units);
  const file = join(folder, nameOf(program));
  if (!existsSync(file)) {
    const objects = units.map(({ object }) => join(folder, object));
    const libraries = recipes[program].libraries ?? [];
    await run(toolchain.linker, [...toolchain.linkFlags, ...objects, '-o', file, ...libraries], { cwd: repoRoot() });
  }

  const programs = Object.keys(recipes) as Name[];
  const kept = new Set(
    programs.flatMap((name) => [nameOf(name), ...unitsOf(recipes[name]).map(({ object }) => object)]),
  );
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name), { force: true });
  return file;
}

/** For each source a hash of it, of all headers and of the flags. */
function objectHashes({ compiler, flags, linkFlags }: Toolchain): Map<string, string> {
  const files = projectFiles().filter((file) => /^firmware\/.*\.(cpp|hpp|h|S|ld)$/.test(file));
  const isSource = (file: string): boolean => /\.(cpp|S)$/.test(file);
  const shared = files.filter((file) => !isSource(file)).map(readProjectFile);
  const common = hashOf(compiler, ...flags, ...linkFlags, ...shared);
  return new Map(files.filter(isSource).map((file) => [file, hashOf(common, file, readProjectFile(file))]));
}

async function compile({ compiler, flags }: Toolchain, folder: string, units: readonly Unit[]): Promise<void> {
  const waiting = units.filter(({ object }) => !existsSync(join(folder, object)));
  const compileNext = async (): Promise<void> => {
    for (let unit = waiting.pop(); unit !== undefined; unit = waiting.pop()) {
      await run(compiler, [...flags, '-c', unit.source, '-o', join(folder, unit.object)], { cwd: repoRoot() });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileNext));
}

function hashOf(...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}
