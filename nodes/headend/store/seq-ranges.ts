/** Inclusive [first, last]; lists of them are ascending and disjoint. */
export type SeqRange = readonly [number, number];

/** True when a range of the list holds `seq`. */
export function holdsSeq(ranges: readonly SeqRange[], seq: number): boolean {
  return ranges.some(([first, last]) => seq >= first && seq <= last);
}

/** The shortest list that holds what the list held and every one of `seqs` (any order). */
export function withSeqs(ranges: readonly SeqRange[], seqs: readonly number[]): SeqRange[] {
  const all: SeqRange[] = [...ranges, ...seqs.map((seq): SeqRange => [seq, seq])].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of all) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** How many seqs the list holds. */
export function countSeqs(ranges: readonly SeqRange[]): number {
  return ranges.reduce((count, [first, last]) => count + last - first + 1, 0);
}
