// npm run fuzz [-- --seconds 60] [--target radio] [--jobs 2]: fuzzes the firmware core under the address and undefined behaviour
// sanitizers, starting from the test vectors and from what earlier runs found. Needs Debian's clang and libclang-rt-14-dev.
// --runs N: so many inputs instead of a time, from the vectors alone; --repeatable: as many as take about a minute each. Both try the
// same inputs every time and everywhere. --replay FILE (with --target): that input alone.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ROOT, say } from './process.js';

const CORE = 'firmware/lib/wattmesh/src';
const FUZZ = 'firmware/test/fuzz';
/** Of the native tests only the fake chip. */
const FAKES = ['firmware/test/native/device.cpp', 'firmware/test/native/sha256.cpp'];
const VECTORS = 'test/vectors';
const CACHE = join(ROOT, '.cache', 'fuzz');
const CRASHES = join(CACHE, 'crashes');
const SANITIZERS = 'address,undefined';
const FLAGS = [
  ...['-std=c++17', '-O2', '-g', '-fno-exceptions', '-fno-rtti', '-fno-omit-frame-pointer'],
  ...[`-fsanitize=${SANITIZERS}`, '-fno-sanitize-recover=all'],
  ...['-Wall', '-Wextra', '-Wconversion', '-Werror', '-Wno-unknown-attributes', `-I${CORE}`],
];
/**
 * The fuzzer's own coverage, in the core only. Not of comparisons: most are of times, and noting them costs more than the core itself.
 */
const COVERAGE = ['-fsanitize=fuzzer-no-link', '-fno-sanitize-coverage=trace-cmp'];
/** Longest inputs in bytes: what a target can make use of. */
const TARGETS = { radio: 2048, envelope: 2048, batch: 1024, downlink: 2048 };
/** With --repeatable. */
const REPEATABLE_RUNS = { radio: 14_000, envelope: 15_000, batch: 3_000_000, downlink: 16_000 };
const INPUT_SECONDS_MAX = 20;
const MEMORY_MB_MAX = 1500;

const run = promisify(execFile);
const hashOf = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 24);
const textOf = (path) => readFileSync(join(ROOT, path), 'utf8');

/** Paths from the root of a folder's files with this ending. */
function filesOf(folder, ending) {
  const names = readdirSync(join(ROOT, folder), { recursive: true }).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => join(folder, name));
}

/** Runs jobs, `width` of them at a time; resolves with their results in order. */
async function inParallel(width, jobs) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]();
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}

/** Compiles what changed and links each target. Returns the programs by target. Throws with the compiler's message. */
async function build(targets, jobs) {
  const compiler = (await run('clang++', ['--version'])).stdout;
  const headers = [CORE, FUZZ, 'firmware/test/native'].flatMap((folder) => filesOf(folder, '.hpp'));
  const common = hashOf(compiler, ...FLAGS, ...COVERAGE, ...headers.map(textOf));
  const objectOf = (source) => join(CACHE, 'build', `${hashOf(common, source, textOf(source))}.o`);
  const shared = [
    ...[...filesOf(CORE, '.cpp'), ...FAKES],
    ...filesOf(FUZZ, '.cpp').filter((file) => !file.endsWith('.fuzz.cpp')),
  ];
  const mains = targets.map((target) => join(FUZZ, `${target}.fuzz.cpp`));
  mkdirSync(join(CACHE, 'build'), { recursive: true });
  const waiting = [...shared, ...mains].filter((source) => !existsSync(objectOf(source)));
  if (waiting.length > 0) say(`compiling ${waiting.length} files for the fuzzer …`);
  const flagsOf = (source) => (source.startsWith(`${CORE}/`) ? [...FLAGS, ...COVERAGE] : FLAGS);
  const compile = (source) => run('clang++', [...flagsOf(source), '-c', source, '-o', objectOf(source)], { cwd: ROOT });
  await inParallel(
    jobs,
    waiting.map((source) => () => compile(source)),
  );
  const link = async (target, main) => {
    const objects = [...shared, main].map(objectOf);
    const program = join(CACHE, 'build', `${target}-${hashOf(...objects)}`);
    if (!existsSync(program)) await run('clang++', [`-fsanitize=fuzzer,${SANITIZERS}`, ...objects, '-o', program]);
    return [target, program];
  };
  const programs = await inParallel(
    jobs,
    targets.map((target, index) => () => link(target, mains[index])),
  );
  dropStale(new Set([...[...shared, ...mains].map(objectOf), ...programs.map(([, program]) => program)]), targets);
  return Object.fromEntries(programs);
}

