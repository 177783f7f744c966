import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';
import { needTool } from '../support/tools.ts';
import { type Environment, environments } from './platformio.ts';
import { LIBRARIES } from './program-build.ts';

const run = promisify(execFile);

const COMPILE_MS_MAX = 180_000;
const FAKES = 'firmware/test/fakes';
/** The generations of each chip's SDK, by the folders of their fakes. */
const GENERATIONS = {
  esp32: [
    ['esp32-idf44', 'esp32'],
    ['esp32-idf51', 'esp32'],
    ['esp32-idf55', 'esp32'],
  ],
  esp8266: [['esp8266']],
} as const;
const FLAGS = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra', '-Werror', '-fsyntax-only'];

const files = projectFiles().filter((file) => file.startsWith('firmware/'));

/** The source files that a filter names: a file, the files of a folder (`*.cpp`), or all below one. */
function sourcesOf({ sources }: Environment): string[] {
  return sources.flatMap((pattern) => {
    const found = files.filter((file) => {
      if (!file.endsWith('.cpp')) return false;
      if (pattern.endsWith('/')) return file.startsWith(pattern);
      return pattern.endsWith('*.cpp') ? dirname(file) === dirname(pattern) : file === pattern;
    });
    assert.ok(found.length > 0, `platformio.ini names ${pattern}, which is not there`);
    return found;
  });
}

/** Cryptography is compiled, and judged, over the real libraries: native.test.ts and crypto-vectors.test.ts. */
function isCompiledHere(source: string): boolean {
  return !source.includes('/ports/crypto/');
}

/** Each compilation once, as the compiler's arguments, with the environment that wants it. */
function compilations(): Map<string, { readonly args: readonly string[]; readonly name: string }> {
  const found = new Map<string, { args: readonly string[]; name: string }>();
  for (const environment of environments()) {
    const generations = GENERATIONS[environment.platform.includes('espressif8266') ? 'esp8266' : 'esp32'];
    for (const source of sourcesOf(environment).filter(isCompiledHere)) {
      for (const folders of generations) {
        const includes = [...folders, 'common'].map((folder) => `-I${FAKES}/${folder}`);
        const libraries = Object.values(LIBRARIES).map((folder) => `-I${folder}`);
        const args = [...FLAGS, ...includes, ...libraries, ...environment.flags, source];
        found.set(args.join(' '), { args, name: `${environment.name}, ${folders[0]}: ${source}` });
      }
    }
  }
  return found;
}

function usesConditions(file: string): boolean {
  return /^\s*#\s*(if|ifdef|ifndef|elif)\b/m.test(readProjectFile(file));
}

describe('ports', () => {
  it('are built for three roles on three chips, on pinned platforms', () => {
    const names = environments().map(({ name }) => name);
    const wanted = ['meter', 'hub', 'gateway'].flatMap((role) =>
      ['esp32', 'esp32c3', 'esp8266'].map((chip) => `${role}-${chip}`),
    );
    assert.deepEqual(names.toSorted(), wanted.toSorted());
    for (const { name, platform } of environments()) assert.match(platform, /^platformio\/\w+@\d+\.\d+\.\d+$/, name);
  });

  it('have each source of theirs in some environment', () => {
    const built = new Set(environments().flatMap(sourcesOf));
    const sources = files.filter((file) => file.startsWith('firmware/src/') && file.endsWith('.cpp'));
    assert.deepEqual(
      sources.filter((file) => !built.has(file)),
      [],
    );
  });

  it('ask which chip or SDK they are on in the folders of the chips only', () => {
    const elsewhere = files.filter(
      (file) =>
        /^firmware\/(src|lib)\/.*\.(cpp|hpp)$/.test(file) &&
        !/^firmware\/src\/ports\/(esp32|esp8266|crypto)\//.test(file),
    );
    assert.deepEqual(elsewhere.filter(usesConditions), []);
  });

  it('compile against the interfaces of every generation of the SDKs', async function () {
    if (!needTool(this, 'g++')) return;
    this.timeout(COMPILE_MS_MAX);
    const waiting = [...compilations().values()];
    assert.ok(waiting.length > 0);
    const faults: string[] = [];
    const compileNext = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { args, name } = next;
        await run('g++', [...args], { cwd: repoRoot() }).catch((error: { stderr?: string }) => {
          faults.push(`${name}\n${error.stderr ?? ''}`);
        });
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, compileNext));
    assert.deepEqual(faults, []);
  });
});
