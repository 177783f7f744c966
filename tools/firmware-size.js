// npm run firmware:size [-- --json]: what the firmware costs, as JSON and as the table for the README. Fails when the core would need
// floating-point routines, which the ESP8266 has only in software, or more of its 4 KB of stack than is left beside the cryptography.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildWasm, COMPILE_FLAGS, LINK_FLAGS, readSources } from '../firmware/wasm/build.js';
import { compileModule } from '../firmware/wasm/compiler.js';
import { ROOT, say } from './process.js';
import { deepestPath } from './stack-depth.js';

/** Complete devices, and the part that all of them have. */
const ROLES = { meter: 'MeterDevice', hub: 'HubDevice', gateway: 'GatewayDevice', node: 'Node' };
const CORE = 'firmware/lib/wattmesh/src';
/** Keys, handshakes and sessions; the primitives themselves are the port's. */
const SECURITY = [
  ...['crypto', 'random_health', 'noise', 'identity', 'handshake', 'transport', 'session'],
  ...['link', 'freshness', 'key_ring', 'join_proxy', 'proxy_search', 'node_join', 'node_challenge'],
];
/** Everything that the port calls, and what is called through pointers inside the core. */
const ENTRY_POINTS = /wattmesh::Node::(boot|receive|sent|hostBytes|tick)\(/;
const VIRTUAL_CALLS = [
  { from: /wattmesh::Hub::/, to: /wattmesh::Node::(sendRouted|hopsTo)\(/ },
  { from: /wattmesh::Gateway::(envelope|down)\(/, to: /wattmesh::Node::(hostTime|hostDown)\(/ },
  { from: /wattmesh::Gateway::tick\(/, to: /wattmesh::Node::(fillHello|fillStats)\(/ },
];
const STACK_PATHS = {
  deepest: /./,
  handshakeStart: /wattmesh::Handshake::start\(/,
  handshakeFinish: /wattmesh::Handshake::finish\(/,
};
/** Half of what an ESP8266 has: the other half is for its BearSSL and the Arduino core. */
const STACK_BYTES_MAX = 2048;
const OUTPUT = join(ROOT, '.cache', 'firmware-size');

const LX106 = 'xtensa-lx106-elf';
// Debian ships no C++ headers for the lx106: those of its bare-metal ARM package serve, as long as nothing is linked against them.
const CXX_HEADERS = '/usr/include/newlib/c++/12.2.1';
const LX106_FLAGS = [
  `--specs=/usr/lib/${LX106}/picolibc.specs`,
  ...['-nostdinc++', '-isystem', CXX_HEADERS, '-isystem', `${CXX_HEADERS}/arm-none-eabi`],
  ...['-std=c++17', '-Os', '-mlongcalls', '-ffunction-sections', '-fdata-sections'],
  ...['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-Wall', '-Wextra', '-Werror', `-I${CORE}`],
  '-fcallgraph-info=su',
];
const SOFT_FLOAT =
  /^__((add|sub|mul|div)[sdt]f3|neg[sdt]f2|(eq|ne|lt|le|gt|ge|unord|cmp)[sdt]f2|float(un)?[sdt]i[sdt]f|fix(uns)?[sdt]f[sdt]i|(extend|trunc)[sdt]f[sdt]f2|powi[sdt]f2)$/;

/** sizeof of each role where int and pointers have 32 bits as on the chips: asked of a WASM module. */
async function roleSizes() {
  const functions = Object.entries(ROLES).map(
    ([role, name]) =>
      `extern "C" __attribute__((export_name("${role}"))) unsigned ${role}Size() { return sizeof(wattmesh::${name}); }`,
  );
  const probe = ['sizes.cpp', `#include "wattmesh/node.hpp"\n${functions.join('\n')}\n`];
  const headers = readSources().filter(([path]) => !path.endsWith('.cpp'));
  const bytes = await compileModule({
    compileFlags: [...COMPILE_FLAGS, '-Os'],
    linkFlags: LINK_FLAGS,
    files: [...headers, probe],
    cache: join(ROOT, '.cache', 'wasm'),
  });
  const { instance } = await WebAssembly.instantiate(bytes, {});
  return Object.fromEntries(Object.keys(ROLES).map((role) => [role, instance.exports[role]()]));
}

function toolchain(tool, args) {
  const { status, stdout, stderr, error } = spawnSync(`${LX106}-${tool}`, args, { cwd: ROOT, encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${LX106}-${tool} failed:\n${error?.message ?? stderr}`);
  return stdout;
}

function hasLx106() {
  return spawnSync(`${LX106}-g++`, ['--version']).status === 0 && existsSync(CXX_HEADERS);
}

/** Bytes by kind of section over all files, from `size -A`. */
function sectionBytes(objects) {
  const totals = { text: 0, rodata: 0, data: 0, bss: 0 };
  for (const line of toolchain('size', ['-A', ...objects]).split('\n')) {
    const [, kind, bytes] = /^\.(text|literal|rodata|data|bss)(?:\.\S+)?\s+(\d+)/.exec(line) ?? [];
    if (kind) totals[kind === 'literal' ? 'text' : kind] += Number(bytes);
  }
  return totals;
}

/** Bytes of the deepest chains of calls within the core. */
function stackBytes(objects) {
  const graphs = objects.map((object) => readFileSync(object.replace(/\.o$/, '.ci'), 'utf8'));
  const depths = Object.entries(STACK_PATHS).map(([name, through]) => {
    const { bytes } = deepestPath(graphs, { from: ENTRY_POINTS, through, virtualCalls: VIRTUAL_CALLS });
    return [name, bytes];
  });
  return Object.fromEntries(depths);
}

/**
 * Links the core as a program of all roles would have it: without what nobody calls, and with short calls where the distance allows. What the
 * port, the C library and the chip's ROM give is left open.
 */
function linkedBytes(objects) {
  const probe = join(OUTPUT, 'probe');
  const roles = Object.entries(ROLES).filter(([role]) => role !== 'node');
  const makes = roles.map(
    ([, name], index) => `if (what == ${index}) node = &(new (room) ${name}(*port, *config))->node;`,
  );
  writeFileSync(
    `${probe}.cpp`,
    `#include "wattmesh/node.hpp"
using namespace wattmesh;
inline void* operator new(size_t, uint8_t* at) noexcept { return at; }
extern Port* port;
extern Config* config;
extern uint8_t room[];
extern volatile unsigned what;
extern "C" void probe() {
  Node* node = nullptr;
  ${makes.join('\n  ')}
  what = node->boot(what) == Error::none;
  what = static_cast<unsigned>(node->receive(room, room, room, what, 0, what) + node->sent(what, what) + node->hostBytes(room, what, what) + node->tick(what));
}
`,
  );
  toolchain('g++', [...LX106_FLAGS, '-c', `${probe}.cpp`, '-o', `${probe}.o`]);
  const link = ['-nostdlib', '-nostartfiles', '-Wl,--gc-sections,-e,probe,--unresolved-symbols=ignore-all'];
  toolchain('gcc', [...link, `${probe}.o`, ...objects, '-o', `${probe}.elf`]);
  return sectionBytes([`${probe}.elf`]);
}

/** Compiles the core for the ESP8266 and returns its section sizes, its stack and the soft-float routines it would call. */
function lx106Sizes() {
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { recursive: true });
  const sources = readSources()
    .map(([path]) => path)
    .filter((path) => path.startsWith(CORE) && path.endsWith('.cpp'));
  const objects = sources.map((source, index) => {
    const object = join(OUTPUT, `${index}-${basename(source, '.cpp')}.o`);
    toolchain('g++', [...LX106_FLAGS, '-c', source, '-o', object]);
    return object;
  });
  const undefinedSymbols = toolchain('nm', ['-u', ...objects]).match(/(?<=\bU )\S+/g) ?? [];
  const softFloat = [...new Set(undefinedSymbols.filter((name) => SOFT_FLOAT.test(name)))].sort();
  const isSecurity = (object) => SECURITY.some((name) => object.endsWith(`-${name}.o`));
  const security = sectionBytes(objects.filter(isSecurity));
  return {
    ...linkedBytes(objects),
    unlinked: sectionBytes(objects).text,
    security: security.text + security.rodata + security.data,
    stack: stackBytes(objects),
    softFloat,
  };
}

function table({ wasmBytes, sizeofBytes, lx106 }) {
  const rows = [
    ['WASM module, release', wasmBytes.release],
    ...Object.entries(sizeofBytes).map(([role, bytes]) => [`RAM of a \`${ROLES[role]}\` (sizeof, 32 bit)`, bytes]),
    ...(lx106 ? ['text', 'rodata', 'data', 'bss'].map((kind) => [`ESP8266 core, \`.${kind}\``, lx106[kind]]) : []),
    ...(lx106 ? [['ESP8266 core, object files before linking', lx106.unlinked]] : []),
    ...(lx106 ? [['… of these security', lx106.security]] : []),
    ...(lx106 ? [['ESP8266 core, deepest stack', lx106.stack.deepest]] : []),
  ];
  const lines = rows.map(([what, bytes]) => `| ${what} | ${bytes.toLocaleString('en-US')} |`);
  return ['| what | bytes |', '|---|---:|', ...lines].join('\n');
}

const wasm = await buildWasm({ report: say });
const sizes = {
  wasmBytes: Object.fromEntries(wasm.map(({ name, bytes }) => [name, bytes])),
  sizeofBytes: await roleSizes(),
  lx106: hasLx106() ? lx106Sizes() : null,
};
if (!sizes.lx106) say(`${LX106}-g++ is not installed: no ESP8266 sizes.`);
console.log(JSON.stringify(sizes, null, 2));
if (!process.argv.includes('--json')) console.log(`\n${table(sizes)}`);
if (sizes.lx106?.softFloat.length > 0) {
  say(`The core calls soft-float routines: ${sizes.lx106.softFloat.join(', ')}. Use integers.`);
  process.exitCode = 1;
}
if (sizes.lx106?.stack.deepest > STACK_BYTES_MAX) {
  say(`The core takes ${sizes.lx106.stack.deepest} B of stack: at most ${STACK_BYTES_MAX} may be taken on an ESP8266.`);
  process.exitCode = 1;
}
