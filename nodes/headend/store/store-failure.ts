import { WattmeshError } from '../errors.ts';

/** What to do about a failure, by what SQLite or the operating system says of it. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/disk is full|ENOSPC|EDQUOT/i, 'free some space on that disk'],
  [/readonly|read-only|EROFS/i, 'make the file, those beside it of the same name and their folder writable'],
  [/EACCES|EPERM/i, 'give the user of this process read and write permission on the file and its folder'],
  [
    /unable to open|connection to local database|ENOENT|ENOTDIR|EISDIR/i,
    'check the path and the permissions of its folder',
  ],
  [
    /not a database|malformed|corrupt/i,
    'put the file aside and restore a backup; the meters send again what they still hold',
  ],
  [/locked|busy/i, 'another program is writing to the file: end its transaction or close it'],
  [/I\/O error|EIO/i, 'check the disk or SD card'],
];

/** `storeFailed` with the cause's own text and what to do. An error that is ours already stays as it is. */
export function storeFailure(file: string, cause: unknown): WattmeshError {
  if (cause instanceof WattmeshError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const hint = advice.find(([pattern]) => pattern.test(text))?.[1] ?? 'nothing of this commit was kept; try again';
  return new WattmeshError('storeFailed', `the store ${file} failed: ${text}; ${hint}`, { cause });
}

/** `storeLocked`: another head-end holds the lease of this file. */
export function storeLocked(file: string, holder: string): WattmeshError {
  return new WattmeshError(
    'storeLocked',
    `the store ${file} is in use by ${holder}: stop that one or give this network another store file`,
  );
}

/** The error of every call before `open` or after `close`. */
export function notOpen(): WattmeshError {
  return new WattmeshError('storeFailed', 'the store is not open: call open() first');
}
