/** Nearest-rank quantile, rounded to 4 decimals; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
}

/** Figures of results have 4 decimals. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
