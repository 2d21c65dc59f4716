import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withWorkers, Workers, type Settings } from '../../worker/start-workers.ts';

const HOME = fileURLToPath(new URL('../../../', import.meta.url));
export const SCRIPTS = join(HOME, 'test/python/scripts/');
export const WORKER_MAIN = join(HOME, 'server/python/worker.py');
/** The interpreter under test. */
export const PYTHON = process.env['TEST_PYTHON'] ?? 'python3';

function settingsOf({ start, env, ...rest }: Settings): Settings {
  return {
    command: [PYTHON, WORKER_MAIN],
    ...rest,
    start: { concurrencyIsDefault: true, ...start },
    env: { PYTHONDONTWRITEBYTECODE: '1', ...env },
  };
}

/** Workers of a script in test/python/scripts, as `withWorkers` has them. */
export function withPython(script: string, test: (workers: Workers) => Promise<void>, settings: Settings = {}): Promise<void> {
  return withWorkers(join(SCRIPTS, script), test, settingsOf(settings));
}

/** Workers of a script that may not start. */
export function pythonWorkers(script: string, settings: Settings = {}): Workers {
  return new Workers(join(SCRIPTS, script), settingsOf(settings));
}
