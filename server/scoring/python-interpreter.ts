import { accessSync, constants, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { fileDenial, isFile, isFolder } from '../system/folders.ts';
import { environmentAt, environmentsIn, interpreterIn, type PythonEnvironment } from '../system/python-environments.ts';

/** A program that runs scripts in Python. */
export interface Interpreter {
  /** Absolute; never the target of a link, by which an environment finds its packages. */
  readonly path: string;
  /** What the interpreter belongs to; undefined: the system. */
  readonly environment?: PythonEnvironment | undefined;
  /** An option names it: its faults are those of the option. */
  readonly named: boolean;
}

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** Azure's images name their environment in it. */
const CONDA_PATH = 'AZUREML_CONDA_ENVIRONMENT_PATH';
export const OPTION = 'AZUREML_INFERENCE_PYTHON_PATH (or --python-path)';
/** Azure's tool for local endpoints sets the option to this folder, whatever the image holds. */
const OF_LOCAL_ENDPOINTS = '/opt/miniconda/envs/inf-conda-env/bin';
/** Longest chain of links that is followed, as in Linux. */
const MOST_LINKS = 40;

/**
 * Finds the interpreter of a script: the one that the option names, an environment beside the
 * script or in the application's folders, the one of Azure's images, `python3` of PATH.
 * @throws ServerError usage where the option names none; script_broken where there is none, or a
 * broken environment
 */
export function findInterpreter(
  config: Pick<Config, 'pythonPath'>,
  found: Pick<Found, 'entryScript' | 'importPath'>,
  around: Surroundings,
): Interpreter {
  const { env, log } = around;
  const { pythonPath } = config;
  if (pythonPath === OF_LOCAL_ENDPOINTS && !isFolder(pythonPath))
    log.info(`AZUREML_INFERENCE_PYTHON_PATH is ignored: Azure's local endpoints set it, and there is no ${pythonPath} here`);
  else if (pythonPath !== '') return namedInterpreter(pythonPath);
  const folders = Array.from(new Set([dirname(found.entryScript), ...found.importPath]));
  const interpreter = besideScript(folders, log) ?? ofAzureImage(env[CONDA_PATH], log) ?? onPath(env['PATH']);
  if (interpreter !== undefined) return interpreter;
  throw new ServerError(
    'script_broken',
    `The entry script ${found.entryScript} needs Python 3.10 or later, and none was found: no environment (a folder with pyvenv.cfg or conda-meta) in ${folders.join(' or ')}, no ${CONDA_PATH}, no python3 in PATH. Use the image scoring-server:cpu-python, install Python, or name one with ${OPTION}; docs/migrate-from-azureml.md shows how, and the way to TypeScript.`,
  );
}

/** @param path of a program, of an environment, or of its folder `bin` */
function namedInterpreter(path: string): Interpreter {
  const places = [interpreterIn(path), join(path, 'python')];
  const program = isFolder(path) ? places.find((place) => isThere(place)) : path;
  if (program === undefined) throw notNamed(`${path}, a folder without bin/python`);
  const why = refusalOf(program);
  if (why !== undefined) throw notNamed(`${program}: ${why}`);
  return { path: program, environment: environmentOf(program), named: true };
}

function notNamed(got: string): ServerError {
  return new ServerError(
    'usage',
    `${OPTION}: expected the path of a Python interpreter, or of an environment with bin/python, got ${got}. Leave the option out to let the server look for one.`,
  );
}

function besideScript(folders: readonly string[], log: Log): Interpreter | undefined {
  const usable = folders.flatMap(environmentsIn).filter(({ folder }) => isThere(interpreterIn(folder)));
  const [environment, ...others] = usable;
  if (environment === undefined) return undefined;
  if (others.length > 0)
    log.info(
      { environment: environment.folder, others: others.map(({ folder }) => folder) },
      `several Python environments are there, and ${environment.folder} is used: name another with ${OPTION}`,
    );
  const path = interpreterIn(environment.folder);
  const why = refusalOf(path);
  if (why === undefined) return { path, environment, named: false };
  throw new ServerError(
    'script_broken',
    `The Python environment ${environment.folder} cannot be used: ${path}: ${why}. ${cureOf(environment)}`,
  );
}

/** How to mend an environment that does not fit the system. */
export function cureOf({ kind, folder }: PythonEnvironment): string {
  const again = kind === 'venv' ? `python3 -m venv --clear ${folder}, then install its packages again` : 'conda env create';
  return `Make it where the server runs (${again}), leave it out (.dockerignore), or name another with ${OPTION}.`;
}

function ofAzureImage(folder: string | undefined, log: Log): Interpreter | undefined {
  if (folder === undefined || folder === '') return undefined;
  const path = interpreterIn(resolve(folder));
  const why = refusalOf(path);
  if (why === undefined) return { path, environment: environmentOf(path), named: false };
  log.warn(`${CONDA_PATH} is ignored: ${path}: ${why}`);
  return undefined;
}

function onPath(variable = ''): Interpreter | undefined {
  const places = variable.split(':').filter((folder) => folder.startsWith('/'));
  const path = places.map((folder) => join(folder, 'python3')).find((place) => refusalOf(place) === undefined);
  return path === undefined ? undefined : { path, environment: environmentOf(path), named: false };
}

function environmentOf(program: string): PythonEnvironment | undefined {
  const folder = dirname(program);
  return basename(folder) === 'bin' ? environmentAt(dirname(folder)) : undefined;
}

/** Why a file cannot be run; undefined if it can. */
function refusalOf(path: string): string | undefined {
  const denied = fileDenial(path);
  if (denied !== undefined) return denied;
  if (isFolder(path)) return 'it is a folder';
  if (!isFile(path)) {
    const target = targetOf(path);
    return target === path ? 'it does not exist' : `it is a link to ${target}, which does not exist here`;
  }
  return isExecutable(path) ? undefined : `it is not executable (chmod a+x ${path})`;
}

function isThere(path: string): boolean {
  return isFile(path) || targetOf(path) !== path;
}

/** The end of a chain of links, whether it exists or not. */
function targetOf(path: string): string {
  let end = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      end = resolve(dirname(end), readlinkSync(end));
    } catch {
      return end;
    }
  }
  return end;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
