// npm run firmware:size [-- --json]: what the firmware costs, as JSON and as the table for the README. Fails when something is above its limit.
import { join } from 'node:path';
import { buildWasm, COMPILE_FLAGS, LINK_FLAGS, readSources } from '../firmware/wasm/build.js';
import { compileModule } from '../firmware/wasm/compiler.js';
import { excesses, hasLx106, LX106, lx106Sizes, PARTS, ROLES } from './lx106-size.js';
import { ROOT, say } from './process.js';

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

function table({ wasmBytes, sizeofBytes, lx106 }) {
  const rows = [
    ['WASM module, release', wasmBytes.release],
    ...Object.entries(sizeofBytes).map(([role, bytes]) => [`RAM of a \`${ROLES[role]}\` (sizeof, 32 bit)`, bytes]),
    ...(lx106 ? ['text', 'rodata', 'data', 'bss'].map((kind) => [`ESP8266 core, \`.${kind}\``, lx106[kind]]) : []),
    ...(lx106 ? [['ESP8266 core, object files before linking', lx106.unlinked]] : []),
    ...(lx106 ? [['… of these security', lx106.security]] : []),
    ...(lx106 ? [['ESP8266 core, deepest stack', lx106.stack.deepest]] : []),
    ...(lx106 ? PARTS.map((name) => [`RAM of a \`${name}\``, lx106.structs[name]]) : []),
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
for (const excess of sizes.lx106 ? excesses(sizes.lx106) : []) {
  say(excess);
  process.exitCode = 1;
}
