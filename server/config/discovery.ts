import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { ServerError } from '../errors.ts';
import { fileDenial, folderDenial, folderTree, isFile, isFolder, isUntouched } from '../system/folders.ts';
import { findModels, isInside, NEAR_MISS_DEPTH, onlyModel, SEARCH_DEPTH, single } from './find-models.ts';
import { checkedModelDir, checkedModelFile, namedScript, refuseDenied } from './named-files.ts';
import { advice, nearMisses, SCRIPT_NAMES } from './near-misses.ts';
import { SCRIPT_EXTENSIONS } from './script-language.ts';
import { folderLike } from './suggestions.ts';

/** The script or model to serve. All paths are absolute. */
export interface Found {
  readonly kind: 'entry script' | 'model without code' | 'sample';
  readonly entryScript: string;
  readonly modelFile: string | undefined;
  readonly modelDir: string | undefined;
  /** Folders that are searched for modules that the entry script imports by name. */
  readonly importPath: readonly string[];
}

/** Lines of a folder listing in an error. */
const LISTED = 20;

type Named = Pick<Config, 'appRoot' | 'sourceDirectory' | 'entryScript' | 'modelDir' | 'model'>;

/**
 * Chooses the script or the model to serve: the first of the list in docs/models.md. The sample is
 * served only if no option names anything, and the application's folder is untouched or this
 * server's own.
 * @param home the folder of this server: only a file directly in it can be a user's
 * @param named given options that name a script, a model or a folder (ServeCommand)
 * @param further folders that are searched for an entry script after those of the application
 * @throws ServerError usage, script_missing, script_broken, model_missing
 */
export function discover(config: Named, home: string, named: readonly string[] = [], further: readonly string[] = []): Found {
  const { appRoot } = config;
  refuseDenied('model_missing', 'The folder of the application', appRoot, folderDenial(appRoot, 'enter'));
  if (!isFolder(appRoot)) throw new ServerError('usage', `AML_APP_ROOT: expected a folder, but ${appRoot} is none.${folderLike(appRoot)}`);
  const source = config.sourceDirectory === '' ? [] : [resolve(appRoot, config.sourceDirectory)];
  const modelDir = checkedModelDir(config.modelDir);
  const found = {
    modelDir,
    modelFile: config.model === '' ? undefined : checkedModelFile(config.model, modelDir === undefined ? [appRoot] : [modelDir, appRoot]),
    importPath: [...source, appRoot, ...further.filter(isFolder)],
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

/** The entry scripts by name, in the order of the search. */
export function scriptsIn(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => SCRIPT_NAMES.map((name) => join(folder, name))).filter(isFile);
}

function foundScript(folders: readonly string[]): string | undefined {
  const [script] = scriptsIn(folders);
  if (script !== undefined) refuseDenied('script_missing', 'The entry script', script, fileDenial(script));
  return script;
}
