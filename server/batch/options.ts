import { realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { describeThrown, ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import { readShard, type Shard, WHOLE } from './shard.ts';

/** Stdin as the input, stdout as the output. */
export const STREAM = '-';
/** Of `errorThreshold`: any number of inputs may fail. */
const ANY_NUMBER = -1;

export interface BatchOptions {
  /** An absolute path, or `-`. */
  readonly input: string;
  readonly isFolder: boolean;
  readonly output: string;
  readonly shard: Shard;
  /** Inputs that may fail; -1: any number. */
  readonly errorThreshold: number;
}

/** The flags of the command besides the options of `serve`. */
export const batchFlags = {
  input: { value: 'FILE|FOLDER|-', doc: 'A file of JSON lines, a folder of files, or - for JSON lines on stdin.' },
  output: { value: 'FILE|-', doc: 'The file that gets one line of JSON for each input, or - for stdout. A file is written anew.' },
  shard: { value: 'i/n', doc: 'Every n-th input from the i-th, counted from 0. auto/n: i is JOB_COMPLETION_INDEX.' },
  'error-threshold': {
    value: 'NUMBER',
    doc: 'The most inputs that may fail; one more ends the batch with 1. -1, the default: any number.',
  },
} as const;

type BatchFlag = keyof typeof batchFlags;

interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** @throws ServerError usage, with a line for each problem */
export function readBatchOptions(flags: ReadonlyMap<BatchFlag, string>, { env, cwd }: Place): BatchOptions {
  const problems: string[] = [];
  const read = <T>(name: BatchFlag, parse: (value: string) => T, missing: T | undefined): T | undefined => {
    const value = flags.get(name);
    if (value === undefined && missing === undefined) problems.push(`--${name}: expected this flag. ${batchFlags[name].doc}`);
    if (value === undefined) return missing;
    try {
      return parse(value);
    } catch (thrown) {
      problems.push(`--${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return undefined;
    }
  };
  const at = (value: string): string => (value === STREAM ? value : resolve(cwd, value));
  const isFolder = read('input', (value) => value !== STREAM && isFolderAt(at(value)), undefined);
  const input = at(flags.get('input') ?? '');
  const output = read('output', (value) => outputAt(at(value), input), undefined);
  const shard = read('shard', (value) => readShard(value, env), WHOLE);
  const errorThreshold = read('error-threshold', threshold, ANY_NUMBER);
  if (isFolder === undefined || output === undefined || shard === undefined || errorThreshold === undefined)
    throw new ServerError('usage', problems.join('\n'));
  return { input, isFolder, output, shard, errorThreshold };
}

function threshold(value: string): number {
  if (!/^(?:-1|\d{1,15})$/.test(value)) throw new Error(`expected a whole number from 0, or -1 for any number, got ${excerpt(value)}`);
  return Number(value);
}

/** @throws Error where nothing can be read there */
function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (thrown) {
    throw new Error(`expected a file or a folder that is there, got ${excerpt(path)}: ${describeThrown(thrown)}`, { cause: thrown });
  }
}

/**
 * Why the check: an output that is its input would be emptied, and one among its inputs would be
 * read while it grows. A link is the file that it leads to.
 */
function outputAt(path: string, input: string): string {
  if (path === STREAM) return path;
  const folder = dirname(path);
  if (statOf(folder)?.isDirectory() !== true)
    throw new Error(`expected a file in a folder that is there, got no folder ${excerpt(folder)}`);
  if (input !== STREAM && isWithin(path, input)) throw new Error(`expected a file outside of the input, got ${excerpt(path)}`);
  return path;
}

function isWithin(path: string, input: string): boolean {
  const [output, from] = [statOf(path), statOf(input)];
  // A hard link has a path of its own.
  if (output !== undefined && from !== undefined && output.dev === from.dev && output.ino === from.ino) return true;
  const root = realPathOf(input);
  return realPathOf(path).startsWith(root.endsWith(sep) ? root : root + sep);
}

/** The path without links. The last part need not be there. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
