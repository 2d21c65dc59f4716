import { withoutKeys } from '../guards/addresses.ts';

/**
 * Reads one value.
 * @throws Error whose message names the expected form; never the value, which may be a secret
 */
export type Parser<T> = (value: string) => T;

/** One option: a row of a table in config.ts, telemetry-options.ts or collection-options.ts. */
export interface Option<T> {
  /** Environment variable and key in config.json. Later names are aliases. */
  readonly env: readonly [string, ...string[]];
  /**
   * Without the dashes, where it differs from the name of the variable. `--model_dir` and
   * `--model-dir` are the same flag.
   */
  readonly flag?: string;
  readonly default: T;
  readonly parse: Parser<T>;
  /** Parser of the aliases, where they have another unit or form. */
  readonly aliasParse?: Parser<T>;
  /**
   * Present: platforms set the variable for all containers. There a refused value is a warning, and
   * counts as this text; empty: as unset. In a flag or a file it is an error. Absent: the option is
   * this server's own.
   */
  readonly otherwise?: string;
  /** Other options that the flag sets, but not the variable. */
  readonly flagSets?: Readonly<Record<string, unknown>>;
  /** The value is a key, or may hold one: no error, log line or help text shows it. */
  readonly secret?: true;
  /**
   * Effect of the option, and when to change it: one or two sentences, for a table cell of 120
   * characters.
   */
  readonly doc: string;
}

/** A table of options by the names that the code uses. */
export type OptionRows = Record<string, Option<never> | Option<unknown>>;

export const option = <T>(row: Option<T>): Option<T> => row;

/**
 * The flag of an option, without the dashes. A secret has one only where Azure's server has it,
 * because every user of a machine can read flags.
 */
export function flagOf({ env, flag: given, secret }: Option<unknown>): string | undefined {
  return given ?? (secret === true ? undefined : env[0].toLowerCase().replaceAll('_', '-'));
}

/**
 * Reads a value by its row.
 * @throws Error that names the expected form and the value, which is not shown if it is a secret.
 * Why: logs and terminals are read by more people than secrets are meant for
 */
export function readValue({ parse, aliasParse, secret }: Option<unknown>, value: string, alias: boolean): unknown {
  try {
    return (alias ? (aliasParse ?? parse) : parse)(value);
  } catch (thrown) {
    const shown = secret === true ? ' (the value is not shown because it is a secret)' : `, got ${JSON.stringify(withoutKeys(value))}`;
    throw new Error(`${thrown instanceof Error ? thrown.message : String(thrown)}${shown}`, { cause: thrown });
  }
}

/** Characters. The HTTP router allows parameters of the same length. */
export const LONGEST_MODEL_NAME = 255;

export const text: Parser<string> = (value) => value;

/** One segment of a path. */
export const modelName: Parser<string> = (value) => {
  if (value.includes('/') || value.length > LONGEST_MODEL_NAME || /^\.{1,2}$/.test(value))
    throw new Error(`expected a name without slashes, of at most ${LONGEST_MODEL_NAME} characters, and neither . nor ..`);
  return value;
};

/** Value of a header: RFC 9110, section 5.5. Node refuses others at each answer. */
export const headerValue: Parser<string> = (value) => {
  if (!isHeaderValue(value)) throw new Error('expected the value of a header: visible characters of Latin-1, spaces and tabs');
  return value;
};

export const isHeaderValue = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]+$/.test(value);

export const list: Parser<readonly string[]> = (value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** At least one number, each once. */
export const deviceNumbers: Parser<readonly number[]> = (value) => {
  const words = list(value);
  if (words.length === 0 || words.some((word) => !/^\d{1,4}$/.test(word)) || new Set(words.map(Number)).size < words.length)
    throw new Error('expected device numbers such as 0,1, each once');
  return words.map(Number);
};

export const integer =
  (least: number, most: number): Parser<number> =>
  (value) => {
    const number = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) throw new Error(`expected a whole number from ${least} to ${most}`);
    return number;
  };

/** `auto`, or a value of the other parser. */
export const orAuto =
  (parse: Parser<number>): Parser<number | 'auto'> =>
  (value) => {
    if (value.trim().toLowerCase() === 'auto') return 'auto';
    try {
      return parse(value);
    } catch (thrown) {
      throw new Error(`${thrown instanceof Error ? thrown.message : String(thrown)}, or auto`, { cause: thrown });
    }
  };

/** Longest delay of a Node timer, in milliseconds. */
const LONGEST = 2 ** 31 - 1;
export const milliseconds: Parser<number> = integer(0, LONGEST);
export const seconds: Parser<number> = (value) => integer(1, Math.floor(LONGEST / 1000))(value) * 1000;

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes, also as 64K, 100M or 1G (powers of 1024). */
export const bytes: Parser<number> = (value) => {
  const [, digits, unit] = /^(\d{1,12})([KMG]?)i?B?$/i.exec(value.trim()) ?? [];
  const factor = units[(unit ?? '').toUpperCase()];
  if (digits === undefined || factor === undefined) throw new Error('expected a number of bytes, or one with K, M or G');
  return Number(digits) * factor;
};

export const decimal =
  (least: number, most: number): Parser<number> =>
  (value) => {
    const number = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) throw new Error(`expected a number from ${least} to ${most}`);
    return number;
  };
export const share: Parser<number> = decimal(0, 1);

export const url: Parser<string> = (value) => {
  if (!/^https?:$/.test(URL.parse(value)?.protocol ?? '')) throw new Error('expected an http:// or https:// URL');
  return value;
};

export const isPercentEncoded = (value: string): boolean => {
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
};

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isGuid = (value: string): boolean => GUID.test(value.trim());

/** For Application Insights: `InstrumentationKey=<guid>;IngestionEndpoint=https://...`. */
export const connectionString: Parser<string> = (value) => {
  const parts = new Map(value.split(';').map((part) => [part.split('=')[0]?.trim().toLowerCase(), part.slice(part.indexOf('=') + 1)]));
  if (!isGuid(parts.get('instrumentationkey') ?? ''))
    throw new Error('expected InstrumentationKey=<guid> and parts like IngestionEndpoint=https://...');
  const endpoint = parts.get('ingestionendpoint');
  if (endpoint !== undefined) url(endpoint);
  return value;
};

export const flag: Parser<boolean> = (value) => {
  const word = value.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw new Error('expected true or false');
};

export const oneOf =
  <const T extends string>(...words: readonly T[]): Parser<T> =>
  (value) => {
    const word = words.find((candidate) => candidate === value.trim().toLowerCase());
    if (word === undefined) throw new Error(`expected one of ${words.join(', ')}`);
    return word;
  };

/** Some of these words, comma-separated. */
export const someOf =
  <const T extends string>(...words: readonly T[]): Parser<readonly T[]> =>
  (value) => {
    const parse = oneOf(...words);
    return list(value).map(parse);
  };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  fatal: 'fatal',
};

/** Takes Python's names, which the Azure contract uses, and pino's. */
export const logLevel: Parser<LogLevel> = (value) => {
  const word = value.trim().toLowerCase();
  const level = Object.hasOwn(levels, word) ? levels[word] : undefined;
  if (level === undefined) throw new Error(`expected one of ${Object.keys(levels).join(', ')}`);
  return level;
};
