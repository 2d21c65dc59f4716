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

export interface ServeCommand {
  readonly kind: 'serve';
  readonly config: Config;
  readonly warnings: readonly string[];
  /**
   * Given options that name a script, a model or a folder. With one of them the server never serves
   * the sample.
   */
  readonly named: readonly string[];
}

export type Command = { readonly kind: 'help' | 'version' } | ServeCommand;

const allRows = Object.values<Option<unknown>>(options);

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
 * @throws ServerError `usage`, with one line for each wrong flag, variable and key
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
    // The image sets AML_APP_ROOT to its working directory, which is the default.
    const isDefault = found.from === 'AML_APP_ROOT' && samePlace(found.value, sources.cwd);
    if (NAMING.has(key) && !isDefault) named.push(found.from);
    if (row.flag !== undefined && flags.has(row.flag)) Object.assign(implied, row.flagSets);
    try {
      config[key] = (found.alias ? (row.aliasParse ?? row.parse) : row.parse)(found.value);
    } catch (thrown) {
      problems.push(`${found.from}: ${thrown instanceof Error ? thrown.message : String(thrown)}${shownValue(row, found.value)}`);
    }
  }
  Object.assign(config, implied);
  if (problems.length > 0) throw new ServerError('usage', problems.join('\n'));
  for (const key of ['modelDir', 'model', 'configFile'] as const) {
    if (config[key] !== '') config[key] = resolve(sources.cwd, String(config[key]));
  }
  config['appRoot'] = resolve(sources.cwd, String(config['appRoot']));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop gives each key the row's default, or the value of its parser
  return { kind: 'serve', config: config as Config, warnings: file.warnings, named };
}

/** The end of an error. Logs and terminals are read by more people than secrets are meant for. */
function shownValue({ secret }: Option<unknown>, value: string): string {
  return secret === true ? ' (the value is not shown because it is a secret)' : `, got ${JSON.stringify(value)}`;
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

/**
 * Words that platforms pass before the flags: SageMaker `serve`, Azure ML the command of its own
 * images. They change nothing.
 */
const COMMANDS = [['serve'], ['runsvdir', '/var/runit']];

function readFlags(argv: readonly string[], problems: string[]): Map<string, string> {
  const names = new Set(allRows.flatMap((row) => (row.flag === undefined ? [] : [row.flag])));
  const command = COMMANDS.find((words) => words.every((word, index) => argv[index] === word)) ?? [];
  // Azure's Python server spells its flags with underscores.
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
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'positional' && !isStrayValue(tokens[index - 1], names))
      problems.push(`argument ${JSON.stringify(token.value)}: expected only flags (see --help)`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') flags.set('help', '');
    else if (token.name === 'version') flags.set('version', '');
    else if (!names.has(token.name)) problems.push(`${token.rawName}: there is no such flag (see --help)`);
    else if (token.value === undefined || token.value === '') problems.push(`${token.rawName}: expected a value after it`);
    else flags.set(token.name, token.value);
  }
  return flags;
}

/**
 * True after an unknown flag, which has its own error. Why: the value may be a secret whose option
 * has no flag.
 */
function isStrayValue(before: { kind: string; name?: string } | undefined, names: ReadonlySet<string>): boolean {
  return before?.kind === 'option' && !names.has(before.name ?? '');
}

function fromFlags(row: Option<unknown>, flags: ReadonlyMap<string, string>): Given | undefined {
  const value = row.flag === undefined ? undefined : flags.get(row.flag);
  return value === undefined ? undefined : { from: `--${row.flag}`, value, alias: false };
}

/** An empty variable counts as unset, because deployment tools leave a variable out that way. */
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

/** @param places paths to try when no file is named */
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
    problems.push(`${path}: expected a JSON object of options, ${withoutExcerpt(describeThrown(thrown))}`);
    return result;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    problems.push(
      `${path}: expected a JSON object of options, got ${parsed === null ? 'null' : Array.isArray(parsed) ? 'an array' : `a ${typeof parsed}`}`,
    );
    return result;
  }
  const known = new Set(allRows.flatMap((row) => row.env));
  const unknown = Object.keys(parsed).filter((key) => !known.has(key));
  if (unknown.length > 0) result.warnings.push(`${path}: keys that have no effect here: ${unknown.join(', ')}`);
  for (const [key, value] of Object.entries(parsed)) {
    if (known.has(key) && value !== null) result.values[key] = Array.isArray(value) ? value.join(',') : String(value);
  }
  return result;
}

/** V8 quotes the text around some mistakes, and that text may be a secret. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (?:\.{3})?".*"(?:\.{3})? is not valid JSON$/s, ' in the file');
}