/** Objects and programs of earlier sources; a run for some targets leaves those of the others. */
function dropStale(kept, targets) {
  if (targets.length < Object.keys(TARGETS).length) return;
  for (const name of readdirSync(join(CACHE, 'build'))) {
    const file = join(CACHE, 'build', name);
    if (!kept.has(file)) rmSync(file, { force: true });
  }
}

/** The bytes of a vector file's cases; the invalid ones stand right beside the limits. */
function vectors(kind) {
  const { cases } = JSON.parse(textOf(join(VECTORS, `${kind}.json`)));
  return cases.map(({ hex }) => Buffer.from(hex, 'hex'));
}

const short = (bytes) => [Math.min(bytes.length, 255), ...bytes.subarray(0, 255)];
const long = (bytes) => [bytes.length & 0xff, bytes.length >> 8, ...bytes];
const portions = (bytes) =>
  Array.from({ length: Math.ceil(bytes.length / 255) }, (_, index) => bytes.subarray(255 * index, 255 * (index + 1)));
/** A radio frame's type and body; its header has 6 bytes, its MAC 8. */
const typeOf = (frame) => frame[0] & 0x0f;
const bodyOf = (frame) => frame.subarray(6, -8);
const ROUTED = 3;
const DATA = 2;
const READINGS = 0x01;
/** A COMMAND section: number, operation, arguments. */
const command = (number, ...content) => [0x82, 2 + content.length, number, 0, ...content];

/**
 * Seeds of each target: a flags byte, then steps in the form that its .fuzz.cpp reads. Each vector alone, and all of a kind in one.
 */
