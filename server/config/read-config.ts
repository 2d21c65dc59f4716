import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { options, type Config, type Option } from './config.ts';
import { describeThrown, ServerError } from '../errors.ts';

export interface Sources {
  /** Arguments after the file name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** A server to start. */
export interface ServeCommand {
  readonly kind: 'serve';
  readonly config: Config;
  readonly warnings: readonly string[];
  /** The options that name a script, a model or a folder of the user's, as they were given: with one of them the sample is not meant. */
  readonly named: readonly string[];
}

export type Command = { readonly kind: 'help' | 'version' } | ServeCommand;

const NAMING: ReadonlySet<string> = new Set([
  'appRoot',
  'sourceDirectory',
  'entryScript',
  'modelDir',
  'model',
  'modelName',
] satisfies (keyof Config)[]);

/**
 * Reads flags, environment and config.json, in this order of precedence.
 * @throws ServerError `usage` that lists everything that is wrong, one line each
 */
export function readConfig(sources: Sources): Command {
  const problems: string[] = [];
  const flags = readFlags(sources.argv, problems);
  if (flags.has('help')) return { kind: 'help' };
  if (flags.has('version')) return { kind: 'version' };

  const given = (row: Option<unknown>): Given | undefined => fromFlags(row, flags) ?? fromVariables(row, sources.env, '');
  const textOf = (row: Option<string>): string => given(row)?.value ?? '';
  const appRoot = resolve(sources.cwd, textOf(options.appRoot));
  const scriptRoot = resolve(appRoot, textOf(options.sourceDirectory));
  const script = textOf(options.entryScript);
  const beside = script === '' ? [] : [scriptRoot, appRoot].map((folder) => join(dirname(resolve(folder, script)), 'config.json'));
  const file = readConfigFile(resolve(sources.cwd), textOf(options.configFile), [join(appRoot, 'config.json'), ...beside], problems);

  const named: string[] = [];
  const config: Record<string, unknown> = {};
  const implied: Record<string, unknown> = {};
  for (const [key, row] of Object.entries<Option<unknown>>(options)) {
    const found = given(row) ?? fromVariables(row, file.values, `${file.path}: `);
    config[key] = row.default;
    if (found === undefined) continue;
    // The image's variable names its own working directory, which is the default.
    const isDefault = found.from === 'AML_APP_ROOT' && samePlace(found.value, sources.cwd);
    if (NAMING.has(key) && !isDefault) named.push(found.from);
    if (row.flag !== undefined && flags.has(row.flag)) Object.assign(implied, row.flagSets);
    try {
      config[key] = (found.alias ? (row.aliasParse ?? row.parse) : row.parse)(found.value);
    } catch (thrown) {
      problems.push(`${found.from}: ${thrown instanceof Error ? thrown.message : String(thrown)}, got ${JSON.stringify(found.value)}`);
    }
  }
  Object.assign(config, implied);
  if (problems.length > 0) throw new ServerError('usage', problems.join('\n'));
  for (const key of ['modelDir', 'model', 'configFile'] as const) {
    if (config[key] !== '') config[key] = resolve(sources.cwd, String(config[key]));
  }
  config['appRoot'] = resolve(sources.cwd, String(config['appRoot']));
  return { kind: 'serve', config: config as Config, warnings: file.warnings, named };
}

function samePlace(path: string, cwd: string): boolean {
  try {
    return realpathSync(resolve(cwd, path)) === realpathSync(cwd);
  } catch {
    return false;
  }
}

interface Given {
  readonly from: string;
  readonly value: string;
  readonly alias: boolean;
}

/** What platforms put before the flags: SageMaker passes `serve`, Azure ML appends the command of its own images. All mean the same. */
const COMMANDS = [['serve'], ['runsvdir', '/var/runit']];

function readFlags(argv: readonly string[], problems: string[]): Map<string, string> {
  const names = new Set(Object.values<Option<unknown>>(options).flatMap((row) => (row.flag === undefined ? [] : [row.flag])));
  const command = COMMANDS.find((words) => words.every((word, index) => argv[index] === word)) ?? [];
  // The peer spells flags with underscores; both spellings are one flag.
  const args = argv
    .slice(command.length)
    .map((arg) => (arg.startsWith('--') ? arg.replace(/^[^=]*/, (name) => name.replaceAll('_', '-')) : arg));
  const { tokens } = parseArgs({
    args,
    options: Object.fromEntries([...names].map((name) => [name, { type: 'string' as const }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`argument ${JSON.stringify(token.value)}: expected only flags (see --help)`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') flags.set('help', '');
    else if (token.name === 'version') flags.set('version', '');
    else if (!names.has(token.name)) problems.push(`${token.rawName}: there is no such flag (see --help)`);
    else if (token.value === undefined || token.value === '') problems.push(`${token.rawName}: expected a value after it`);
    else flags.set(token.name, token.value);
  }
  return flags;
}

function fromFlags(row: Option<unknown>, flags: ReadonlyMap<string, string>): Given | undefined {
  const value = row.flag === undefined ? undefined : flags.get(row.flag);
  return value === undefined ? undefined : { from: `--${row.flag}`, value, alias: false };
}

/** An empty variable counts as not set: that is how deployment tools leave one out. */
function fromVariables(row: Option<unknown>, variables: Readonly<Record<string, string | undefined>>, where: string): Given | undefined {
  for (const [index, name] of row.env.entries()) {
    const value = variables[name];
    if (value !== undefined && value !== '') return { from: `${where}${name}`, value, alias: index > 0 };
  }
  return undefined;
}

interface ConfigFile {
  readonly path: string;
  readonly values: Record<string, string>;
  readonly warnings: string[];
}

/** @param places where it is looked up when no file is named */
function readConfigFile(cwd: string, named: string, places: readonly string[], problems: string[]): ConfigFile {
  const path = named === '' ? places.find((file) => existsSync(file)) : resolve(cwd, named);
  const result: ConfigFile = { path: path ?? '', values: {}, warnings: [] };
  if (path === undefined) return result;
  let parsed: unknown;
  try {
    const content = readFileSync(path, 'utf8');
    if (content.trim() === '' && named === '') return result;
    parsed = JSON.parse(content);
  } catch (thrown) {
    problems.push(`${path}: expected a JSON object of options, ${describeThrown(thrown)}`);
    return result;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    problems.push(`${path}: expected a JSON object of options, got ${Array.isArray(parsed) ? 'an array' : String(parsed)}`);
    return result;
  }
  const known = new Set(Object.values<Option<unknown>>(options).flatMap((row) => row.env));
  const unknown = Object.keys(parsed).filter((key) => !known.has(key));
  if (unknown.length > 0) result.warnings.push(`${path}: keys that have no effect here: ${unknown.join(', ')}`);
  for (const [key, value] of Object.entries(parsed)) {
    if (known.has(key) && value !== null) result.values[key] = Array.isArray(value) ? value.join(',') : String(value);
  }
  return result;
}
