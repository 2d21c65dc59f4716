import { realpathSync, type Dirent } from 'node:fs';
import { basename, isAbsolute, join, resolve, sep } from 'node:path';
import type { Config } from './config.ts';
import { describeThrown, type ErrorCode, ServerError } from '../errors.ts';
import {
  entriesOf,
  fileDenial,
  folderDenial,
  folderTree,
  isFile,
  isFolder,
  isUntouched,
  Met,
  readableEntries,
  statOf,
} from '../system/folders.ts';
import { advice, nearMisses, SCRIPT_EXTENSIONS, SCRIPT_NAMES } from './near-misses.ts';
import { folderLike, othersLike } from './suggestions.ts';

/** The script or model to serve. All paths are absolute. */
export interface Found {
  readonly kind: 'entry script' | 'model without code' | 'sample';
  readonly entryScript: string;
  readonly modelFile: string | undefined;
  readonly modelDir: string | undefined;
  /** Folders that are searched for modules that the entry script imports by name. */
  readonly importPath: readonly string[];
}

/**
 * Folder levels: enough for `azureml-models/<name>/<version>/<folder>/model.onnx` below the
 * application's folder.
 */
const SEARCH_DEPTH = 5;
const SEARCH_ENTRIES = 10_000;
/** Deeper than SEARCH_DEPTH, so that the error can name models that lie too deep. */
const NEAR_MISS_DEPTH = 8;
/** Lines of a folder listing in an error. */
const LISTED = 20;

type Named = Pick<Config, 'appRoot' | 'sourceDirectory' | 'entryScript' | 'modelDir' | 'model'>;

/**
 * Chooses the script or the model to serve: the first of the list in docs/models.md. The sample is
 * served only if no option names anything, and the application's folder is untouched or this
 * server's own.
 * @param home the folder of this server: only a file directly in it can be a user's
 * @param named given options that name a script, a model or a folder (ServeCommand)
 * @throws ServerError usage, script_missing, script_broken, model_missing
 */
export function discover(config: Named, home: string, named: readonly string[] = []): Found {
  const { appRoot } = config;
  refuseDenied('model_missing', 'The folder of the application', appRoot, folderDenial(appRoot, 'enter'));
  if (!isFolder(appRoot)) throw new ServerError('usage', `AML_APP_ROOT: expected a folder, but ${appRoot} is none.${folderLike(appRoot)}`);
  const source = config.sourceDirectory === '' ? [] : [resolve(appRoot, config.sourceDirectory)];
  const modelDir = checkedModelDir(config.modelDir);
  const found = {
    modelDir,
    modelFile: config.model === '' ? undefined : checkedModelFile(config.model),
    importPath: [...source, appRoot],
  };
  const noCode = { ...found, kind: 'model without code' as const, entryScript: join(home, 'entry-scripts', 'onnx.ts') };

  if (config.entryScript !== '') {
    // A file may have been forgotten; a flag and a variable are in sight.
    const file = named.find((from) => from.endsWith(': AZUREML_ENTRY_SCRIPT'))?.replace(/: AZUREML_ENTRY_SCRIPT$/, '');
    const where = file === undefined ? '' : `, which ${file} names,`;
    return { ...found, kind: 'entry script', entryScript: namedScript(config.entryScript, found.importPath, where) };
  }
  if (found.modelFile !== undefined) return noCode;
  const script = foundScript(found.importPath);
  if (script !== undefined) return { ...found, kind: 'entry script', entryScript: script };
  if (modelDir !== undefined) return { ...noCode, modelFile: onlyModel(modelDir, 'AZUREML_MODEL_DIR', found.importPath) };

  const real = realpathSync(appRoot);
  const levels = real === home ? 1 : SEARCH_DEPTH;
  // A user's folder may lie inside this server's. A search that starts above this server's folder
  // skips it.
  const without = isInside(real, home) ? '' : home;
  const models = findModels(appRoot, without, levels);
  if (models.length > 0) return { ...noCode, modelFile: single(models, appRoot, 'AML_APP_ROOT') };
  const near = found.importPath.flatMap((folder) => nearMisses(folder, without, levels === 1 ? 1 : NEAR_MISS_DEPTH));
  const untouched = real === home ? near.length === 0 : isUntouched(appRoot);
  if (named.length > 0 || !untouched) throw nothingToServe(found.importPath, near, named);
  return { ...found, kind: 'sample', entryScript: join(home, 'entry-scripts', 'diabetes.ts') };
}

/** The error names the places, their content, the expected files and the next steps. */
function nothingToServe(folders: readonly string[], near: readonly string[], named: readonly string[]): ServerError {
  const places = folders.join(' or ');
  return new ServerError(
    'model_missing',
    [
      `There is nothing to serve: no entry script and no model in ${places}.`,
      ...(named.length === 0 ? [] : [`The sample is served only if no option names anything; here ${named.join(', ')} names something.`]),
      `Looked for: main.* or score.* (${SCRIPT_EXTENSIONS.join(', ')}) in ${places}; one .onnx file in or below ${folders.at(-1) ?? ''}.`,
      ...folders.map((folder) => `Found in ${folder}:\n${folderTree(folder, LISTED)}`),
      advice(folders, near),
    ].join('\n'),
  );
}

/** @throws ServerError where permission is missing */
function refuseDenied(code: ErrorCode, what: string, path: string, denied: string | undefined): void {
  if (denied !== undefined) throw new ServerError(code, `${what} ${path} cannot be read: ${denied}.`);
}

