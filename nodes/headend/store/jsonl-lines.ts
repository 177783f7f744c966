import { createReadStream, existsSync } from 'node:fs';
import { WattmeshError } from '../errors.ts';
import type { ConflictRecord } from './row-content.ts';
import type { SeqRange } from './seq-ranges.ts';
import type {
  AdmissionRecord,
  Arrival,
  LogState,
  NodeRecord,
  ReadingRow,
  SecretRecord,
  SessionRecord,
} from './store.ts';
import type { Effects } from './tables.ts';

/** Longest line read, bytes: far above a commit group's. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

/** Version of the lines; it stands in the first one. Version 1 knew neither admissions nor secrets, nor the fields in `since2`. */
export const JSONL_VERSION = 2;

/** What records of version 1 lack. */
const since2 = {
  node: { energy: 'mains', relay: false, suite: 0 },
  session: { logId: '', beganMs: 0, sealedKeys: '' },
} as const;

/** What a line can say. */
export type JsonlLine =
  | { readonly store: 'wattmesh'; readonly version: number }
  | { readonly epoch: number }
  | {
      readonly snapshot: {
        readonly epoch: number;
        readonly outboxSent: number;
        readonly lastId: number;
        readonly archived: readonly (readonly [string, readonly SeqRange[]])[];
      };
    }
  | { readonly commit: CommitLine };

/** Effects as JSON: arrivals once each, the 64-bit window as decimal text. */
interface CommitLine {
  readonly rows: readonly { readonly id: number; readonly row: ReadingRow; readonly arrival?: number }[];
  readonly arrivals: readonly Arrival[];
  readonly conflicts: readonly ConflictRecord[];
  readonly nodes: readonly NodeRecord[];
  readonly sessions: readonly (Omit<SessionRecord, 'window'> & { readonly window: string })[];
  readonly clearedSessions: Effects['clearedSessions'];
  readonly logs: readonly LogState[];
  readonly outboxSent: number;
  readonly admissions?: readonly AdmissionRecord[];
  readonly droppedAdmissions?: readonly string[];
  readonly secrets?: readonly SecretRecord[];
  readonly droppedSecrets?: readonly string[];
}

/** One line, with its end. */
export function lineText(line: JsonlLine): string {
  return `${JSON.stringify(line)}\n`;
}

export function commitLine(effects: Effects): JsonlLine {
  const arrivals: Arrival[] = [];
  const indices = new Map<Arrival, number>();
  const rows = effects.rows.map(({ id, row, arrival }) => {
    if (!arrival) return { id, row };
    if (!indices.has(arrival)) indices.set(arrival, arrivals.push(arrival) - 1);
    return { id, row, arrival: indices.get(arrival) as number };
  });
  const sessions = effects.sessions.map((session) => ({ ...session, window: session.window.toString() }));
  return { commit: { ...effects, rows, arrivals, sessions } };
}

export function effectsOf({ arrivals, ...line }: CommitLine): Effects {
  return {
    ...line,
    rows: line.rows.map(({ id, row, arrival }) =>
      arrival === undefined ? { id, row } : { id, row, arrival: arrivals[arrival] as Arrival },
    ),
    nodes: line.nodes.map((node) => ({ ...since2.node, ...node })),
    sessions: line.sessions.map((session) => ({ ...since2.session, ...session, window: BigInt(session.window) })),
  };
}

/**
 * Reads a file line by line and hands each to `take`; the length of the good part in bytes (0: no file). A last line that is not whole is
 * left out: its commit was never reported. Damage anywhere else is `storeFailed`.
 */
export async function readLines(file: string, take: (line: JsonlLine) => void): Promise<number> {
  if (!existsSync(file)) return 0;
  let goodBytes = 0;
  let lineNumber = 0;
  let broken = false;
  for await (const bytes of wholeLines(file)) {
    lineNumber++;
    if (broken) throw damaged(file, lineNumber - 1);
    const line = parsed(bytes);
    if (!line) {
      broken = true;
      continue;
    }
    take(line);
    goodBytes += bytes.length + 1;
  }
  return goodBytes;
}

function parsed(bytes: Buffer): JsonlLine | undefined {
  try {
    return JSON.parse(bytes.toString('utf8')) as JsonlLine;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function damaged(file: string, lineNumber: number): WattmeshError {
  return new WattmeshError(
    'storeFailed',
    `line ${lineNumber} of the store ${file} is damaged: put the file aside and restore a backup; the meters send again what they still hold`,
  );
}

/** Terminated lines without their ends; a rest without an end is left out. */
async function* wholeLines(file: string): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let pending = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...pieces, chunk.subarray(from, end)]);
      pieces = [];
      pending = 0;
      from = end + 1;
    }
    pieces.push(chunk.subarray(from));
    pending += chunk.length - from;
    if (pending > LINE_BYTES_MAX)
      throw new WattmeshError('storeFailed', `${file} has a line of more than ${LINE_BYTES_MAX} bytes: it is no store`);
  }
}
