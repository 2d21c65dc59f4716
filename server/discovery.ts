import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, resolve, sep } from 'node:path';
import type { Config } from './config.ts';
import { ServerError } from './errors.ts';

/** What this server will serve. All paths are absolute. */
export interface Found {
  readonly kind: 'entry script' | 'model without code' | 'sample';
  readonly entryScript: string;
  readonly modelFile: string | undefined;
  readonly modelDir: string | undefined;
  /** Folders in which an entry script's imports by name are looked up. */
  readonly importPath: readonly string[];
}

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs'];
const DEFAULT_NAMES = ['main', 'score'].flatMap((name) => EXTENSIONS.map((extension) => name + extension));

/** Deep enough for `azureml-models/<name>/<version>/<folder>/model.onnx` below the application's folder. */
const SEARCH_DEPTH = 5;
const SEARCH_ENTRIES = 10_000;

/**
 * Decides what to serve: a named entry script; a named model; a script found in the application's folder; the one model in the
 * model directory or in the application's folder; and only when nothing is named or found, the sample.
 * @param home the folder of this server, which is never searched
 * @throws ServerError script_missing, script_broken, model_missing
 */
export function discover(config: Pick<Config, 'appRoot' | 'sourceDirectory' | 'entryScript' | 'modelDir' | 'model'>, home: string): Found {
  if (statSync(config.appRoot, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ServerError('usage', `AML_APP_ROOT: expected a folder, but ${config.appRoot} is none.`);
  }
  const source = config.sourceDirectory === '' ? [] : [resolve(config.appRoot, config.sourceDirectory)];
  const modelDir = checkedModelDir(config.modelDir);
  const found = {
    modelDir,
    modelFile: config.model === '' ? undefined : checkedModelFile(config.model),
    importPath: [...source, config.appRoot],
  };
  const noCode = { ...found, kind: 'model without code' as const, entryScript: join(home, 'entry-scripts', 'onnx.ts') };

  if (config.entryScript !== '') return { ...found, kind: 'entry script', entryScript: namedScript(config.entryScript, found.importPath) };
  if (found.modelFile !== undefined) return noCode;
  const script = foundScript(found.importPath.filter((folder) => !isInside(folder, home)));
  if (script !== undefined) return { ...found, kind: 'entry script', entryScript: script };
  if (modelDir !== undefined) return { ...noCode, modelFile: onlyModel(modelDir, 'AZUREML_MODEL_DIR') };
  const models = isInside(config.appRoot, home) ? [] : findModels(config.appRoot, home);
  if (models.length > 0) return { ...noCode, modelFile: single(models, config.appRoot, 'AML_APP_ROOT') };
  return { ...found, kind: 'sample', entryScript: join(home, 'entry-scripts', 'diabetes.ts') };
}

function namedScript(named: string, folders: readonly string[]): string {
  const candidates = isAbsolute(named) ? [named] : folders.map((folder) => join(folder, named));
  const script = candidates.find((path) => existsSync(path));
  if (script === undefined) {
    throw new ServerError(
      'script_missing',
      `The entry script ${named} does not exist: expected a file at ${candidates.join(' or ')}. Set AZUREML_ENTRY_SCRIPT (or --entry-script) to its path.`,
    );
  }
  if (!statSync(script).isFile() || !EXTENSIONS.some((extension) => script.endsWith(extension))) {
    throw new ServerError(
      'script_broken',
      `The entry script ${script} cannot be run: expected a file that ends in ${EXTENSIONS.join(', ')}.`,
    );
  }
  return script;
}

function foundScript(folders: readonly string[]): string | undefined {
  return folders.flatMap((folder) => DEFAULT_NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
}

function checkedModelDir(path: string): string | undefined {
  if (path === '') return undefined;
  const stat = statSync(path, { throwIfNoEntry: false });
  // A single registered file may be mounted at the very path of the variable.
  if (stat?.isFile() === true || stat?.isDirectory() === true) return path;
  throw new ServerError(
    'model_missing',
    `The model directory ${path} does not exist: set AZUREML_MODEL_DIR (or --model-dir) to the folder that holds the model, and check that it is mounted.`,
  );
}

function checkedModelFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  throw new ServerError('model_missing', `The model ${path} does not exist: set --model (or MODEL_FILE) to the path of an .onnx file.`);
}

/**
 * The one model below a folder.
 * @throws ServerError model_missing when there is none, or more than one
 */
export function onlyModel(folder: string, name: string): string {
  return single(findModels(folder, ''), folder, name);
}

function single(models: readonly string[], folder: string, name: string): string {
  const [model, ...others] = models;
  if (model === undefined)
    throw new ServerError('model_missing', `There is no .onnx file in ${folder} (${name}): expected one model there, or an entry script.`);
  if (others.length > 0) {
    const listed = models.slice(0, 20).map((path) => `\n    ${path}`);
    throw new ServerError(
      'model_missing',
      `There are ${models.length} models in ${folder} (${name}), expected one: name the one to serve with --model (or MODEL_FILE), or write an entry script.${listed.join('')}`,
    );
  }
  return model;
}

/** The `.onnx` files below a folder (or the folder itself, when it is such a file), in order; hidden folders, node_modules and `without` are passed over. */
export function findModels(folder: string, without: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isFile() === true) return isModelFile(folder) ? [folder] : [];
  const models: string[] = [];
  let seen = 0;
  const visit = (path: string, depth: number): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (++seen > SEARCH_ENTRIES) {
        throw new ServerError(
          'model_missing',
          `There are more than ${SEARCH_ENTRIES} files in ${folder}: too many to look for a model. Name it with --model (or MODEL_FILE).`,
        );
      }
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const child = join(path, entry.name);
      if (without !== '' && isInside(child, without)) continue;
      const stat = statSync(child, { throwIfNoEntry: false });
      if (stat?.isFile() === true && isModelFile(entry.name)) models.push(child);
      else if (stat?.isDirectory() === true && depth > 1) visit(child, depth - 1);
    }
  };
  visit(folder, SEARCH_DEPTH);
  return models;
}

function isModelFile(path: string): boolean {
  return basename(path).toLowerCase().endsWith('.onnx');
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

const TREE_LINES = 200;

/** What is below a folder, four spaces a level, folders with a slash, at most 200 lines (contract 2.2). */
export function modelTree(folder: string): string {
  const lines: string[] = [];
  const visit = (path: string, indent: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (lines.length > TREE_LINES) return;
      const isFolder = statSync(join(path, entry.name), { throwIfNoEntry: false })?.isDirectory() === true;
      lines.push(`${indent}${entry.name}${isFolder ? '/' : ''}`);
      if (isFolder) visit(join(path, entry.name), `${indent}    `);
    }
  };
  try {
    visit(folder, '    ');
  } catch {
    lines.push('    (it cannot be read)');
  }
  return lines.length > TREE_LINES ? [...lines.slice(0, TREE_LINES), '    ...'].join('\n') : lines.join('\n') || '    (nothing)';
}
