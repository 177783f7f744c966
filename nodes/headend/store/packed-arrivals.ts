import type { Arrival } from './store.ts';

/** Position of a run's cells; the short ids of its route follow. */
const cell = { rows: 0, afterMs: 1, gateway: 2, session: 3, suite: 4, rssiDbm: 5, hops: 6 } as const;
const ROUTE_AT = 7;

/**
 * How rows came in, as one list of numbers: cheap to hand to another thread, and short as text. The rows of a packet share one Arrival and come
 * one after the other: together they are one run.
 */
export interface PackedArrivals<Cells extends ArrayLike<number> = Float64Array<ArrayBuffer>> {
  /** Names in use; `cell.gateway` is an index here. */
  readonly gateways: readonly string[];
  /** Reception of the first row, UTC ms; `cell.afterMs` counts from here. */
  readonly baseMs: number;
  /** Run after run. */
  readonly cells: Cells;
}

/** Packs the arrivals of a group, one for each row. */
export function packArrivals(rows: readonly { readonly arrival: Arrival }[]): PackedArrivals {
  const gateways = new Map<string, number>();
  const baseMs = rows[0]?.arrival.receivedAtMs ?? 0;
  const cells = new Float64Array(cellCount(rows));
  let last: Arrival | undefined;
  let run = 0;
  let next = 0;
  for (const { arrival } of rows) {
    if (arrival !== last) {
      run = next;
      cells[run + cell.afterMs] = arrival.receivedAtMs - baseMs;
      cells[run + cell.gateway] = indexIn(gateways, arrival.gateway);
      next = writeRest(cells, run, arrival);
      last = arrival;
    }
    (cells[run + cell.rows] as number)++;
  }
  return { gateways: [...gateways.keys()], baseMs, cells };
}

/** The arrivals again, one for each row; those of a run are one object. */
export function unpackArrivals({ gateways, baseMs, cells }: PackedArrivals<ArrayLike<number>>): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let run = 0; run < cells.length; run = nextRun(cells, run)) {
    const arrival: Arrival = {
      receivedAtMs: baseMs + (cells[run + cell.afterMs] as number),
      gateway: gateways[cells[run + cell.gateway] as number] as string,
      session: cells[run + cell.session] as number,
      suite: cells[run + cell.suite] as number,
      rssiDbm: cells[run + cell.rssiDbm] as number,
      route: Array.from(
        { length: cells[run + cell.hops] as number },
        (_, hop) => cells[run + ROUTE_AT + hop] as number,
      ),
    };
    for (let row = 0; row < (cells[run + cell.rows] as number); row++) arrivals.push(arrival);
  }
  return arrivals;
}

/** Leaves out the rows that `isStored` denies; it is asked for each row in order. */
export function storedArrivals(packed: PackedArrivals, isStored: (row: number) => boolean): PackedArrivals {
  const cells = packed.cells.slice();
  let row = 0;
  for (let run = 0; run < cells.length; run = nextRun(cells, run)) {
    const end = row + (cells[run + cell.rows] as number);
    for (; row < end; row++) if (!isStored(row)) (cells[run + cell.rows] as number)--;
  }
  return { ...packed, cells };
}

/** The text that `parseArrivals` reads. */
export function formatArrivals({ gateways, baseMs, cells }: PackedArrivals): string {
  return `{"gateways":${JSON.stringify(gateways)},"baseMs":${baseMs},"cells":[${cells.join()}]}`;
}

/** One arrival for each row of a group's text; also of a text as earlier versions wrote it: [[rows, arrival], …]. */
export function parseArrivals(text: string): Arrival[] {
  const parsed = JSON.parse(text) as PackedArrivals<number[]> | readonly (readonly [number, Arrival])[];
  if ('cells' in parsed) return unpackArrivals(parsed);
  return parsed.flatMap(([rows, arrival]) => new Array<Arrival>(rows).fill(arrival));
}

function cellCount(rows: readonly { readonly arrival: Arrival }[]): number {
  let last: Arrival | undefined;
  let count = 0;
  for (const { arrival } of rows) {
    if (arrival !== last) count += ROUTE_AT + arrival.route.length;
    last = arrival;
  }
  return count;
}

function writeRest(cells: Float64Array, run: number, { session, suite, rssiDbm, route }: Arrival): number {
  cells[run + cell.session] = session;
  cells[run + cell.suite] = suite;
  cells[run + cell.rssiDbm] = rssiDbm;
  cells[run + cell.hops] = route.length;
  let at = run + ROUTE_AT;
  for (const shortId of route) cells[at++] = shortId;
  return at;
}

function nextRun(cells: ArrayLike<number>, run: number): number {
  return run + ROUTE_AT + (cells[run + cell.hops] as number);
}

function indexIn(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}
