import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { withoutEffect } from '../config/python-options.ts';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PythonEnvironment } from '../system/python-environments.ts';
import type { User } from '../system/users.ts';
import { findInterpreter, type Interpreter } from './python-interpreter.ts';
import { pythonVersion } from './python-version.ts';

const WORKER_MAIN = fileURLToPath(new URL('../python/worker.py', import.meta.url));

/** Variables that size the pools of threads of numerical libraries. */
const THREADS = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'];
/** scoring_worker/debugger.py reads it. */
const DEBUG_PORT = 'AZUREML_DEBUG_PORT';

interface Surroundings {
  /** Of workers. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Undefined: the user of this process. */
  readonly user?: User | undefined;
}

/**
 * The interpreter of the workers, found and tried once: a replacement gets the same.
 * @throws ServerError usage, script_broken
 */
export async function openPython(config: Config, found: Found, { env, log, signal, user }: Surroundings): Promise<Interpreter> {
  refusePermissionModel(config);
  const warning = withoutEffect(config);
  if (warning !== undefined) log.warn(warning);
  const interpreter = findInterpreter(config, found, { env, log });
  const version = await pythonVersion(interpreter, { env: pythonEnv(env, interpreter, { threads: 1, debugPort: 0 }), user, signal });
  const { path, environment } = interpreter;
  log.info({ python: path, version, environment: environment?.folder }, `the entry script runs in Python ${version}`);
  return interpreter;
}

function refusePermissionModel({ workerPermissionModel }: Config): void {
  if (workerPermissionModel === 'off') return;
  throw new ServerError(
    'usage',
    'WORKER_PERMISSION_MODEL=on: expected a script in TypeScript or JavaScript, because the permission model is that of Node, and the script is in Python. Leave the option out, and set WORKER_USER to a user with fewer rights.',
  );
}

/** Program and arguments of a worker that runs a script in Python. */
export function pythonCommand({ path }: Pick<Interpreter, 'path'>): [string, ...string[]] {
  return [path, WORKER_MAIN];
}

type Variables = Readonly<Record<string, string | undefined>>;

interface WorkerSettings {
  /** Threads of one worker. */
  readonly threads: number;
  /** Port of the debugger to which the worker connects; 0: none. */
  readonly debugPort: number;
}

/**
 * The environment of such a worker: as in a shell in which the environment of the interpreter is
 * activated, and with its share of the CPUs. Why: OpenMP and OpenBLAS count the cores of the host.
 * Sizes that a user has set stay.
 */
export function pythonEnv(env: Variables, { environment }: Pick<Interpreter, 'environment'>, settings: WorkerSettings): Variables {
  const { threads, debugPort } = settings;
  const sized = THREADS.some((name) => (env[name] ?? '') !== '');
  return {
    ...env,
    ...(!sized && { OMP_NUM_THREADS: String(threads) }),
    // An option may come from a file.
    ...(debugPort !== 0 && { [DEBUG_PORT]: String(debugPort) }),
    ...(environment !== undefined && activated(env, environment)),
  };
}

function activated(env: Variables, { kind, folder }: PythonEnvironment): Variables {
  const path = [join(folder, 'bin'), ...(env['PATH'] ?? '').split(':').filter((each) => each !== '')];
  return {
    PATH: path.join(':'),
    // Both name the packages of another interpreter. The images with Python set VIRTUAL_ENV.
    PYTHONHOME: undefined,
    VIRTUAL_ENV: undefined,
    [kind === 'venv' ? 'VIRTUAL_ENV' : 'CONDA_PREFIX']: folder,
  };
}
