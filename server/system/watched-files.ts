import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeThrown } from '../errors.ts';
import { fileDenial } from './folders.ts';

/** Files by their paths. A folder has an entry for each file in it, hidden ones left out. */
export type Contents = ReadonlyMap<string, Buffer>;

export interface WatchOptions {
  /** Gets new contents. Called at most once for each of them. */
  readonly changed: (contents: Contents) => void;
  /** Gets why two reads in a row have failed. Called once, until the files can be read again. */
  readonly failed: (error: unknown) => void;
  /** Milliseconds between two reads. */
  readonly periodMs?: number;
}

const PERIOD_MS = 1000;
/** Bytes of one file. */
const LARGEST = 1024 * 1024;
const MOST_FILES = 256;

/**
 * Reads small files: keys, certificates. Links are followed, as platforms mount secrets by links.
 * @param paths of files and folders
 * @throws Error of the file system, or one that names the expected kind or size
 */
export async function readFiles(paths: readonly string[]): Promise<Contents> {
  const contents = new Map<string, Buffer>();
  for (const path of paths) {
    const found = await stat(path);
    if (!found.isDirectory()) contents.set(path, await readSmall(path));
    else
      for (const name of await namesIn(path)) {
        const file = join(path, name);
        if ((await stat(file)).isFile()) contents.set(file, await readSmall(file));
      }
  }
  return contents;
}

/**
 * Reads the files again and again, and reports a change once two reads in a row agree on it. Why
 * reads: a write in place, a renamed file and a changed link all look alike, on every file system.
 * The timer keeps no process alive.
 * @param before the contents that the caller has
 */
export function watchFiles(paths: readonly string[], before: Contents, { changed, failed, periodMs = PERIOD_MS }: WatchOptions): void {
  let known = before;
  let last = before;
  let failures = 0;
  let reading = false;
  const look = async (): Promise<void> => {
    const now = await readFiles(paths);
    failures = 0;
    const settled = equal(now, last);
    last = now;
    if (!settled || equal(now, known)) return;
    known = now;
    changed(now);
  };
  const timer = setInterval(() => {
    if (reading) return;
    reading = true;
    look()
      .catch((error: unknown) => {
        // One failure is a platform that is changing its links.
        if (++failures === 2) failed(error);
      })
      .finally(() => (reading = false));
  }, periodMs);
  timer.unref();
}

/** Says why files cannot be read, and the cure where there is one. @param thrown by `readFiles` */
export function readFailure(thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeThrown(thrown);
  const { code, path, message }: NodeJS.ErrnoException = thrown;
  if (path === undefined) return message;
  const denied = fileDenial(path);
  if (denied !== undefined) return `${path} cannot be read: ${denied}`;
  return code === 'ENOENT' || code === 'ENOTDIR' ? `expected a file, ${path} does not exist` : message;
}

async function namesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  if (names.length > MOST_FILES) throw new Error(`${folder}: expected at most ${MOST_FILES} files, got ${names.length}`);
  return names.toSorted();
}

async function readSmall(path: string): Promise<Buffer> {
  // A pipe without a writer would hold a thread without end.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path}: expected a file`);
    if (found.size > LARGEST) throw new Error(`${path}: expected at most ${LARGEST} bytes, got ${found.size}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function equal(one: Contents, other: Contents): boolean {
  return one.size === other.size && Array.from(one).every(([path, bytes]) => other.get(path)?.equals(bytes) === true);
}
