/** What may stand in the way of a network that works and can be trusted. */
export interface Circumstances {
  /** Of the store itself: no SQLite, say. */
  readonly storeWarning: string | undefined;
  /** Why the last commit failed; undefined when it did not. */
  readonly storeProblem: string | undefined;
  readonly allowSuiteNone: boolean;
  readonly clockIsSet: boolean;
  /** Readings that came again with other content. */
  readonly conflicts: number;
}

/** One line for everything that somebody should look at, for as long as it stands. */
export function warningsOf(circumstances: Circumstances): string[] {
  const { storeWarning, storeProblem, allowSuiteNone, clockIsSet, conflicts } = circumstances;
  const lines: string[] = [];
  if (storeWarning) lines.push(storeWarning);
  if (storeProblem) lines.push(`nothing is stored or acknowledged at the moment: ${storeProblem}`);
  if (allowSuiteNone) lines.push('suite 0x00 is allowed: readings are neither encrypted nor authenticated');
  if (!clockIsSet) lines.push('the clock of this machine is not set: set it before meters take their time from it');
  if (conflicts > 0) lines.push(`${conflicts} readings came again with other content: only the first content counts`);
  return lines;
}
