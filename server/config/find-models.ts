import type { Dirent } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { describeThrown, ServerError } from '../errors.ts';
import { entriesOf, folderDenial, isFile, isFolder, Met, readableEntries } from '../system/folders.ts';
import { environmentAt } from '../system/python-environments.ts';
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
  throw new ServerError(
    'model_missing',
    `There is no .onnx file in ${folder} (${name}): expected one model there, or an entry script.\n${advice(
      [folder],
      [folder, ...scripts].flatMap((each) => nearMisses(each, folder, NEAR_MISS_DEPTH)),
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
 * The `.onnx` files below a folder, those near it first; or the path itself, if it is such a file.
 * The search skips hidden folders, node_modules, environments of Python, `without`, subfolders that
 * cannot be read, and what it has met by another path.
 * @throws ServerError model_missing if the folder itself cannot be read, or holds more than
 * SEARCH_ENTRIES files
 */
export function findModels(folder: string, without: string, levels = SEARCH_DEPTH): string[] {
  if (isFile(folder)) return isModelFile(folder) ? [folder] : [];
  const models: string[] = [];
  // A link counts only if its file is not found by itself: external data lies beside the file.
  const links: string[] = [];
  const met = new Met();
  let [level, entries] = [met.first(folder) ? [folder] : [], readEntries(folder)];
  let left = SEARCH_ENTRIES;
  for (let depth = 0; depth < levels && level.length > 0; depth++) {
    const below: string[] = [];
    for (const path of level) {
      if (depth > 0) entries = readableEntries(path);
      left -= entries.length;
      if (left < 0) throw tooMany(folder);
      for (const entry of entries) {
        const { name } = entry;
        const child = join(path, name);
        if (name.startsWith('.') || name === 'node_modules' || (without !== '' && isInside(child, without))) continue;
        if (isFolder(child)) {
          if (environmentAt(child) === undefined && met.first(child)) below.push(child);
        } else if (!isModelFile(name) || !isFile(child)) continue;
        else if (entry.isSymbolicLink()) links.push(child);
        else if (met.first(child)) models.push(child);
      }
    }
    level = below;
  }
  return [...models, ...links.filter((link) => met.first(link))];
}

/** @throws ServerError model_missing */
function readEntries(folder: string): Dirent[] {
  const denied = folderDenial(folder, 'list');
  if (denied !== undefined) throw new ServerError('model_missing', `The folder ${folder} cannot be read: ${denied}.`);
  try {
    return entriesOf(folder);
  } catch (thrown) {
    throw new ServerError('model_missing', `The folder ${folder} cannot be read: ${describeThrown(thrown)}`, { cause: thrown });
  }
}

function tooMany(folder: string): ServerError {
  return new ServerError(
    'model_missing',
    `There are more than ${SEARCH_ENTRIES} files in ${folder}: too many to look for a model. Name it with --model (or MODEL_FILE).`,
  );
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
