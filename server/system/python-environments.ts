import { join } from 'node:path';
import { isFile, isFolder, readableEntries } from './folders.ts';

/** A folder with an interpreter of Python and its packages. */
export interface PythonEnvironment {
  readonly kind: 'venv' | 'conda';
  readonly folder: string;
}

/** Names of virtual environments, in the order of the search. */
const USUAL = ['.venv', 'venv', 'env'];

/** The environment in a folder; undefined: it is none. */
export function environmentAt(folder: string): PythonEnvironment | undefined {
  if (isFile(join(folder, 'pyvenv.cfg'))) return { kind: 'venv', folder };
  return isFolder(join(folder, 'conda-meta')) ? { kind: 'conda', folder } : undefined;
}

/** The environments directly in a folder: those of a usual name first, then by name. */
export function environmentsIn(folder: string): PythonEnvironment[] {
  const names = readableEntries(folder)
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
  const others = names.filter((name) => !USUAL.includes(name));
  return [...USUAL.filter((name) => names.includes(name)), ...others].flatMap((name) => environmentAt(join(folder, name)) ?? []);
}

/** Where an environment has its interpreter. */
export function interpreterIn(folder: string): string {
  return join(folder, 'bin', 'python');
}

/**
 * The environment was made for another version of Python: the interpreter does not find its
 * packages. Why: the link to an interpreter may lead to another one on another machine.
 * @param version of the interpreter, as 3.12.1
 */
export function isForOtherVersion({ folder }: PythonEnvironment, version: string): boolean {
  const own = `python${version.split('.').slice(0, 2).join('.')}`;
  const made = readableEntries(join(folder, 'lib')).flatMap(({ name }) => (/^python3\.\d+$/.test(name) ? [name] : []));
  return made.length > 0 && !made.includes(own);
}