const SEEDS = {
  radio() {
    const frames = vectors('radio');
    const node = (index) => [
      ...frames.map((frame) => [index, 1, typeOf(frame), ...short(bodyOf(frame)), 0x04, 9]),
      ...vectors('sections-down').map((plain) => [0x1c | index, 0, 1, 0, ...short(plain), 0x04, 12]),
      ...vectors('m2-payload').map((payload) => [0x10 | index, 0x04, 10, 0x1c | index, 1, 1, 0, ...short(payload)]),
    ];
    const hosts = vectors('envelope-host').map((envelope) => [0x0c, ...long(envelope)]);
    const worlds = [0xf8, 0x9c, 0x74, 0xfd].map((flags) => [0x18, flags, 0x04, 15]);
    // Far ones until the table is full, then near ones; the same with some that hand something over; all silent for long.
    const crowds = [
      [0x18, 0x7c, 0x20, 0, 36, 0x18, 0xfc, 0x20, 30, 20],
      [0x20, 0, 10, 0x20, 0x40 | 10, 28],
      [0x20, 0x80, 39],
    ];
    return { flags: [0, 1, 3, 5, 0x0a, 0x0b], steps: [node(0), node(1), node(2), hosts, worlds, crowds] };
  },
  envelope() {
    const lines = vectors('slip').map((line) => portions(line).flatMap((portion) => [0, ...short(portion)]));
    const envelopes = vectors('envelope-host').map((envelope) => [1, ...long(envelope), 2, 8]);
    const items = vectors('radio')
      .filter((frame) => typeOf(frame) === DATA)
      .map((frame) => [3, 5, ...short(bodyOf(frame)), 2, 12, 4, 0]);
    // More of them than may be out at a time.
    const members = [[...Array.from({ length: 20 }, (_, index) => [3, index, 0]).flat(), 2, 11, 4, 1, 4, 0]];
    return { flags: [0, 1, 2, 3, 6, 10, 0x16], steps: [lines, envelopes, items, members] };
  },
  batch() {
    const capacity = [0x01, 0x01];
    const bodies = vectors('sections-up')
      .filter((plain) => plain[0] === READINGS)
      .map((plain) => [...capacity, ...plain.subarray(2, 2 + plain[1])]);
    // Rows as readRow reads them, each the next one of the row before it.
    const row = (seq) => [seq, 0, 0, 0, 0, 1, 0, 0, 60, 0, 0, 5, 0, ...Array.from({ length: 23 }, (_, at) => seq + at)];
    const rows = [...capacity, ...[1, 3, 5, 9, 1, 1].flatMap(row)];
    return { flags: [0, 1], steps: [...bodies.map((body) => [body]), [rows]] };
  },
  downlink() {
    const routed = vectors('radio').filter((frame) => typeOf(frame) === ROUTED);
    const sections = routed.map(bodyOf).map((body) => [0, ...short(body.subarray(2 + 2 * (body[0] ?? 0))), 4, 8]);
    const sealed = vectors('sections-down').map((plain) => [1, 1, 1, ...short(plain), 7, 0, 1, 0, 4, 10]);
    const payloads = vectors('m2-payload').map((payload) => [7, 1, 6, 2, 0, ...short(payload), 4, 13]);
    const packets = vectors('packet').map((packet) => [3, ...short(packet), 0, 5, 2, 4, 14]);
    const told = [7, 0, 1, 0, 6];
    const sealedCommand = (...content) => [1, 0, 1, ...short(Buffer.from(command(...content))), ...told];
    const operations = [[0], [1], [2, 60, 0, 60, 0], [3, 1], [4], [5], [16, 1], [16, 0]];
    const commands = [
      ...operations.map((operation) => sealedCommand(1, ...operation)),
      [...sealedCommand(1, 16, 1), 8, 2, ...told, 8, 3, 7, 1, 6, 6, ...told],
      [...sealedCommand(1, 16, 1), 8, 2, 7, 1, 6, 2, 0, 0, ...told, ...sealedCommand(2, 0)],
      [...sealedCommand(1, 16, 1), 4, 0x82, 8, 2, ...told],
    ];
    // A network key: the one in use, another, and the other again.
    const key = (id) => [1, 0, 1, ...short(Buffer.from([0x83, 21, id, ...new Array(16).fill(0), 1, 0, 0, 0])), 4, 12];
    const keys = [1, 2, 2].map(key);
    return { flags: [0, 1, 3, 5, 0x0b], steps: [sections, sealed, payloads, packets, commands, keys] };
  },
};

/** Writes the seeds of a target and returns their folder, which is named after them: others may run beside us. */
function writeSeeds(target) {
  const { flags, steps } = SEEDS[target]();
  const inputs = steps.flatMap((kind) => [...kind, kind.flat()]);
  const seeds = flags.flatMap((flag) =>
    inputs.map((input) => Buffer.from([flag, ...input]).subarray(0, TARGETS[target])),
  );
  const folder = join(CACHE, 'seeds', `${target}-${hashOf(...seeds.map((seed) => seed.toString('hex')))}`);
  mkdirSync(folder, { recursive: true });
  for (const seed of seeds) writeFileSync(join(folder, hashOf(seed.toString('hex'))), seed);
  return folder;
}

const regressionsFolder = (target) => join(CACHE, 'regressions', target);

/** Inputs that once were findings: `target-what.hex`, hex digits behind comment lines. Returns the binary files of a target. */
function regressions(target) {
  const folder = regressionsFolder(target);
  mkdirSync(folder, { recursive: true });
  const sources = filesOf(join(FUZZ, 'regressions'), '.hex').filter((file) => basename(file).startsWith(`${target}-`));
  return sources.map((source) => {
    const file = join(folder, basename(source, '.hex'));
    writeFileSync(file, Buffer.from(textOf(source).replace(/^#.*$/gm, '').replace(/\s/g, ''), 'hex'));
    return file;
  });
}

/** Runs a fuzzer to its end. Resolves with its exit code and its words. */
function fuzzer(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [`-timeout=${INPUT_SECONDS_MAX}`, `-rss_limit_mb=${MEMORY_MB_MAX}`, ...args]);
    const words = [];
    child.stderr.on('data', (data) => words.push(data));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, text: Buffer.concat(words).toString() }));
  });
}

