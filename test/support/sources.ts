import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { repoRoot } from './root.ts';

/** Folders with outputs or foreign code, wherever they stand. */
const SKIPPED_FOLDERS = new Set([
  ...['node_modules', 'dist', 'coverage', 'build', '.git', '.cache', '.demo', '.matrix', '.pio', 'Dashboards'],
]);

/** Every file of the project's own as a path from the root with forward slashes, sorted; outputs left out. */
export function projectFiles(): string[] {
  const root = repoRoot();
  const found: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) folders.push(path);
      if (entry.isFile()) found.push(relative(root, path).split(sep).join('/'));
    }
  }
  return found.sort();
}

/** Text of a project file. */
export function readProjectFile(path: string): string {
  return readFileSync(join(repoRoot(), path), 'utf8');
}

export interface SourceImports {
  /** Project files, as paths from the root. */
  files: string[];
  /** Packages and Node's built-ins, as written. */
  packages: string[];
}

const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'|new URL\(\s*'(\.[^']+\.[jt]s)',\s*import\.meta\.url/g;

/** What a TypeScript source imports: static, dynamic, re-exported, or started as a worker by its URL. */
export function importsOf(path: string): SourceImports {
  const imports: SourceImports = { files: [], packages: [] };
  for (const match of readProjectFile(path).matchAll(SPECIFIER)) {
    const specifier = match[1] ?? match[2] ?? '';
    if (!specifier.startsWith('.')) {
      imports.packages.push(specifier);
      continue;
    }
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    const source = target.replace(/\.js$/, '.ts');
    imports.files.push(existsSync(join(repoRoot(), source)) ? source : target);
  }
  return imports;
}

/** The TypeScript source behind a built script: dist/nodes/a/a.js -> nodes/a/a.ts. */
export function sourceOf(builtScript: string): string {
  return builtScript.replace(/^\.?\/?dist\//, '').replace(/\.js$/, '.ts');
}

/** Folder of a project path, '' for a file at the root. */
export function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === '.' ? '' : folder;
}
