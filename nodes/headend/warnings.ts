import type { ListFault } from './preload.ts';

/** Most lines of a list that are named. */
const LIST_FAULTS_SHOWN_MAX = 5;

/** What may stand in the way of a network that works and can be trusted. */
export interface Circumstances {
  /** Of the store itself: no SQLite, say. */
  readonly storeWarning: string | undefined;
  /** Why the last commit failed; undefined when it did not. */
  readonly storeProblem: string | undefined;
  /** Why a faster cryptography was passed over. */
  readonly providerWarning: string | undefined;
  readonly allowSuiteNone: boolean;
  /** Nobody asks the operator. */
  readonly everyoneIsAdmitted: boolean;
  readonly clockIsSet: boolean;
  /** Readings that came again with other content. */
  readonly conflicts: number;
  /** Handshakes that claimed a node id of another key. */
  readonly idConflicts: number;
  /** The random generator gives the same again and again. */
  readonly randomStuck: boolean;
  /** Devices that the store calls approved without proof. */
  readonly unproven: number;
  readonly listFaults: readonly ListFault[];
}

/** One line for everything that somebody should look at, for as long as it stands. */
export function warningsOf(circumstances: Circumstances): string[] {
  const { storeWarning, storeProblem, providerWarning, allowSuiteNone, everyoneIsAdmitted } = circumstances;
  const { clockIsSet, conflicts, idConflicts, randomStuck, unproven, listFaults } = circumstances;
  const lines: string[] = [];
  if (storeWarning) lines.push(storeWarning);
  if (storeProblem) lines.push(`nothing is stored or acknowledged at the moment: ${storeProblem}`);
  if (providerWarning) lines.push(providerWarning);
  if (allowSuiteNone) lines.push('suite 0x00 is allowed: readings are neither encrypted nor authenticated');
  if (everyoneIsAdmitted) lines.push('every device that asks is let in: have the operator approve them');
  if (!clockIsSet) lines.push('the clock of this machine is not set: set it before meters take their time from it');
  if (randomStuck) lines.push("this machine's random generator is stuck: nobody can join, and no key can be changed");
  if (conflicts > 0) lines.push(`${conflicts} readings came again with other content: only the first content counts`);
  if (idConflicts > 0) {
    lines.push(`${idConflicts} handshakes claimed a node id that another key holds: give one of the devices a new key`);
  }
  if (unproven > 0) {
    lines.push(
      `${unproven} devices stand in the store as approved, but nobody with its key did that: find out who changed the store; they wait for approval`,
    );
  }
  const shown = listFaults.slice(0, LIST_FAULTS_SHOWN_MAX);
  for (const { line, message } of shown) lines.push(`line ${line} of the list of devices: ${message}`);
  const more = listFaults.length - shown.length;
  if (more > 0) lines.push(`${more} more lines of the list of devices cannot be used`);
  return lines;
}
