import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repoRoot } from '../support/root.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';
import { needTool } from '../support/tools.ts';
import { environments } from './platformio.ts';
import { LIBRARIES, librarySources } from './program-build.ts';

const run = promisify(execFile);

const BUILD_MS_MAX = 180_000;
const LIBRARY = 'firmware/lib/wattmesh';
const UNIT = `${LIBRARY}/unit.cpp`;
const FLAGS = ['-std=c++17', '-O1', '-w', '-fno-exceptions', '-fno-rtti', '-I', LIBRARIES.core];

/** The symbols of a file that `nm` lists as `kind`: "u" those that it lacks, "g" those that it offers. */
async function symbols(object: string, kind: 'u' | 'g'): Promise<string[]> {
  const { stdout } = await run('nm', kind === 'u' ? ['-u', object] : ['-g', '--defined-only', object]);
  return [...stdout.matchAll(/\s[A-Za-z] (\S+)$/gm)].map(([, name]) => name as string);
}

/** What a program for a chip is made of beside the core; cryptography calls nothing of it. */
function sourcesOf(environment: string): string[] {
  const { sources = [] } = environments().find(({ name }) => name === environment) ?? {};
  const own = projectFiles().filter(
    (file) =>
      file.endsWith('.cpp') &&
      !file.includes('/crypto/') &&
      sources.some((pattern) => (pattern.endsWith('/') ? file.startsWith(pattern) : globMatches(pattern, file))),
  );
  assert.ok(own.length > 0, `${environment} has no sources`);
  return [...own, ...librarySources('board'), ...librarySources('inputs')];
}

function globMatches(pattern: string, file: string): boolean {
  const [before = '', after = ''] = pattern.split('*');
  if (!pattern.includes('*')) return file === pattern;
  return file.startsWith(before) && file.endsWith(after) && !file.slice(before.length).includes('/');
}

describe('the core as one unit', () => {
  it('is made of all its sources', () => {
    const included = [...readProjectFile(UNIT).matchAll(/^#include "(.+)"$/gm)].map(
      ([, path]) => `${LIBRARIES.core}/${path as string}`,
    );
    assert.deepEqual(included, librarySources('core').toSorted());
  });

  for (const [environment, fakes] of [
    ['meter-esp8266', ['esp8266', 'common']],
    ['gateway-esp32', ['esp32-idf51', 'esp32', 'common']],
  ] as const) {
    it(`offers all that ${environment} calls`, async function () {
      if (!needTool(this, 'g++', 'nm')) return;
      this.timeout(BUILD_MS_MAX);
      const cache = join(repoRoot(), '.cache');
      mkdirSync(cache, { recursive: true });
      const folder = mkdtempSync(join(cache, 'unit-'));
      try {
        const compile = async (source: string, name: string, flags: readonly string[]): Promise<string> => {
          const object = join(folder, `${name}.o`);
          await run('g++', [...FLAGS, ...flags, '-c', source, '-o', object], { cwd: repoRoot() });
          return object;
        };
        const unit = await compile(UNIT, 'unit', ['-fwhole-program']);
        const { flags = [] } = environments().find(({ name }) => name === environment) ?? {};
        const folders = [...fakes.map((name) => `firmware/test/fakes/${name}`), ...Object.values(LIBRARIES)];
        const includes = folders.map((path) => `-I${path}`);
        const offered = new Set(await symbols(unit, 'g'));
        const wanted = new Set<string>();
        for (const [index, source] of sourcesOf(environment).entries()) {
          const object = await compile(source, `${index}`, [...includes, ...flags]);
          for (const name of await symbols(object, 'u')) wanted.add(name);
          for (const name of await symbols(object, 'g')) offered.add(name);
        }
        const lacking = [...wanted].filter((name) => /^_ZN?K?8wattmesh/.test(name) && !offered.has(name));
        assert.deepEqual(lacking, [], 'declare them [[gnu::externally_visible]]');
        assert.ok([...wanted].some((name) => name.includes('8wattmesh4Node4tick')));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
