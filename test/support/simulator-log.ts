import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SimulatedLink, type SimulatedReading } from '../../firmware/simulator/link.ts';

/** Writes every row that a simulated meter of this process measures to a file, one JSON object per line. */
export function logMeasuredRows(file: string): void {
  const open = SimulatedLink.prototype.open;
  const watched = new WeakSet<SimulatedLink>();
  SimulatedLink.prototype.open = function (this: SimulatedLink, handler) {
    if (!watched.has(this)) this.measured((reading) => appendFileSync(file, `${JSON.stringify(reading)}\n`));
    watched.add(this);
    return open.call(this, handler);
  };
}

/** Writes a script for `node --require` that calls `logMeasuredRows(file)` in the process that it is given to. */
export function writeLoggingPreload(script: string, file: string): void {
  const module = fileURLToPath(import.meta.url);
  writeFileSync(script, `require(${JSON.stringify(module)}).logMeasuredRows(${JSON.stringify(file)});\n`);
}

/** What the meters of that process have measured so far, oldest first. */
export function readMeasuredRows(file: string): SimulatedReading[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as SimulatedReading);
}