/** @param where the file that names it, for errors */
function namedScript(named: string, folders: readonly string[], where: string): string {
  const candidates = isAbsolute(named) ? [named] : folders.map((folder) => join(folder, named));
  const script = candidates.find((path) => statOf(path) !== undefined);
  for (const path of script === undefined ? candidates : [script])
    refuseDenied('script_missing', 'The entry script', path, fileDenial(path));
  if (script === undefined) {
    const others = othersLike(candidates, (name) => SCRIPT_EXTENSIONS.some((extension) => name.endsWith(extension)));
    throw new ServerError(
      'script_missing',
      `The entry script ${named}${where} does not exist: expected a file at ${candidates.join(' or ')}. Set AZUREML_ENTRY_SCRIPT (or --entry-script) to its path.${others}`,
    );
  }
  if (!isFile(script) || !SCRIPT_EXTENSIONS.some((extension) => script.endsWith(extension))) {
    const near = isFile(script) ? nearMisses(script, '', 1).map((line) => ` ${line}`) : [' It is no regular file.'];
    throw new ServerError(
      'script_broken',
      `The entry script ${script}${where} cannot be run: expected a file that ends in ${SCRIPT_EXTENSIONS.join(', ')}.${near.join('')}`,
    );
  }
  return script;
}

function foundScript(folders: readonly string[]): string | undefined {
  const script = folders.flatMap((folder) => SCRIPT_NAMES.map((name) => join(folder, name))).find(isFile);
  if (script !== undefined) refuseDenied('script_missing', 'The entry script', script, fileDenial(script));
  return script;
}

function checkedModelDir(path: string): string | undefined {
  if (path === '') return undefined;
  refuseDenied('model_missing', 'The model directory', path, folderDenial(path, 'enter') ?? fileDenial(path));
  // Azure ML mounts a model that is one file at this very path.
  if (isFile(path) || isFolder(path)) return path;
  throw new ServerError(
    'model_missing',
    `The model directory ${path} does not exist: set AZUREML_MODEL_DIR (or --model-dir) to the folder that holds the model, and check that it is mounted.${folderLike(path)}`,
  );
}

function checkedModelFile(path: string): string {
  refuseDenied('model_missing', 'The model', path, fileDenial(path));
  if (isFile(path)) return path;
  const how = isFolder(path) ? 'is a folder' : statOf(path) === undefined ? 'does not exist' : 'is no regular file';
  const others = isFolder(path) ? modelsIn(path) : othersLike([path], isModelFile);
  throw new ServerError('model_missing', `The model ${path} ${how}: set --model (or MODEL_FILE) to the path of an .onnx file.${others}`);
}

/** The way out for a folder that is named as a model. */
function modelsIn(folder: string): string {
  const [model, ...others] = findModels(folder, '');
  if (model === undefined) return ' There is no .onnx file below it.';
  return others.length === 0 ? ` Did you mean ${model}?` : ` Below it are:${listed([model, ...others])}`;
}

function listed(paths: readonly string[]): string {
  return paths
    .slice(0, LISTED)
    .map((path) => `\n    ${path}`)
    .join('');
}

/**
 * The one model below a folder.
 * @param scripts folders without an entry script, for the advice in the error
 * @throws ServerError model_missing if there is none, or more than one
 */
export function onlyModel(folder: string, name: string, scripts: readonly string[] = []): string {
  const models = findModels(folder, '');
  if (models.length > 0) return single(models, folder, name);
  const folders = [folder, ...scripts];
  throw new ServerError(
    'model_missing',
    `There is no .onnx file in ${folder} (${name}): expected one model there, or an entry script.\n${advice(
      [folder],
      folders.flatMap((each) => nearMisses(each, '', NEAR_MISS_DEPTH)),
    )}`,
  );
}

function single(models: readonly string[], folder: string, name: string): string {
  const [model = '', ...others] = models;
  if (others.length > 0) {
    throw new ServerError(
      'model_missing',
      `There are ${models.length} models in ${folder} (${name}), expected one: name the one to serve with --model (or MODEL_FILE), or write an entry script.${listed(models)}`,
    );
  }
  return model;
}

/**
 * The `.onnx` files below a folder, in order; or the path itself, if it is such a file. The search
 * skips hidden folders, node_modules, `without`, subfolders that cannot be read, and what it has
 * met by another path.
 * @throws ServerError model_missing if the folder itself cannot be read, or holds more than
 * SEARCH_ENTRIES files
 */
export function findModels(folder: string, without: string, levels = SEARCH_DEPTH): string[] {
  if (isFile(folder)) return isModelFile(folder) ? [folder] : [];
  refuseDenied('model_missing', 'The folder', folder, folderDenial(folder, 'list'));
  const models: string[] = [];
  const met = new Met();
  let seen = 0;
  const visit = (entries: readonly Dirent[], path: string, depth: number): void => {
    for (const entry of entries) {
      if (++seen > SEARCH_ENTRIES) {
        throw new ServerError(
          'model_missing',
          `There are more than ${SEARCH_ENTRIES} files in ${folder}: too many to look for a model. Name it with --model (or MODEL_FILE).`,
        );
      }
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const child = join(path, entry.name);
      if (without !== '' && isInside(child, without)) continue;
      const stat = statOf(child);
      if (stat?.isFile() === true && isModelFile(entry.name) && met.first(child)) models.push(child);
      else if (stat?.isDirectory() === true && depth > 1 && met.first(child)) visit(readableEntries(child), child, depth - 1);
    }
  };
  met.first(folder);
  try {
    visit(entriesOf(folder), folder, levels);
  } catch (thrown) {
    if (thrown instanceof ServerError) throw thrown;
    throw new ServerError('model_missing', `The folder ${folder} cannot be read: ${describeThrown(thrown)}`, { cause: thrown });
  }
  return models;
}

function isModelFile(path: string): boolean {
  return basename(path).toLowerCase().endsWith('.onnx');
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
