import { environments } from './platformio.ts';
import { buildProgram, LIBRARIES, librarySources, type Recipe, sourcesIn, type Toolchain } from './program-build.ts';

export { BUILD_MS_MAX } from './program-build.ts';

const TESTS = 'firmware/test/native';
/** Of the WASM port only what judges the codecs: the rest talks to a JavaScript host. */
const JUDGE = ['firmware/wasm/io.cpp', 'firmware/wasm/judge.cpp'];
const HARNESS = ['main.cpp', 'device.cpp', 'sha256.cpp'].map((name) => `${TESTS}/${name}`);
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** A board as a process of this machine: what the fakes of an ESP32's SDK declare, done with files and sockets. */
const HOST = 'firmware/test/board';
const FAKES = ['esp32-idf51', 'esp32', 'common'].map((name) => `firmware/test/fakes/${name}`);

/** One for all programs, so that they share their objects. */
function toolchain(): Toolchain {
  const board = environments().find(({ name }) => name === 'meter-esp32');
  if (!board) throw new Error('platformio.ini has no meter-esp32');
  const folders = [...Object.values(LIBRARIES), 'firmware/wasm', TESTS, HOST, ...FAKES];
  return {
    folder: 'native',
    compiler: 'g++',
    linker: 'g++',
    flags: [
      ...['-std=c++17', '-O1', '-g', '-fno-exceptions', '-fno-rtti', ...SANITIZERS],
      ...['-Wall', '-Wextra', '-Wconversion', '-Werror'],
      ...folders.map((folder) => `-I${folder}`),
      ...board.flags,
    ],
    linkFlags: SANITIZERS,
  };
}

/** The libraries that the chips' ports use for their cryptography, with a header that tells whether one is installed. */
export const BACKENDS = {
  libsodium: { library: '-lsodium', header: '/usr/include/sodium.h' },
  bearssl: { library: '-lbearssl', header: '/usr/include/bearssl.h' },
} as const;
export type Backend = keyof typeof BACKENDS;

/**
 * `native`: the core's own tests; `devices`: those of what boards need around it; `security-…`: those of its sessions; `oracle-…`: answers
 * questions about cryptography; `captures`: reads what real meters have said; `board-…`: a board with an ESP32's ports.
 */
export type Program =
  | ('native' | 'devices' | 'captures' | 'board-meter' | 'board-gateway')
  | `security-${Backend}`
  | `oracle-${Backend}`;

/** Builds a program for this machine, under the address and undefined behaviour sanitizers; returns its path. */
export function buildNative(program: Program): Promise<string> {
  return buildProgram(toolchain(), recipes(), program);
}

/** Tests that need no library: what every processor runs. */
export function portableTests(): Readonly<Record<'native' | 'devices', readonly string[]>> {
  const core = librarySources('core');
  return {
    native: [...core, ...sourcesIn(TESTS), ...JUDGE],
    devices: [
      ...core,
      ...librarySources('board'),
      ...librarySources('inputs'),
      ...HARNESS,
      ...sourcesIn(`${TESTS}/devices`),
    ],
  };
}

function recipes(): Readonly<Record<Program, Recipe>> {
  const core = librarySources('core');
  const security = sourcesIn(`${TESTS}/security`);
  const headEnd = security.filter((file) => !file.endsWith('.test.cpp'));
  const forBackend = (backend: Backend) => {
    const chip = [`firmware/src/ports/crypto/${backend}.cpp`];
    const libraries = [BACKENDS[backend].library];
    return {
      [`security-${backend}`]: { sources: [...core, ...HARNESS, ...security, ...chip], libraries },
      [`oracle-${backend}`]: { sources: [...core, ...headEnd, ...sourcesIn(`${TESTS}/oracle`), ...chip], libraries },
    };
  };
  const board = [
    ...[...core, ...librarySources('board'), ...librarySources('inputs')],
    ...['application.cpp', 'deep_sleep.cpp', 'ports/crypto/libsodium.cpp'].map((file) => `firmware/src/${file}`),
    ...['firmware/src/ports', 'firmware/src/ports/esp32', HOST].flatMap(sourcesIn),
  ];
  const forRole = (role: string): Recipe => ({
    sources: [...board, `firmware/src/${role}.cpp`],
    libraries: [BACKENDS.libsodium.library],
  });
  const { native, devices } = portableTests();
  return {
    native: { sources: native },
    devices: { sources: devices },
    captures: { sources: [...librarySources('inputs'), ...sourcesIn(`${TESTS}/captures`)] },
    'board-meter': forRole('meter'),
    'board-gateway': forRole('gateway'),
    ...forBackend('libsodium'),
    ...forBackend('bearssl'),
  } as Readonly<Record<string, Recipe>> as Readonly<Record<Program, Recipe>>;
}
