import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { ServerError } from '../errors.ts';

const WORKER_MAIN = fileURLToPath(new URL('../python/worker.py', import.meta.url));

/**
 * Program and arguments of a worker that runs a script in Python.
 * @param path the variable PATH
 * @throws ServerError usage, script_broken where there is no interpreter
 */
export function pythonCommand(
  { pythonPath, appRoot }: Pick<Config, 'pythonPath' | 'appRoot'>,
  { entryScript }: Pick<Found, 'entryScript'>,
  path = '',
): [string, ...string[]] {
  const folders = [dirname(entryScript), appRoot];
  const beside = folders.flatMap((folder) => ['.venv', 'venv', 'env'].map((name) => join(folder, name, 'bin', 'python')));
  const onPath = path.split(':').map((folder) => join(folder, 'python3'));
  const candidates = pythonPath === '' ? [...beside, ...onPath] : [pythonPath];
  const found = candidates.find(isExecutable);
  if (found === undefined)
    throw new ServerError('script_broken', `The entry script ${entryScript} needs Python 3.10 or later, and there is no python3.`);
  return [found, WORKER_MAIN];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
