import { spawnSync } from 'node:child_process';
import { repoRoot } from './root.ts';
import { readProjectFile } from './sources.ts';

/** What the package tests read of package.json. */
export interface Manifest {
  name: string;
  version: string;
  license?: string;
  keywords?: string[];
  repository?: { url: string };
  bugs?: { url: string };
  engines?: { node?: string };
  bin: Record<string, string>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  'node-red': { version?: string; nodes: Record<string, string>; dependencies?: string[] };
}

/** This package's package.json. */
export function readManifest(): Manifest {
  return JSON.parse(readProjectFile('package.json')) as Manifest;
}

export interface Tarball {
  filename: string;
  files: { path: string; size: number }[];
  size: number;
}

/** Packs as npm would publish, without the scripts (the tests run on a fresh build). Arguments go to `npm pack`. */
export function npmPack(...args: string[]): Tarball {
  const npmScript = process.env.npm_execpath;
  const [program, ...before] = npmScript?.endsWith('.js') ? [process.execPath, npmScript] : ['npm'];
  const { NODE_V8_COVERAGE, ...env } = process.env; // npm's own coverage would cost half a minute
  const { status, stdout, stderr } = spawnSync(program, [...before, 'pack', '--json', '--ignore-scripts', ...args], {
    cwd: repoRoot(),
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const [packed] = JSON.parse(stdout) as Tarball[];
  if (!packed) throw new Error('npm pack packed nothing');
  return packed;
}
