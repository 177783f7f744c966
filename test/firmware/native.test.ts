import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';
import { needTool } from '../support/tools.ts';

const run = promisify(execFile);

const CORE = 'firmware/lib/wattmesh/src';
const TESTS = 'firmware/test/native';
/** Of the WASM port only what judges the codecs: the rest talks to a JavaScript host. */
const JUDGE = ['firmware/wasm/io.cpp', 'firmware/wasm/judge.cpp'];
const FLAGS = [
  ...[
    '-std=c++17',
    '-O1',
    '-g',
    '-fno-exceptions',
    '-fno-rtti',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ],
  ...['-Wall', '-Wextra', '-Wconversion', '-Werror', `-I${CORE}`, '-Ifirmware/wasm'],
];
const BUILD_MS_MAX = 180_000;
const RUN_MS_MAX = 120_000;

function hashOf(...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}

/** Compiles what changed since the last time and links it; objects are kept by the hash of everything that goes in. */
async function build(folder: string): Promise<string> {
  const files = projectFiles().filter((file) => /^firmware\/.*\.(cpp|hpp)$/.test(file));
  const headers = hashOf(...FLAGS, ...files.filter((file) => file.endsWith('.hpp')).map(readProjectFile));
  const isOurs = (file: string) => file.startsWith(`${CORE}/`) || file.startsWith(`${TESTS}/`) || JUDGE.includes(file);
  const sources = files.filter((file) => file.endsWith('.cpp') && isOurs(file));
  const units = sources.map((source) => ({ source, object: `${hashOf(headers, source, readProjectFile(source))}.o` }));
  const program = `native-${hashOf(...units.map(({ object }) => object))}`;
  mkdirSync(folder, { recursive: true });
  const waiting = units.filter(({ object }) => !existsSync(join(folder, object)));
  const compileNext = async (): Promise<void> => {
    for (let unit = waiting.pop(); unit !== undefined; unit = waiting.pop()) {
      await run('g++', [...FLAGS, '-c', unit.source, '-o', join(folder, unit.object)], { cwd: repoRoot() });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileNext));
  const objects = units.map(({ object }) => join(folder, object));
  if (!existsSync(join(folder, program)))
    await run('g++', [...FLAGS, ...objects, '-o', join(folder, program)], { cwd: repoRoot() });
  const kept = new Set([program, ...units.map(({ object }) => object)]);
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name), { force: true });
  return join(folder, program);
}

describe('firmware core, native', () => {
  let program: string;

  before(async function () {
    if (!needTool(this, 'g++')) return;
    this.timeout(BUILD_MS_MAX);
    program = await build(join(repoRoot(), '.cache', 'native'));
  });

  it('passes its tests under the address and undefined behaviour sanitizers', async function () {
    this.timeout(RUN_MS_MAX);
    const result = await run(program, [], { cwd: repoRoot() }).catch((error: { stdout?: string; stderr?: string }) => {
      assert.fail(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    });
    assert.match(result.stdout, /^[1-9]\d* tests, 0 failed checks$/m);
  });
});
