import assert from 'node:assert/strict';
import { errorCodes } from '../nodes/headend/errors.ts';
import { importsOf, projectFiles, readProjectFile, sourceOf } from './support/sources.ts';

const FILE_LINES_MAX = 450;
const FUNCTION_LINES_MAX = 80;
/** The firmware has no host: errors of the head-end itself start here. */
const FIRST_HOST_ERROR = 500;

const files = projectFiles();
const typescript = files.filter((file) => file.endsWith('.ts'));
const code = files.filter((file) => /\.(ts|cpp|hpp|h|html|js|cjs)$/.test(file));

/** The ladder of nodes/headend, bottom to top; a folder imports itself and what stands below it. */
const LADDER = ['base', 'frame', 'security', 'metering', 'mesh', 'store', 'link', 'top'] as const;
const BASE_FILES = new Set(['errors.ts', 'bytes.ts', 'clock.ts', 'messages.ts', 'bounded-map.ts']);

type Rung = (typeof LADDER)[number];

function rungOf(path: string): Rung {
  const [first = '', second] = path.replace('nodes/headend/', '').split('/');
  if (second === undefined) return BASE_FILES.has(first) ? 'base' : 'top';
  const rung = LADDER.find((name) => name === first);
  if (rung === undefined)
    throw new Error(`${path}: nodes/headend has no rung "${first}"; see ARCHITECTURE.md for the ladder`);
  return rung;
}

/** Faults of one file's imports against the ladder. */
function ladderFaults(path: string): string[] {
  const rung = rungOf(path);
  const faults: string[] = [];
  const imports = importsOf(path);
  for (const target of imports.files) {
    if (!target.startsWith('nodes/headend/')) faults.push(`${path} imports ${target}, which is outside nodes/headend`);
    else if (LADDER.indexOf(rungOf(target)) > LADDER.indexOf(rung))
      faults.push(`${path} (${rung}) imports ${target}, above it`);
  }
  for (const name of imports.packages) {
    if (/node-red/.test(name)) faults.push(`${path} imports ${name}: the head-end knows no Node-RED`);
    if (rung === 'frame') faults.push(`${path} imports ${name}: frame codecs import bytes and errors only`);
  }
  if (rung === 'frame') {
    const allowed = /^nodes\/headend\/(frame\/.*|bytes\.ts|errors\.ts)$/;
    for (const target of imports.files) {
      if (!allowed.test(target)) faults.push(`${path} imports ${target}: frame codecs import bytes and errors only`);
    }
  }
  return faults;
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

const TYPESCRIPT_FUNCTION = new RegExp(
  [
    String.raw`^(\s*)(?:export )?(?:default )?(?:async )?function\b.*\{$`,
    String.raw`^(\s*)(?:export )?(?:const|let|var) \w+ = (?:async )?(?:function\b.*|\(?.*\)?.* =>) \{$`,
    String.raw`^(\s*)(?:(?:public|private|protected|static|override|async|get|set) )*#?\w+\(.*\)(?:: .+)? \{$`,
    String.raw`^(\s*)\w+: (?:async )?function\b.*\{$`,
  ].join('|'),
);
const CPP_FUNCTION = /^(\s*)(?!.*\b(?:namespace|struct|class|enum|union)\b)[\w:~].*\).*\{$/;
const STATEMENT = /^\s*(?:\} )?(?:if|for|while|switch|else|do|try|catch|return|describe|it|before|after)\b/;

const TEST_CASE = /^\s+it\(/;

/**
 * Functions longer than the limit, by indentation: the code is formatted, so that a function ends at the first closing brace in the
 * column where it began. A function that holds test cases is a list, not a function.
 */
function longFunctions(path: string): string[] {
  const pattern = /\.(cpp|hpp|h)$/.test(path) ? CPP_FUNCTION : TYPESCRIPT_FUNCTION;
  const lines = readProjectFile(path).split('\n');
  const faults: string[] = [];
  lines.forEach((line, start) => {
    const match = pattern.exec(line);
    if (!match || STATEMENT.test(line)) return;
    const indent = match.slice(1).find((group) => group !== undefined) ?? '';
    const end = lines.findIndex((other, index) => index > start && other.startsWith(`${indent}}`));
    const length = end - start + 1;
    if (length > FUNCTION_LINES_MAX && !lines.slice(start, end).some((inner) => TEST_CASE.test(inner))) {
      faults.push(`${path}:${start + 1} has ${length} lines: ${line.trim()}`);
    }
  });
  return faults;
}

function reachableFrom(entries: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file) || !typescript.includes(file)) continue;
    seen.add(file);
    open.push(...importsOf(file).files);
  }
  return seen;
}

