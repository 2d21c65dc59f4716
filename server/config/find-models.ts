import type { Dirent } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { describeThrown, ServerError } from '../errors.ts';
import { entriesOf, folderDenial, isFile, Met, readableEntries, statOf } from '../system/folders.ts';
import { advice, nearMisses } from './near-misses.ts';

/**
 * Folder levels: enough for `azureml-models/<name>/<version>/<folder>/model.onnx` below the
 * application's folder.
 */
export const SEARCH_DEPTH = 5;
const SEARCH_ENTRIES = 10_000;
/** Deeper than SEARCH_DEPTH, so that the error can name models that lie too deep. */
export const NEAR_MISS_DEPTH = 8;
/** Models that an error lists. */
const LISTED = 20;

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

/** The one model. @throws ServerError model_missing if there are more */
export function single(models: readonly string[], folder: string, name: string): string {
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
  const denied = folderDenial(folder, 'list');
  if (denied !== undefined) throw new ServerError('model_missing', `The folder ${folder} cannot be read: ${denied}.`);
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

export function isModelFile(path: string): boolean {
  return basename(path).toLowerCase().endsWith('.onnx');
}

/** Paths as lines of an error. */
export function listed(paths: readonly string[]): string {
  return paths
    .slice(0, LISTED)
    .map((path) => `\n    ${path}`)
    .join('');
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
