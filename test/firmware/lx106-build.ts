import { readProjectFile } from '../support/sources.ts';
import { portableTests } from './native-build.ts';
import { buildProgram, LIBRARIES, librarySources, sourcesIn, type Toolchain } from './program-build.ts';

export { BUILD_MS_MAX } from './program-build.ts';

const MACHINE = 'firmware/test/lx106';
const LIBRARY = 'firmware/lib/wattmesh';
/** The core as chips get it; the tests call also what boards do not. */
const UNIT = `${LIBRARY}/unit.cpp`;
const UNIT_FLAGS = (
  JSON.parse(readProjectFile(`${LIBRARY}/library.json`)) as { build: { flags: string[] } }
).build.flags.filter((flag) => flag !== '-fwhole-program');
const PREFIX = 'xtensa-lx106-elf';
const SPECS = `--specs=/usr/lib/${PREFIX}/picolibc.specs`;
// Debian ships no C++ headers for the lx106: those of its bare-metal ARM package serve, and firmware/test/lx106/library.cpp what is behind them.
const CXX_HEADERS = '/usr/include/newlib/c++/12.2.1';

/** What must be installed, beside the programs. */
export const LX106_FILES = [`/usr/lib/${PREFIX}/picolibc.specs`, CXX_HEADERS] as const;
export const LX106_TOOLS = [`${PREFIX}-g++`, 'qemu-system-xtensa'] as const;

const LX106: Toolchain = {
  folder: 'lx106',
  compiler: `${PREFIX}-g++`,
  linker: `${PREFIX}-gcc`,
  flags: [
    ...[SPECS, '-nostdinc++', '-isystem', CXX_HEADERS, '-isystem', `${CXX_HEADERS}/arm-none-eabi`],
    ...['-std=c++17', '-Os', '-mlongcalls', '-ffunction-sections', '-fdata-sections'],
    ...['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-Wall', '-Wextra', '-Werror', ...UNIT_FLAGS],
    // An emulated processor does fewer of the long random rounds.
    ...[
      '-DCHECK_STRIDE=11',
      ...[...Object.values(LIBRARIES), 'firmware/wasm', 'firmware/test/native'].map((at) => `-I${at}`),
    ],
  ],
  linkFlags: [
    ...[SPECS, '-nostartfiles', '-T', `${MACHINE}/machine.ld`, '-DPICOLIBC_INTEGER_PRINTF_SCANF'],
    ...['-Wl,--gc-sections', '-Wl,--no-warn-rwx-segments'],
  ],
};

export type Lx106Program = 'native' | 'devices';

/** Builds the tests of the core, or of what boards need around it, for the ESP8266's processor; returns the program's path. */
export function buildLx106(program: Lx106Program): Promise<string> {
  const { native, devices } = portableTests();
  const core = new Set(librarySources('core'));
  const recipe = (sources: readonly string[]) => ({
    sources: [UNIT, ...sources.filter((source) => !core.has(source)), ...sourcesIn(MACHINE)],
  });
  const recipes = { native: recipe(native), devices: recipe(devices) };
  return buildProgram(LX106, recipes, program);
}
