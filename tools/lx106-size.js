// What the core costs on an ESP8266: RAM of the devices, code, and stack. Run by itself it prints them as JSON and fails when one is above its
// limit, when a floating-point routine is needed, which this chip has only in software, or more of its stack than cryptography leaves.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, say } from './process.js';
import { deepestPath } from './stack-depth.js';

/** Complete devices, and the part that all of them have. */
export const ROLES = { meter: 'MeterDevice', hub: 'HubDevice', gateway: 'GatewayDevice', node: 'Node' };
/** What devices are made of, and what tables are made of. */
export const PARTS = [
  ...['Queue', 'QueuedItem', 'Neighbours', 'Neighbour', 'ControlQueue', 'Session', 'Flooding', 'Records', 'Routing'],
  ...['Commands', 'KeyRing', 'JoinProxy', 'ProxySearch', 'Config', 'Meter', 'Log', 'Delivery'],
  ...['Hub', 'Member', 'RoutePointer', 'DuplicateCache', 'Gateway', 'Directory', 'Bundles'],
];
/**
 * Bytes at most. A meter has a router's 32 neighbours, a hub 64 members; code is the whole core's, with all roles and all of its security.
 * What is wanted of code is less (64 KB); until that is met, nothing grows unseen.
 */
export const LIMITS = { meter: 14 * 1024, hub: 24 * 1024, text: 83 * 1024, stack: 2048 };

