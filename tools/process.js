import { spawn } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Prints one line of progress on stderr, so that stdout stays free for results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a program to its end, with its output on ours. stdout: 'inherit' for a program whose output is the result, otherwise its
 * stdout goes to stderr (npm's `pack --json` and the like must stay readable).
 * Resolves with the exit code; a signal counts as 1, a program that cannot be started rejects.
 */
export function run(program, args, { cwd = ROOT, env = process.env, stdout = 2 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', stdout, 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/**
 * Runs npm with the Node that runs us. Under `npm run` the npm that called us is used; by hand the one on the PATH.
 * Resolves with npm's exit code.
 */
export function npm(args, options = {}) {
  const npmScript = process.env.npm_execpath;
  if (npmScript?.endsWith('.js')) return run(process.execPath, [npmScript, ...args], options);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
}

/**
 * `npm ci` in a folder, with arguments that no inherited npm setting (omit, dry-run, ignore-scripts) can turn into something else.
 * Throws when npm fails, and where node_modules is a symbolic link: npm would empty the folder that it points to.
 */
export async function cleanInstall(folder) {
  const modules = join(folder, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error(
      `${modules} is a symbolic link to an installation that does not fit the lock file: remove the link`,
    );
  }
  const args = ['ci', '--include=dev', '--include=optional', '--dry-run=false', '--ignore-scripts=false'];
  const code = await npm(args, { cwd: folder });
  if (code !== 0) throw new Error('npm ci failed: see its message above');
}
