import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * True when every named program is on the PATH. Otherwise the calling mocha test or hook is skipped, except on a machine that
 * promises the tools (WATTMESH_SHARED is set): there a missing one is a failure.
 */
export function needTool(context: Mocha.Context, ...programs: string[]): boolean {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return true;
  if (process.env.WATTMESH_SHARED)
    throw new Error(`install ${missing.join(', ')}: this machine promises them to the tests`);
  context.skip();
  return false;
}

/** The same for a file that a package installs, as a library's header. */
export function needFile(context: Mocha.Context, path: string): boolean {
  if (existsSync(path)) return true;
  if (process.env.WATTMESH_SHARED)
    throw new Error(`${path} is missing: install its package, this machine promises it to the tests`);
  context.skip();
  return false;
}
