import { basename, isAbsolute, join } from 'node:path';
import { type ErrorCode, ServerError } from '../errors.ts';
import { fileDenial, folderDenial, isFile, isFolder, statOf } from '../system/folders.ts';
import { findModels, isModelFile, listed } from './find-models.ts';
import { nearMisses } from './near-misses.ts';
import { SCRIPT_EXTENSIONS } from './script-language.ts';
import { folderLike, othersLike } from './suggestions.ts';

/** @throws ServerError where permission is missing */
export function refuseDenied(code: ErrorCode, what: string, path: string, denied: string | undefined): void {
  if (denied !== undefined) throw new ServerError(code, `${what} ${path} cannot be read: ${denied}.`);
}

/**
 * The entry script that an option names.
 * @param where the file that names it, for errors
 * @throws ServerError script_missing, script_broken
 */
export function namedScript(named: string, folders: readonly string[], where: string): string {
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

/** @throws ServerError model_missing */
export function checkedModelDir(path: string): string | undefined {
  if (path === '') return undefined;
  refuseDenied('model_missing', 'The model directory', path, folderDenial(path, 'enter') ?? fileDenial(path));
  // Azure ML mounts a model that is one file at this very path.
  if (isFile(path) || isFolder(path)) return path;
  throw new ServerError(
    'model_missing',
    `The model directory ${path} does not exist: set AZUREML_MODEL_DIR (or --model-dir) to the folder that holds the model, and check that it is mounted.${folderLike(path)}`,
  );
}

/**
 * @param folders where a model may be, too
 * @throws ServerError model_missing
 */
export function checkedModelFile(path: string, folders: readonly string[]): string {
  refuseDenied('model_missing', 'The model', path, fileDenial(path));
  if (isFile(path)) return path;
  const how = isFolder(path) ? 'is a folder' : statOf(path) === undefined ? 'does not exist' : 'is no regular file';
  const others = isFolder(path)
    ? modelsIn(path)
    : othersLike([path, ...folders.map((folder) => join(folder, basename(path)))], isModelFile);
  throw new ServerError('model_missing', `The model ${path} ${how}: set --model (or MODEL_FILE) to the path of an .onnx file.${others}`);
}

/** The way out for a folder that is named as a model. */
function modelsIn(folder: string): string {
  const [model, ...others] = findModels(folder, '');
  if (model === undefined) return ' There is no .onnx file below it.';
  return others.length === 0 ? ` Did you mean ${model}?` : ` Below it are:${listed([model, ...others])}`;
}
