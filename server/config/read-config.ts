import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ServerError } from '../errors.ts';
import { readConfigFile, readInferenceConfig } from './config-file.ts';
import { options, type Config, type Option } from './config.ts';
import { contradictions } from './contradictions.ts';
import { missingKeys } from './missing-keys.ts';
import { flagOf, readValue } from './option-values.ts';
import { PROFILE_NAMES, type ProfileName } from './platforms/names.ts';
import type { Ports } from './platforms/platform.ts';
import { profileOf, type Profile } from './platforms/platforms.ts';
import { usableVariables } from './platform-variables.ts';
import { readFlags } from './read-flags.ts';
import { isFolder, visibleNames } from '../system/folders.ts';

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
  readonly profile: Profile;
}

export type Command = { readonly kind: 'help' | 'version' } | ServeCommand;

/** Files of access and TLS. */
const FILES = ['scoringKeysFile', 'jwtJwksFile', 'tlsCertFile', 'tlsKeyFile', 'tlsClientCaFile'] as const;

const NAMING: ReadonlySet<string> = new Set([
  'appRoot',
  'sourceDirectory',
  'entryScript',
  'modelDir',
  'model',
  'modelName',
] satisfies (keyof Config)[]);

/** Options with which a user says what is served. */
const MODELS = ['entryScript', 'model', 'modelDir'] as const;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads flags, environment, config.json and inferenceconfig.json, in this order of precedence.
 * @throws ServerError `usage`, with one line for each wrong flag, variable and key
 */
export function readConfig({ argv, env, cwd }: Sources): Command {
  const problems: string[] = [];
  const warnings: string[] = [];
  const flags = readFlags(argv, problems, warnings);
  if (flags.has('help')) return { kind: 'help' };
  if (flags.has('version')) return { kind: 'version' };

  const variables = usableVariables(env, warnings);
  warnIfUseless(variables, warnings);
  const given: Lookup = (row) => fromFlags(row, flags) ?? fromVariables(row, variables, '');
  const file = configFile(given, cwd, problems);
  const inFile: Lookup = (row) => given(row) ?? fromVariables(row, file.values, `${file.path}: `);
  const appRoot = resolve(cwd, inFile(options.appRoot)?.value ?? '');
  const isNamed = inFile(options.entryScript) ?? inFile(options.model);
  const older = isNamed === undefined ? readInferenceConfig(appRoot, problems) : undefined;
  const users: Lookup = (row) => inFile(row) ?? (older && fromVariables(row, older.values, `${older.path}: `));
  const isServed = MODELS.some((key) => users(options[key]) !== undefined);
  const warn = (text: string): void => void warnings.push(text);
  const around = { argv, env: variables, cwd, isFolder, namesIn: visibleNames, isServed, warn };
  const profile = profileOf(profileNamed(users), around);
  const { platform, values, fixed } = profile;
  const from = `profile ${platform.name}: `;
  const fromProfile = (row: Option<unknown>, brought: Variables): Given | undefined => {
    const found = fromVariables(row, brought, from);
    return row === options.port && found !== undefined ? { ...found, from: `${from}${platform.portVariable}` } : found;
  };
  const find: Lookup = (row) => fromFlags(row, flags) ?? fromProfile(row, fixed) ?? users(row) ?? fromProfile(row, values);

  const { config, named: byOptions } = parsed(find, { flags, cwd, problems });
  const named = platform.names ? [...byOptions, `the profile ${platform.name}`] : byOptions;
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) throw new ServerError('usage', problems.join('\n'));
  warnings.push(
    ...platform.warnings(around, portsOf(config)),
    ...missingKeys(config, variables, platform),
    ...file.warnings,
    ...(older?.warnings ?? []),
  );
  return { kind: 'serve', config, warnings, named, profile };
}

function portsOf({ port, metricsPort, grpcPort, healthPort, separateHealthEndpoint, tlsCertFile }: Config): Ports {
  const health = separateHealthEndpoint || tlsCertFile !== '' ? healthPort : 0;
  return { main: port, second: { METRICS_PORT: metricsPort, GRPC_PORT: grpcPort, HEALTH_PORT: health } };
}

/** The profile that a user names. A wrong name is reported with the other options. */
function profileNamed(users: Lookup): ProfileName | 'auto' {
  const value = users(options.profile)?.value.toLowerCase();
  return PROFILE_NAMES.find((name) => name === value) ?? 'auto';
}

