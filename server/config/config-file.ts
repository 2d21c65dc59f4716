import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeThrown } from '../errors.ts';
import { closest } from '../guards/closest.ts';
import { kindOf } from '../guards/kind-of.ts';
import { fileDenial, isFile, isFolder } from '../system/folders.ts';
import { optionRows } from './config.ts';
import { othersLike } from './suggestions.ts';

/** A file of options: config.json, or what Azure's first version calls inferenceconfig.json. */
export interface ConfigFile {
  readonly path: string;
  /** By variable. */
  readonly values: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

type Members = Readonly<Record<string, unknown>>;

const NONE: ConfigFile = { path: '', values: {}, warnings: [] };

/**
 * Reads config.json.
 * @param named its path, if an option names it
 * @param places paths to try if none is named; the first with content counts
 * @param problems gets a line if the file cannot be used
 */
export function readConfigFile(named: string | undefined, places: readonly string[], problems: string[]): ConfigFile {
  for (const path of named === undefined ? places : [named]) {
    if (named === undefined && !isThere(path)) continue;
    const found = membersOf(path, 'of options', problems);
    if (found === 'empty' && named === undefined) continue;
    if (found === 'empty') problems.push(`${path}: expected a JSON object of options, got an empty file`);
    return typeof found === 'object' ? optionsIn(path, found, problems) : { ...NONE, path };
  }
  return NONE;
}

/**
 * Reads the entry script and its folder from inferenceconfig.json of the application's folder, as
 * Azure ML's first version writes it. Its other members describe a Python environment.
 * @param problems gets a line if the file cannot be used
 */
export function readInferenceConfig(appRoot: string, problems: string[]): ConfigFile {
  const path = join(appRoot, 'inferenceconfig.json');
  if (!isThere(path)) return NONE;
  const found = membersOf(path, 'with entryScript and sourceDirectory', problems);
  if (typeof found !== 'object') return NONE;
  const { entryScript, sourceDirectory } = found;
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries({ entryScript, sourceDirectory })) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'string') values[name] = value;
    else problems.push(`${path}: ${name}: expected a text, got ${kindOf(value)}`);
  }
  if (values['entryScript'] === undefined || values['entryScript'] === '') return NONE;
  const source = values['sourceDirectory'] ?? '';
  return {
    path,
    values: {
      AZUREML_ENTRY_SCRIPT: values['entryScript'],
      ...(source === '' ? {} : { AZUREML_SOURCE_DIRECTORY: resolve(appRoot, source) }),
    },
    warnings: [],
  };
}

/** False for a pipe, socket or device: reading one may not end. */
function isThere(path: string): boolean {
  return isFile(path) || isFolder(path);
}

function membersOf(path: string, what: string, problems: string[]): Members | 'empty' | undefined {
  const denied = fileDenial(path);
  if (denied !== undefined) return void problems.push(`${path} cannot be read: ${denied}`);
  try {
    const content = readFileSync(path, 'utf8');
    if (content.trim() === '') return 'empty';
    const parsed: unknown = JSON.parse(content.replace(/^\uFEFF/, ''));
    if (isMembers(parsed)) return parsed;
    problems.push(`${path}: expected a JSON object ${what}, got ${kindOf(parsed)}`);
  } catch (thrown) {
    const others = isThere(path) ? '' : `.${othersLike([path], (name) => name.endsWith('.json'))}`;
    problems.push(`${path}: expected a JSON object ${what}, ${withoutExcerpt(describeThrown(thrown))}${others}`);
  }
  return undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionsIn(path: string, members: Members, problems: string[]): ConfigFile {
  const known = new Set(optionRows.flatMap((row) => row.env));
  const values: Record<string, string> = {};
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(members)) {
    if (!known.has(key)) unknown.push(withSuggestion(key, known));
    else if (isScalar(value)) values[key] = String(value);
    else if (Array.isArray(value) && value.every(isScalar)) values[key] = value.join(',');
    else if (value !== null)
      problems.push(`${path}: ${key}: expected a text, a number, true, false or a list of them, got ${kindOf(value)}`);
  }
  const warnings = unknown.length === 0 ? [] : [`${path}: keys that have no effect here: ${unknown.join(', ')}`];
  return { path, values, warnings };
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function withSuggestion(key: string, known: ReadonlySet<string>): string {
  const near = closest(key, known);
  return near === undefined ? key : `${key} (did you mean ${near}?)`;
}

/** V8 quotes the text around some mistakes, and that text may be a secret. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (?:\.{3})?".*"(?:\.{3})? is not valid JSON$/s, ' in the file');
}