const LIBRARY = 'firmware/lib/wattmesh';
const CORE = `${LIBRARY}/src`;
/** The core as chips get it: in one unit, with the options of its library.json. */
const UNIT = `${LIBRARY}/unit.cpp`;
const LIBRARY_FLAGS = JSON.parse(readFileSync(join(ROOT, LIBRARY, 'library.json'), 'utf8')).build.flags;
/** Keys, handshakes and sessions; the primitives themselves are the port's. */
const SECURITY = [
  ...['crypto', 'random_health', 'noise', 'identity', 'handshake', 'transport', 'session'],
  ...['link', 'freshness', 'key_ring', 'join_proxy', 'proxy_search', 'node_join', 'node_challenge'],
];
/** Everything that the port calls, and what is called through pointers inside the core. */
const ENTRY_POINTS = /wattmesh::Node::(boot|wake|saveSleep|listensNext|receive|sent|hostBytes|tick)\(/;
const VIRTUAL_CALLS = [
  { from: /wattmesh::Hub::(?!grow\()/, to: /wattmesh::Node::(sendRouted|pathTo)\(/ },
  { from: /wattmesh::Hub::grow\(/, to: /wattmesh::Node::parentOf\(/ },
  { from: /wattmesh::Gateway::(envelope|down)\(/, to: /wattmesh::Node::(hostTime|hostDown)\(/ },
  { from: /wattmesh::Gateway::tick\(/, to: /wattmesh::Node::(fillHello|fillStats)\(/ },
];
const STACK_PATHS = {
  deepest: /./,
  handshakeStart: /wattmesh::Handshake::start\(/,
  handshakeFinish: /wattmesh::Handshake::finish\(/,
};
const OUTPUT = join(ROOT, '.cache', 'firmware-size');

export const LX106 = 'xtensa-lx106-elf';
// Debian ships no C++ headers for the lx106: those of its bare-metal ARM package serve, as long as nothing is linked against them.
const CXX_HEADERS = '/usr/include/newlib/c++/12.2.1';
const LX106_FLAGS = [
  `--specs=/usr/lib/${LX106}/picolibc.specs`,
  ...['-nostdinc++', '-isystem', CXX_HEADERS, '-isystem', `${CXX_HEADERS}/arm-none-eabi`],
  ...['-std=c++17', '-Os', '-mlongcalls', '-ffunction-sections', '-fdata-sections'],
  ...['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-Wall', '-Wextra', '-Werror', `-I${CORE}`],
  '-fcallgraph-info=su',
  // As in platformio.ini: branch targets that lie anywhere are shorter than those on a boundary, and flash is read through a cache.
  '-Wa,--no-target-align',
];
const LX106_LINK_FLAGS = [
  '-nostdlib',
  '-nostartfiles',
  '-Wl,--gc-sections,--size-opt,-e,probe,--unresolved-symbols=ignore-all',
];
const SOFT_FLOAT =
  /^__((add|sub|mul|div)[sdt]f3|neg[sdt]f2|(eq|ne|lt|le|gt|ge|unord|cmp)[sdt]f2|float(un)?[sdt]i[sdt]f|fix(uns)?[sdt]f[sdt]i|(extend|trunc)[sdt]f[sdt]f2|powi[sdt]f2)$/;

function toolchain(tool, args) {
  const { status, stdout, stderr, error } = spawnSync(`${LX106}-${tool}`, args, { cwd: ROOT, encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${LX106}-${tool} failed:\n${error?.message ?? stderr}`);
  return stdout;
}

export function hasLx106() {
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

/** sizeof of devices and parts, as the compiler lays them out. */
function structBytes() {
  const names = [...Object.values(ROLES), ...PARTS];
  const probe = join(OUTPUT, 'structs');
  const arrays = names.map((name) => `uint8_t sizeof_${name}[sizeof(wattmesh::${name})];`);
  writeFileSync(`${probe}.cpp`, `#include "wattmesh/node.hpp"\n${arrays.join('\n')}\n`);
  toolchain('g++', [...LX106_FLAGS, '-c', `${probe}.cpp`, '-o', `${probe}.o`]);
  const found = toolchain('nm', ['-S', `${probe}.o`]).matchAll(/^\w+ (\w+) \w sizeof_(\w+)$/gm);
  const bytes = Object.fromEntries([...found].map(([, size, name]) => [name, Number.parseInt(size, 16)]));
  return Object.fromEntries(names.map((name) => [name, bytes[name]]));
}

/** Bytes of the deepest chains of calls within the core. */
function stackBytes(object) {
  const graphs = [readFileSync(object.replace(/\.o$/, '.ci'), 'utf8')];
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
function linkedBytes(unit) {
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
  what = node->boot(what) == Error::none || node->wake(room, what, what) == Error::none;
  what = node->listensNext() ? static_cast<unsigned>(node->saveSleep(room)) : 0;
  what = static_cast<unsigned>(node->receive(room, room, room, what, 0, what) + node->sent(what, what) + node->hostBytes(room, what, what) + node->tick(what));
}
`,
  );
  toolchain('g++', [...LX106_FLAGS, '-c', `${probe}.cpp`, '-o', `${probe}.o`]);
  toolchain('gcc', [...LX106_LINK_FLAGS, `${probe}.o`, unit, '-o', `${probe}.elf`]);
  return sectionBytes([`${probe}.elf`]);
}

function compile(source, name, flags) {
  const object = join(OUTPUT, `${name}.o`);
  toolchain('g++', [...LX106_FLAGS, ...flags, '-c', source, '-o', object]);
  return object;
}

/** The parts of the core that only security needs, each compiled by itself: what they share with the others does not count. */
function securityBytes() {
  const flags = LIBRARY_FLAGS.filter((flag) => flag !== '-fwhole-program');
  const objects = SECURITY.map((name) => compile(`${CORE}/wattmesh/${name}.cpp`, name, flags));
  const { text, rodata, data } = sectionBytes(objects);
  return text + rodata + data;
}

/** Compiles the core for the ESP8266 and returns its section sizes, its stack and the soft-float routines it would call. */
export function lx106Sizes() {
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { recursive: true });
  const unit = compile(UNIT, 'unit', LIBRARY_FLAGS);
  const undefinedSymbols = toolchain('nm', ['-u', unit]).match(/(?<=\bU )\S+/g) ?? [];
  const softFloat = [...new Set(undefinedSymbols.filter((name) => SOFT_FLOAT.test(name)))].sort();
  return {
    ...linkedBytes(unit),
    unlinked: sectionBytes([unit]).text,
    security: securityBytes(),
    stack: stackBytes(unit),
    softFloat,
    structs: structBytes(),
  };
}

/** What is above its limit, as sentences. */
export function excesses({ text, stack, softFloat, structs }) {
  const measured = { meter: structs.MeterDevice, hub: structs.HubDevice, text, stack: stack.deepest };
  const names = {
    meter: 'A meter takes',
    hub: 'A hub takes',
    text: "The core's code takes",
    stack: 'The core takes of the stack',
  };
  const over = Object.entries(LIMITS).filter(([what, limit]) => !(measured[what] <= limit));
  return [
    ...over.map(([what, limit]) => `${names[what]} ${measured[what]} B: ${limit} B are the limit.`),
    ...(softFloat.length > 0 ? [`The core calls soft-float routines: ${softFloat.join(', ')}. Use integers.`] : []),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = lx106Sizes();
  console.log(JSON.stringify(sizes));
  for (const excess of excesses(sizes)) {
    say(excess);
    process.exitCode = 1;
  }
}