interface Given {
  readonly from: string;
  readonly value: string;
  readonly alias: boolean;
}

type Lookup = (row: Option<unknown>) => Given | undefined;

function configFile(given: Lookup, cwd: string, problems: string[]): ReturnType<typeof readConfigFile> {
  const textOf = (row: Option<string>): string => given(row)?.value ?? '';
  const appRoot = resolve(cwd, textOf(options.appRoot));
  const scriptRoot = resolve(appRoot, textOf(options.sourceDirectory));
  const script = textOf(options.entryScript);
  const beside = script === '' ? [] : [scriptRoot, appRoot].map((folder) => join(dirname(resolve(folder, script)), 'config.json'));
  const named = textOf(options.configFile);
  return readConfigFile(named === '' ? undefined : resolve(cwd, named), [join(appRoot, 'config.json'), ...beside], problems);
}

interface Surroundings {
  readonly flags: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly problems: string[];
}

function parsed(find: Lookup, { flags, cwd, problems }: Surroundings): Pick<ServeCommand, 'config' | 'named'> {
  const named: string[] = [];
  const config: Record<string, unknown> = {};
  const implied: Record<string, unknown> = {};
  for (const [key, row] of Object.entries<Option<unknown>>(options)) {
    const found = find(row);
    config[key] = row.default;
    if (found === undefined) continue;
    // The image sets AML_APP_ROOT to its working directory, which is the default.
    const isDefault = found.from === 'AML_APP_ROOT' && samePlace(found.value, cwd);
    if (NAMING.has(key) && !isDefault) named.push(found.from);
    if (flags.has(flagOf(row) ?? '')) Object.assign(implied, row.flagSets);
    try {
      config[key] = readValue(row, found.value, found.alias);
    } catch (thrown) {
      problems.push(`${found.from}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  Object.assign(config, implied);
  for (const key of ['modelDir', 'model', 'configFile', 'pythonPath', ...FILES] as const) {
    if (config[key] !== '') config[key] = resolve(cwd, String(config[key]));
  }
  config['appRoot'] = resolve(cwd, String(config['appRoot']));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop gives each key the row's default, or the value of its parser
  return { config: config as Config, named };
}

const AT_BUILD = 'the server installs nothing. Install packages when the image is built (docs/images.md)';

/** Variables of Azure's Python server and its images that have no effect here, and what to use. */
const USELESS: Readonly<Record<string, string>> = {
  WORKER_PRELOAD: 'each worker runs init() itself. Lower WORKER_COUNT to save memory',
  AML_ENTRY_SCRIPT: 'use AZUREML_ENTRY_SCRIPT',
  AML_SOURCE_DIRECTORY: 'use AZUREML_SOURCE_DIRECTORY',
  SERVER_PORT: 'the server sets it for scripts. Use PORT',
  AZUREML_EXTRA_REQUIREMENTS_TXT: AT_BUILD,
  AZUREML_EXTRA_CONDA_YAML: AT_BUILD,
  AZUREML_EXTRA_CONDA_YAML_ABS_PATH: AT_BUILD,
  AZUREML_EXTRA_PYTHON_LIB_PATH: 'use PYTHONPATH',
};

function warnIfUseless(variables: Variables, warnings: string[]): void {
  for (const [name, instead] of Object.entries(USELESS)) {
    if (!/^(?:false|0)?$/i.test(variables[name] ?? '')) warnings.push(`${name} has no effect: ${instead}`);
  }
}

function samePlace(path: string, cwd: string): boolean {
  try {
    return realpathSync(resolve(cwd, path)) === realpathSync(cwd);
  } catch {
    return false;
  }
}

function fromFlags(row: Option<unknown>, flags: ReadonlyMap<string, string>): Given | undefined {
  const name = flagOf(row);
  const value = name === undefined ? undefined : flags.get(name);
  return value === undefined ? undefined : { from: `--${name}`, value, alias: false };
}

/** An empty variable counts as unset, because deployment tools leave a variable out that way. */
function fromVariables(row: Option<unknown>, variables: Variables, where: string): Given | undefined {
  for (const [index, name] of row.env.entries()) {
    const value = variables[name];
    if (value !== undefined && value !== '') return { from: `${where}${name}`, value, alias: index > 0 };
  }
  return undefined;
}
