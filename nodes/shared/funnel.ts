import type { Node } from 'node-red';
import { type ErrorName, reasonOf } from '../headend/errors.ts';
import { type Badge, broken } from './badges.ts';

/** What the badge says of an error; the whole sentence goes to the log and to Catch nodes. */
const BADGE_TEXTS: Partial<Record<ErrorName, string>> = {
  noNetworkKey: 'no network key',
  noKey: 'keys missing',
  badTag: 'wrong keys',
  badConfig: 'check settings',
  noDriver: 'driver missing',
  storeLocked: 'store in use',
  storeFailed: 'store failed',
  secondHost: 'network id in use',
  badField: 'wrong input',
  linkClosed: 'not running',
  badScenario: 'bad scenario',
  firmwareTrap: 'firmware stopped',
  commandTimeout: 'no result in time',
  unknownNode: 'unknown device',
  revoked: 'device revoked',
  queueFull: 'too many at once',
};

/** The red badge for an error. */
export function errorBadge(error: unknown): Badge {
  const reason = reasonOf(error);
  return broken((reason && BADGE_TEXTS[reason]) ?? 'failed: see log');
}

/** An error, whatever was thrown. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The one way in which an input handler fails: red badge, and the error to `done`, so that Catch nodes and the log get it once. */
export function failInput(node: Node, thrown: unknown, done: (error?: Error) => void): void {
  node.status(errorBadge(thrown));
  done(toError(thrown));
}

/** The one way in which a node fails outside an input handler: red badge, and the error to Catch nodes and the log. */
export function failNode(node: Node, thrown: unknown): void {
  node.status(errorBadge(thrown));
  node.error(toError(thrown));
}