/** The lines that say what was found, without the stack. */
function verdictOf(text) {
  const lines = text.split('\n').filter((line) => /not met:|runtime error:|^SUMMARY:|ERROR: /.test(line));
  return lines.slice(0, 3).join('\n') || text.split('\n').slice(-5).join('\n');
}

function reportFinding(target, input, text) {
  const path = relative(ROOT, input);
  say(
    `${target}: finding in ${path}\n${verdictOf(text)}\n  again: npm run fuzz -- --target ${target} --replay ${path}`,
  );
}

async function fuzz(target, program, { seconds, runs: wanted, repeatable }) {
  const runs = repeatable ? REPEATABLE_RUNS[target] : wanted;
  const known = regressions(target);
  for (const input of known) {
    const { code, text } = await fuzzer(program, [input]);
    if (code === 0) continue;
    reportFinding(target, input, text);
    return { target, executions: 0, perSecond: 0, edges: 0, findings: 1 };
  }
  mkdirSync(CRASHES, { recursive: true });
  // What is new goes into the first folder. With a number of runs that starts empty: a test depends on no earlier run.
  const kept = join(CACHE, 'corpus', target);
  const corpus = runs ? mkdtempSync(join(CACHE, `${target}-`)) : kept;
  mkdirSync(corpus, { recursive: true });
  const limits = runs ? [`-runs=${runs}`, '-seed=1', '-reload=0'] : [`-max_total_time=${seconds}`];
  const started = performance.now();
  const { code, text } = await fuzzer(program, [
    ...[`-max_len=${TARGETS[target]}`, '-print_final_stats=1', `-artifact_prefix=${CRASHES}/${target}-`],
    ...[...limits, corpus, writeSeeds(target), regressionsFolder(target)],
  ]);
  if (runs) rmSync(corpus, { recursive: true, force: true });
  const found = [...text.matchAll(/Test unit written to (.+)$/gm)].map(([, file]) => file);
  for (const file of found) reportFinding(target, file, text);
  if (code !== 0 && found.length === 0) say(`${target}: the fuzzer ended with code ${code}\n${verdictOf(text)}`);
  const number = (pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const executions = number(/stat::number_of_executed_units: (\d+)/g);
  return {
    target,
    executions,
    perSecond: Math.round(executions / ((performance.now() - started) / 1000)),
    edges: number(/\bcov: (\d+)/g),
    findings: Math.max(found.length, code === 0 ? 0 : 1),
  };
}

function options() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      runs: { type: 'string' },
      repeatable: { type: 'boolean', default: false },
      target: { type: 'string', multiple: true, default: Object.keys(TARGETS) },
      jobs: { type: 'string', default: '2' },
      replay: { type: 'string' },
    },
  });
  const number = (name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0`);
    return value;
  };
  const unknown = values.target.filter((target) => !(target in TARGETS));
  if (unknown.length > 0)
    throw new Error(`no target ${unknown.join(', ')}; there are ${Object.keys(TARGETS).join(', ')}`);
  if (values.replay && values.target.length !== 1) throw new Error('--replay needs one --target');
  const runs = values.runs === undefined ? undefined : number('runs');
  return { ...values, seconds: number('seconds'), jobs: number('jobs'), runs };
}

async function main() {
  const { target: targets, jobs, replay, ...limits } = options();
  const programs = await build(targets, jobs);
  if (replay) {
    const { code, text } = await fuzzer(programs[targets[0]], [join(process.cwd(), replay)]);
    say(text);
    return code === 0;
  }
  const results = await inParallel(
    jobs,
    targets.map((target) => () => fuzz(target, programs[target], limits)),
  );
  for (const { target, executions, perSecond, edges, findings } of results) {
    console.log(`${target}: ${executions} executions, ${perSecond}/s, ${edges} edges, ${findings} findings`);
  }
  return results.every(({ findings, executions }) => findings === 0 && executions > 0);
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  say(error.stderr || error.message);
  process.exitCode = 1;
}
