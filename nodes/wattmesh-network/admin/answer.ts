import type { Request, RequestHandler, Response } from 'express';
import { type ErrorName, reasonOf } from '../../headend/errors.ts';
import { toError } from '../../shared/funnel.ts';

/** What is wrong with a request before anybody has worked on it. */
export class Refusal extends Error {
  readonly status: 404 | 409;

  constructor(status: 404 | 409, message: string) {
    super(message);
    this.status = status;
  }
}

/** Errors of whoever asks; what is not among them is a failure of ours. */
const ASKERS_FAULTS: ReadonlySet<ErrorName | undefined> = new Set<ErrorName>([
  ...(['badField', 'badLength', 'badVersion', 'badCrc', 'badTag', 'badConfig'] as const),
  ...(['unknownNode', 'idConflict', 'revoked', 'noNetworkKey', 'noKey', 'suiteRefused'] as const),
]);

/**
 * The one way in which the dialogs' requests are answered, as JSON unless `send` says otherwise, and fail: `{ error }` with status 400 (bad
 * input), 404 (no such network), 409 (it is not running) or 500. Nothing is kept by browsers on the way.
 */
export function answer<Result>(
  work: (request: Request) => Result | Promise<Result>,
  send: (response: Response, result: Result) => void = (response, result) => void response.json(result),
): RequestHandler {
  return (request, response) => {
    response.set('Cache-Control', 'no-store');
    Promise.resolve(request)
      .then(work)
      .then((result) => send(response, result))
      .catch((thrown) => response.status(statusOf(thrown)).json({ error: toError(thrown).message }));
  };
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof Refusal) return thrown.status;
  const reason = reasonOf(thrown);
  if (reason === 'linkClosed') return 409;
  return ASKERS_FAULTS.has(reason) ? 400 : 500;
}
