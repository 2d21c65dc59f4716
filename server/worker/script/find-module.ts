import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isFile } from '../../system/folders.ts';

/** Endings that TypeScript and bundlers let authors leave out. */
const ENDINGS = ['', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js'];

/** True for files of the author: packages keep Node's own rules. */
export function isAuthors(url: string | undefined): url is string {
  return url?.startsWith('file:') === true && !url.includes('/node_modules/');
}

/** True for paths and URLs; false for names of packages and modules. */
export function isPath(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier);
}

/** The file that a path or URL means, which may not exist; undefined: it can mean none. */
export function pathOf(specifier: string, parentURL?: string): string | undefined {
  try {
    return fileURLToPath(new URL(specifier, parentURL));
  } catch {
    return undefined;
  }
}

/**
 * URL of a module that Node does not find: `./lib` and `./lib.js` for lib.ts, a folder with an
 * index, a name in a folder of the import path.
 */
export function findModule(specifier: string, parentURL: string | undefined, importPath: readonly string[]): string | undefined {
  if (/^(?:#|\w+:)/.test(specifier) && !specifier.startsWith('file:')) return undefined;
  if (isPath(specifier)) {
    const path = isAuthors(parentURL) ? pathOf(specifier, parentURL) : undefined;
    return path === undefined ? undefined : firstFile([path]);
  }
  return firstFile(importPath.map((folder) => join(folder, specifier)));
}

function firstFile(paths: readonly string[]): string | undefined {
  const found = paths
    .flatMap((path) => [...ENDINGS.map((ending) => path + ending), path.replace(/\.([cm]?)js$/, '.$1ts')])
    .find((path) => isFile(path));
  return found === undefined ? undefined : pathToFileURL(found).href;
}

/** The nearest file of that name in the folder of a path, or in one above it. */
export function findUpward(name: string, path: string): string | undefined {
  const folder = dirname(path);
  if (isFile(join(folder, name))) return join(folder, name);
  return folder === path ? undefined : findUpward(name, folder);
}
