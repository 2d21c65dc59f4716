import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { ServerError } from '../errors.ts';
import { foldersAbove, isFolder, statOf } from '../system/folders.ts';

type Rights = Pick<Config, 'appRoot' | 'debugPort' | 'workerPermissionModel' | 'workerReadPaths' | 'workerWritePaths'>;
type Served = Pick<Found, 'entryScript' | 'modelFile' | 'modelDir' | 'importPath'>;

/** The server and its packages, above which others may lie (npm installs packages side by side). */
const HOME = fileURLToPath(new URL('../../', import.meta.url));
/**
 * Node prints a line about each at every start: an add-on and a thread may invalidate the model
 * (docs/rights.md says how).
 */
const NO_WARNINGS = ['--disable-warning=PERM0001', '--disable-warning=PERM0006'];

/**
 * Node's flags for workers under its permission model; none where it is off.
 * @param cache folder of V8's compile cache that workers use
 * @throws ServerError usage where a path would allow more than it says
 */
export function permissionFlags(config: Rights, found: Served, cache: string | undefined): string[] {
  if (config.workerPermissionModel === 'off') return [];
  // Node resolves a relative path in the worker, which runs in the application's folder.
  const writable = [resolve(config.appRoot, tmpdir()), ...config.workerWritePaths, ...(cache === undefined ? [] : [cache])];
  const writes = withTargets(writable);
  const reads = withTargets([...ownFiles(), ...filesOf(config, found), ...config.workerReadPaths, ...writable]);
  refuseTooWide(reads, config);
  return [
    '--permission',
    '--allow-addons',
    '--allow-worker',
    ...NO_WARNINGS,
    // Node 26 asks for it.
    ...optional('--allow-net'),
    ...(config.debugPort === 0 ? [] : optional('--allow-inspector')),
    ...reads.flatMap(withContent).map((path) => `--allow-fs-read=${path}`),
    ...writes.flatMap(withContent).map((path) => `--allow-fs-write=${path}`),
  ];
}

/** A flag that only some versions of Node have. */
function optional(flag: string): string[] {
  return process.allowedNodeEnvironmentFlags.has(flag) ? [flag] : [];
}

function ownFiles(): string[] {
  return [join(HOME, 'server'), join(HOME, 'package.json'), ...packagesAbove(HOME)];
}

function filesOf({ appRoot }: Rights, { entryScript, modelFile, modelDir, importPath }: Served): string[] {
  const script = dirname(entryScript);
  // External data is beside a model.
  const models = [modelFile, modelDir].flatMap((path) => (path === undefined ? [] : isFolder(path) ? [path] : [dirname(path)]));
  return [appRoot, script, ...importPath, ...models, ...packagesAbove(script)];
}

/** Folders of packages, where Node looks for them: in a folder and in each above it. */
function packagesAbove(folder: string): string[] {
  const found = ['node_modules', 'package.json'].map((name) => join(folder, name)).filter((path) => statOf(path) !== undefined);
  return dirname(folder) === folder ? found : [...found, ...packagesAbove(dirname(folder))];
}

/**
 * The paths, and what they are links to: Node's loader asks for real paths. None is in a folder
 * among them, because Node would then refuse to list that folder.
 */
function withTargets(paths: readonly string[]): string[] {
  const all = new Set(paths.map((path) => resolve(path)).flatMap((path) => [path, realPathOf(path)]));
  return Array.from(all).filter((path) => !foldersAbove(path).some((folder) => all.has(folder)));
}

/** A path that is not there may become a file or a folder. */
function withContent(path: string): string[] {
  return statOf(path) === undefined ? [path, `${path}/*`] : [path];
}

function refuseTooWide(paths: readonly string[], { workerReadPaths, workerWritePaths }: Rights): void {
  const wild = paths.find((path) => path.includes('*'));
  if (wild !== undefined)
    throw usage(`expected paths without *, which Node takes for any text, got ${wild}. Name a folder: what is in it is allowed, too`);
  if (paths.includes('/') && ![...workerReadPaths, ...workerWritePaths].includes('/'))
    throw usage('expected the application, the script and the model in folders of their own, got /. Or name / in WORKER_READ_PATHS');
}

function usage(problem: string): ServerError {
  return new ServerError('usage', `WORKER_PERMISSION_MODEL=on: ${problem}.`);
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
