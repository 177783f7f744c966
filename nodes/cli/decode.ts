import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { readHexLine, StreamCapture } from './capture.ts';
import { Report } from './report.ts';

const USAGE = `wattmesh decode FILE [--raw] [--json]

Prints a captured envelope stream field by field. FILE holds the bytes of a gateway's serial port, either direction or
both; "-" reads standard input. Packets of suite 0x00 are opened down to their rows, others are shown up to their header.

Options:
  --raw    FILE holds one envelope a line in hexadecimal, without SLIP and CRC (a payload of MQTT); "#" begins a comment
  --json   one JSON object a line, the summary last
  --help   this text
`;

const EXIT_UNREADABLE = 1;
const EXIT_USAGE = 2;

/** Where the command reads and writes; tests bring their own. */
export interface Terminal {
  readonly input: Readable;
  out(text: string): void;
  error(text: string): void;
}

const processTerminal: Terminal = {
  input: process.stdin,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
};

interface Options {
  readonly file: string;
  readonly raw: boolean;
  readonly json: boolean;
}

/** `wattmesh decode`: resolves to 0, to 1 when the file cannot be read, to 2 for arguments that make no sense. */
export async function run(args: string[], terminal: Terminal = processTerminal): Promise<number> {
  const options = readOptions(args, terminal);
  if (typeof options === 'number') return options;
  const report = new Report(options.json, terminal.out);
  const input = options.file === '-' ? terminal.input : createReadStream(options.file);
  try {
    await (options.raw ? readLines(input, report) : readStream(input, report));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    terminal.error(
      `wattmesh decode: ${options.file} cannot be read (${code}): give the path of a captured stream, or -\n`,
    );
    return EXIT_UNREADABLE;
  }
  report.finish();
  return 0;
}

/** The options, or the exit code when there is nothing to do. */
function readOptions(args: string[], terminal: Terminal): Options | number {
  const usage = (problem: string): number => {
    terminal.error(`wattmesh decode: ${problem}: see "wattmesh decode --help"\n`);
    return EXIT_USAGE;
  };
  const known = { raw: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals, tokens } = parseArgs({
    args,
    options: known,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (!Object.hasOwn(known, token.name)) return usage(`unknown option "${token.rawName}", use --raw or --json`);
    if (token.value !== undefined) return usage(`option "${token.rawName}" takes no value`);
  }
  if (values.help) {
    terminal.out(USAGE);
    return 0;
  }
  const [file, ...more] = positionals;
  if (file === undefined) return usage('name the file to decode, or - for standard input');
  if (more.length > 0) return usage(`one file at a time, not also "${more[0]}"`);
  return { file, raw: values.raw === true, json: values.json === true };
}

async function readStream(input: Readable, report: Report): Promise<void> {
  const capture = new StreamCapture((found) => report.add(found));
  for await (const chunk of input) capture.push(chunk as Uint8Array);
  capture.end();
}

async function readLines(input: Readable, report: Report): Promise<void> {
  // A stream's error does not end readline's iteration: it is passed on by hand.
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  const lines = (async () => {
    let number = 0;
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      const found = readHexLine(text, number);
      if (found) report.add(found);
    }
  })();
  await Promise.race([lines, failed]);
}
