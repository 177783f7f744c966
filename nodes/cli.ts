#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WattmeshError } from './headend/errors.ts';

const USAGE = `wattmesh: tools for a Wattmesh network

Usage:
  wattmesh decode FILE    print a captured envelope stream field by field
  wattmesh sim FILE       run a scenario in the simulator
  wattmesh radio FILE     send raw traffic over the simulated radio alone
  wattmesh swarm          try random scenarios in the simulator
  wattmesh COMMAND --help the options of a command

Options:
  --help                  this text
  --version               the version of the package
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** A subcommand: takes what follows its name and resolves to the exit code. */
type Command = (args: string[]) => Promise<number>;

/** Each command is loaded when it is called for: `decode` needs no simulator, and neither needs Node-RED. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  decode: async () => (await import('./cli/decode.ts')).run,
  radio: async () => (await import('./cli/radio.ts')).run,
  sim: async () => (await import('./cli/sim.ts')).run,
  swarm: async () => (await import('./cli/swarm.ts')).run,
};

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(USAGE);
    return name === undefined ? EXIT_USAGE : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    const what = name.startsWith('-') ? 'option' : 'command';
    process.stderr.write(`wattmesh: unknown ${what} "${name}": use ${Object.keys(COMMANDS).join(' or ')}, or --help\n`);
    return EXIT_USAGE;
  }
  const command = await load();
  return command(rest);
}

/** The version in the nearest package.json above this file. */
function packageVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above the command: install the package again');
    folder = parent;
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** `wattmesh decode … | head` closes the pipe early: that is the reader's right, not a failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const text = error instanceof WattmeshError ? `${error.message} (${error.reason})` : String(error);
  process.stderr.write(`wattmesh: ${text}\n`);
  process.exitCode = EXIT_FAILED;
}
