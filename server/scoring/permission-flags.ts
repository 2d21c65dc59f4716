import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { isFolder, statOf } from '../system/folders.ts';

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
 */
export function permissionFlags(config: Rights, found: Served, cache: string | undefined): string[] {
  if (config.workerPermissionModel === 'off') return [];
  const writes = withTargets([tmpdir(), ...config.workerWritePaths, ...(cache === undefined ? [] : [cache])]);
  const reads = withTargets([...ownFiles(), ...filesOf(config, found), ...config.workerReadPaths]);
  return [
    '--permission',
    '--allow-addons',
    '--allow-worker',
    ...NO_WARNINGS,
    // Node 26 asks for it.
    ...optional('--allow-net'),
    ...(config.debugPort === 0 ? [] : optional('--allow-inspector')),
    ...[...reads, ...writes].map((path) => `--allow-fs-read=${path}`),
    ...writes.map((path) => `--allow-fs-write=${path}`),
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
 * The paths, and what they are links to: Node's loader asks for real paths. A path that is not
 * there may become a file or a folder.
 */
function withTargets(paths: readonly string[]): string[] {
  const all = new Set(paths.flatMap((path) => [path, realPathOf(path)]));
  return [...all].flatMap((path) => (statOf(path) === undefined ? [path, `${path}/*`] : [path]));
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
