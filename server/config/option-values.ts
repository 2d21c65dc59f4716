/** Reads one value; throws an Error whose message says what was expected. */
export type Parser<T> = (value: string) => T;

/** One option: a row of the tables in config.ts and the files beside it. */
export interface Option<T> {
  /** Environment variable, also the key in config.json. Later names are aliases. */
  readonly env: readonly [string, ...string[]];
  /** `--port`; `--model_dir` and `--model-dir` are the same flag. */
  readonly flag?: string;
  readonly default: T;
  readonly parse: Parser<T>;
  /** Parser of an alias that counts in another unit. */
  readonly aliasParse?: Parser<T>;
  /** What the flag, but not the variable, sets besides its own option. */
  readonly flagSets?: Readonly<Record<string, unknown>>;
  readonly doc: string;
}

export const option = <T>(row: Option<T>): Option<T> => row;

/** The longest parameter that a route takes: http/app.ts. */
export const LONGEST_MODEL_NAME = 255;

export const text: Parser<string> = (value) => value;

/** A name that is one segment of a path. */
export const modelName: Parser<string> = (value) => {
  if (value.includes('/') || value.length > LONGEST_MODEL_NAME)
    throw new Error(`expected a name without slashes, of at most ${LONGEST_MODEL_NAME} characters`);
  return value;
};

export const list: Parser<readonly string[]> = (value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** Numbers of devices: each once, at least one. */
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

/** `auto`, or what the other parser reads. */
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

/** What a Node timer can hold, in milliseconds. */
const LONGEST = 2 ** 31 - 1;
export const milliseconds: Parser<number> = integer(0, LONGEST);
export const seconds: Parser<number> = (value) => integer(1, Math.floor(LONGEST / 1000))(value) * 1000;

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A number of bytes, also as 64K, 100M, 1G (powers of 1024). */
export const bytes: Parser<number> = (value) => {
  const [, digits, unit] = /^(\d{1,12})([KMG]?)i?B?$/i.exec(value.trim()) ?? [];
  const factor = units[(unit ?? '').toUpperCase()];
  if (digits === undefined || factor === undefined) throw new Error('expected a number of bytes, or one with K, M or G');
  return Number(digits) * factor;
};

/** A share, from 0 to 1. */
export const share: Parser<number> = (value) => {
  const number = /^(?:\d+\.?\d*|\.\d+)$/.test(value.trim()) ? Number(value) : Number.NaN;
  if (!(number >= 0 && number <= 1)) throw new Error('expected a number from 0 to 1');
  return number;
};

/** An http or https address. */
export const url: Parser<string> = (value) => {
  if (!/^https?:$/.test(URL.parse(value)?.protocol ?? '')) throw new Error('expected an http:// or https:// URL');
  return value;
};

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isGuid = (value: string): boolean => GUID.test(value.trim());

/** Of Application Insights: `InstrumentationKey=<guid>;IngestionEndpoint=https://...`. */
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

/** Python's names (the contract's) and pino's. */
export const logLevel: Parser<LogLevel> = (value) => {
  const word = value.trim().toLowerCase();
  const level = Object.hasOwn(levels, word) ? levels[word] : undefined;
  if (level === undefined) throw new Error(`expected one of ${Object.keys(levels).join(', ')}`);
  return level;
};