function productEntries(): string[] {
  const manifest = JSON.parse(readProjectFile('package.json')) as {
    bin: Record<string, string>;
    'node-red': { nodes: Record<string, string> };
  };
  return [...Object.values(manifest['node-red'].nodes), ...Object.values(manifest.bin)].map(sourceOf);
}

function cppErrors(): Record<string, number> {
  const text = readProjectFile('firmware/lib/wattmesh/src/wattmesh/errors.hpp');
  const body = /enum class Error[^{]*\{([^}]*)\}/.exec(text)?.[1];
  assert.ok(body, 'errors.hpp has no enum class Error');
  const numbers = [...body.matchAll(/(\w+)\s*=\s*(\d+)/g)].map(([, name = '', value]) => [name, Number(value)]);
  return Object.fromEntries(numbers.filter(([name]) => name !== 'none'));
}

describe('tidy', () => {
  it('imports in nodes/headend climb the ladder', () => {
    const faults = typescript.filter((file) => file.startsWith('nodes/headend/')).flatMap(ladderFaults);
    assert.deepEqual(faults, []);
  });

  it('every import of a project file exists', () => {
    const faults = typescript.flatMap((file) =>
      importsOf(file)
        .files.filter((target) => !files.includes(target))
        .map((target) => `${file} imports ${target}, which does not exist`),
    );
    assert.deepEqual(faults, []);
  });

  it(`no file is longer than ${FILE_LINES_MAX} lines`, () => {
    const long = code.filter((file) => countLines(readProjectFile(file)) > FILE_LINES_MAX);
    assert.deepEqual(long, []);
  });

  it(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
    assert.deepEqual(code.flatMap(longFunctions), []);
  });

  it('every file of the product is reachable from a node or the command', () => {
    const reachable = reachableFrom(productEntries());
    const product = typescript.filter((file) => !file.startsWith('test/'));
    assert.deepEqual(
      product.filter((file) => !reachable.has(file)),
      [],
    );
  });

  it('every file under test is a test or used by one', () => {
    const reachable = reachableFrom(typescript.filter((file) => file.endsWith('.test.ts')));
    const tests = typescript.filter((file) => file.startsWith('test/'));
    assert.deepEqual(
      tests.filter((file) => !reachable.has(file)),
      [],
    );
  });

  it('the error numbers are the same in C++ and TypeScript', () => {
    const shared = Object.entries(errorCodes).filter(([, value]) => value < FIRST_HOST_ERROR);
    assert.deepEqual(cppErrors(), Object.fromEntries(shared));
  });

  it('no file names a path of one machine or the host of a registry', () => {
    const machine =
      /(?<![\w.-])\/(?:work|root|home|Users)\/\w|\bregistry\.\w+\.(?:org|com|net|io|dev)\b|verdaccio|artifactory/;
    const faults = files
      .filter((file) => file !== 'test/tidy.test.ts' && !/\.(png|jpg|gz|sqlite|wasm|bin)$/.test(file))
      .filter((file) => machine.test(readProjectFile(file)));
    assert.deepEqual(faults, []);
  });

  it('the lock files carry no addresses', () => {
    for (const file of files.filter((name) => name.endsWith('package-lock.json'))) {
      const lock = JSON.parse(readProjectFile(file)) as { packages: Record<string, { resolved?: string }> };
      const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
      assert.deepEqual(resolved, [], `${file}: run npm with this repository's .npmrc`);
    }
  });

  it('names in SECURITY.md every file of attacks, and none that is missing', () => {
    const named = readProjectFile('SECURITY.md')
      .split('\n')
      .filter((line) => /^\| \d+ \|/.test(line))
      .flatMap((line) => (line.split('|').at(-2) ?? '').split(',').map((name) => name.trim()))
      .filter((name) => name !== '-')
      .map((name) => (name.startsWith('../') ? `test/${name.slice(3)}.test.ts` : `test/attacks/${name}.test.ts`));
    const attacks = files.filter((file) => /^test\/attacks\/[^/]+\.test\.ts$/.test(file));
    assert.deepEqual(
      attacks.filter((file) => !named.includes(file)),
      [],
    );
    assert.deepEqual(
      named.filter((file) => !files.includes(file)),
      [],
    );
  });
});
