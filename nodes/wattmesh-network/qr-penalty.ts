import type { QrModules } from './qr-matrix.ts';

/** Points of the four rules (ISO/IEC 18004, section 7.8.3.1). */
const RUN = 3;
const BLOCK = 3;
const LIKE_A_FINDER = 40;
const IMBALANCE = 10;
const RUN_LENGTH_MIN = 5;
/** Dark and light as a finder's middle shows them, with four light modules before or after. */
const FINDER_PATTERNS = ['10111010000', '00001011101'];

/** How badly a symbol can be read; the mask that gives least is taken. */
export function penalty(modules: QrModules): number {
  const columns = modules.map((_row, column) => modules.map((row) => row[column] === true));
  const lines = [...modules, ...columns].map((line) => line.map((dark) => (dark ? '1' : '0')).join(''));
  const ofLines = lines.reduce((total, line) => total + runs(line) + finders(line), 0);
  return ofLines + blocks(modules) + imbalance(modules);
}

function runs(line: string): number {
  const long = line.match(/0{5,}|1{5,}/g) ?? [];
  return long.reduce((total, run) => total + RUN + run.length - RUN_LENGTH_MIN, 0);
}

function finders(line: string): number {
  let found = 0;
  for (const pattern of FINDER_PATTERNS) {
    for (let at = line.indexOf(pattern); at >= 0; at = line.indexOf(pattern, at + 1)) found++;
  }
  return found * LIKE_A_FINDER;
}

function blocks(modules: QrModules): number {
  let found = 0;
  modules.forEach((row, index) => {
    const next = modules[index + 1];
    if (!next) return;
    for (let column = 1; column < row.length; column++) {
      const corner = row[column];
      if (row[column - 1] === corner && next[column] === corner && next[column - 1] === corner) found++;
    }
  });
  return found * BLOCK;
}

/** Points for every 5 % by which the dark modules' part is away from the half. */
function imbalance(modules: QrModules): number {
  const all = modules.length ** 2;
  const dark = modules.flat().filter(Boolean).length;
  return Math.floor(Math.abs(20 * dark - 10 * all) / all) * IMBALANCE;
}
