import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { describeThrown, ServerError } from '../errors.ts';
import { linesOf, tooLong } from './lines.ts';
import { type BatchOptions, STREAM } from './options.ts';
import { isIn, type Shard } from './shard.ts';

/** One request of a batch: a line, or a file. */
export interface BatchInput {
  /** `name:line` of a line, the path below the folder of a file. */
  readonly name: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** Why it cannot be scored. */
  readonly refusal?: ServerError | undefined;
}

const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

/** Content types of the files of a folder. Others are bytes. */
const types: Readonly<Record<string, string>> = { '.json': JSON_TYPE, '.csv': 'text/csv', '.txt': 'text/plain' };
/** Files of which each line is an input. */
const LINES: ReadonlySet<string> = new Set(['.jsonl', '.ndjson']);

interface Sources {
  readonly stdin: Readable;
  /** Bytes of the largest body. */
  readonly limit: number;
}

type Selected = Pick<BatchOptions, 'input' | 'isFolder' | 'shard'>;

/**
 * The inputs of this shard in order: the lines of a file or of stdin, or the files of a folder by
 * their paths. It reads each when it is asked for.
 * @throws ServerError batch_failed where the input itself cannot be read
 */
export async function* inputsOf({ input, isFolder, shard }: Selected, { stdin, limit }: Sources): AsyncGenerator<BatchInput> {
  try {
    if (isFolder) yield* filesOf(input, shard, limit);
    else if (input === STREAM) yield* shardOf(lineInputs(STREAM, stdin, limit), shard);
    else yield* shardOf(lineInputs(basename(input), createReadStream(input), limit), shard);
  } catch (thrown) {
    throw new ServerError('batch_failed', `${input} cannot be read: ${describeThrown(thrown)}`, { cause: thrown });
  }
}

async function* shardOf(inputs: AsyncIterable<BatchInput>, shard: Shard): AsyncGenerator<BatchInput> {
  let at = 0;
  for await (const input of inputs) if (isIn(shard, at++)) yield input;
}

async function* lineInputs(name: string, stream: AsyncIterable<Buffer>, limit: number): AsyncGenerator<BatchInput> {
  for await (const { number, bytes, refusal } of linesOf(stream, limit))
    yield { name: `${name}:${number}`, contentType: JSON_TYPE, body: bytes, refusal };
}

async function* filesOf(folder: string, shard: Shard, limit: number): AsyncGenerator<BatchInput> {
  const names = (await namesIn(folder)).toSorted();
  for (const name of names.filter((_, at) => isIn(shard, at))) {
    const path = join(folder, name);
    const extension = extname(name).toLowerCase();
    if (!LINES.has(extension)) yield await fileInput(name, path, limit);
    else yield* orRefusal(name, lineInputs(name, createReadStream(path), limit));
  }
}

/** A file of lines that cannot be read is one input that fails, as another file is. */
async function* orRefusal(name: string, inputs: AsyncIterable<BatchInput>): AsyncGenerator<BatchInput> {
  try {
    yield* inputs;
  } catch (thrown) {
    yield refused(name, unreadable(thrown));
  }
}

async function fileInput(name: string, path: string, limit: number): Promise<BatchInput> {
  try {
    const { size } = await stat(path);
    if (size > limit) return refused(name, tooLong(size, limit));
    const contentType = types[extname(name).toLowerCase()] ?? BYTES;
    return { name, contentType, body: await readFile(path) };
  } catch (thrown) {
    return refused(name, unreadable(thrown));
  }
}

const refused = (name: string, refusal: ServerError): BatchInput => ({ name, contentType: BYTES, body: Buffer.alloc(0), refusal });

const unreadable = (thrown: unknown): ServerError =>
  new ServerError('bad_request', `The file cannot be read: ${describeThrown(thrown)}`, { cause: thrown });

/**
 * Paths of the regular files below a folder, with `/`. Names that begin with a dot are skipped, and
 * links to folders: so a mounted ConfigMap has each file once.
 */
async function namesIn(folder: string, below = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) names.push(...(await namesIn(folder, name)));
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(folder, name))))) names.push(name);
  }
  return names;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
