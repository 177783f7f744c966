/**
 * The closed set of error numbers, the same in C++ (`firmware/lib/wattmesh/src/wattmesh/errors.hpp`) and here. Nobody depends on
 * wording: tests, counters and badges use the number. 1xx malformed bytes, 2xx security, 3xx routing and queues, 4xx non-volatile
 * storage, 5xx host. PROTOCOL.md, "Error numbers", says what a receiver does with each.
 */
export const errorCodes = {
  truncated: 101,
  oversize: 102,
  badVersion: 103,
  unknownType: 104,
  badLength: 105,
  badCrc: 106,
  trailingBytes: 107,
  badField: 108,
  noKey: 201,
  badTag: 202,
  replay: 203,
  notJoined: 204,
  suiteRefused: 205,
  unknownNode: 206,
  idConflict: 207,
  staleHandshake: 208,
  staleEpoch: 209,
  wrongNetwork: 210,
  notFresh: 211,
  counterSpent: 212,
  rateLimited: 213,
  revoked: 214,
  randomStuck: 215,
  queueFull: 301,
  tooManyHops: 302,
  noRoute: 303,
  radioBusy: 304,
  noParent: 305,
  expired: 306,
  nvRead: 401,
  nvWrite: 402,
  nvCorrupt: 403,
  linkClosed: 501,
  secondHost: 502,
  storeFailed: 503,
  storeLocked: 504,
  noDriver: 505,
  noNetworkKey: 506,
  badConfig: 507,
  badScenario: 508,
  firmwareTrap: 509,
  commandTimeout: 510,
  commandLate: 511,
} as const;

export type ErrorName = keyof typeof errorCodes;

/** An error of the closed set. `message` says what is wrong and what to do. */
export class WattmeshError extends Error {
  readonly reason: ErrorName;
  readonly code: number;

  constructor(reason: ErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WattmeshError';
    this.reason = reason;
    this.code = errorCodes[reason];
  }
}

/** The error's name in the closed set, or undefined for an error that is not ours. */
export function reasonOf(error: unknown): ErrorName | undefined {
  return error instanceof WattmeshError ? error.reason : undefined;
}
