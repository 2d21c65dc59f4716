import { hash, timingSafeEqual } from 'node:crypto';
import { basename } from 'node:path';
import { keyOfFile, keysOfLines, namedKeys, type ListedKey, type NamedKey } from '../config/access-keys.ts';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { fileDenial } from '../system/folders.ts';
import { type Contents, readFiles, watchFiles } from '../system/watched-files.ts';
import type { Caller } from './access.ts';

interface Entry {
  readonly caller: Caller;
  readonly hash: Buffer;
}

/** The keys that count now. */
export class KeyRing {
  #keys: readonly NamedKey[] = [];
  #entries: readonly Entry[] = [];

  constructor(keys: readonly NamedKey[]) {
    this.replace(keys);
  }

  get names(): readonly string[] {
    return this.#keys.map(({ name }) => name);
  }

  /**
   * The owner of a key; undefined for a key that does not count. Its time depends only on the
   * length of what came: hashes are compared, in constant time, each of them.
   */
  find(credential: string): Caller | undefined {
    const hashed = hash('sha256', credential, 'buffer');
    let found: Caller | undefined;
    for (const { caller, hash: known } of this.#entries) if (timingSafeEqual(known, hashed)) found = caller;
    return found;
  }

  /** @returns the names of keys that count from now on, and of those that no longer do */
  replace(keys: readonly NamedKey[]): { readonly added: readonly string[]; readonly removed: readonly string[] } {
    const before = this.#keys;
    this.#keys = keys;
    this.#entries = keys.map(({ name, hash: hashed }) => ({ caller: { kind: 'key', name }, hash: hashed }));
    return { added: missingIn(before, keys), removed: missingIn(keys, before) };
  }
}

/** Names of the keys that a list lacks. A name with another key is another key. */
function missingIn(list: readonly NamedKey[], keys: readonly NamedKey[]): string[] {
  const has = (key: NamedKey): boolean => list.some(({ name, hash: other }) => name === key.name && other.equals(key.hash));
  return keys.filter((key) => !has(key)).map(({ name }) => name);
}

/**
 * The keys of both options, and those of a changed file from then on. A change that cannot be used
 * is logged, and the keys before it stay.
 * @returns undefined if no option names a key
 * @throws ServerError usage
 */
export async function openKeys({ scoringKeys, scoringKeysFile }: KeyOptions, log: Log): Promise<KeyRing | undefined> {
  if (scoringKeysFile !== '') return watchedKeys(scoringKeys, scoringKeysFile, log);
  return scoringKeys.length === 0 ? undefined : new KeyRing(namedKeys(scoringKeys));
}

type KeyOptions = Pick<Config, 'scoringKeys' | 'scoringKeysFile'>;

async function watchedKeys(given: readonly ListedKey[], path: string, log: Log): Promise<KeyRing> {
  let contents: Contents;
  let ring: KeyRing;
  try {
    contents = await readFiles([path]);
    ring = new KeyRing(keysOf(given, path, contents));
  } catch (thrown) {
    throw new ServerError('usage', `SCORING_KEYS_FILE: ${reasonOf(path, thrown)}`, { cause: thrown });
  }
  const failed = (thrown: unknown): void =>
    log.error({ keys: ring.names }, `SCORING_KEYS_FILE cannot be used, so the keys stay as they are: ${reasonOf(path, thrown)}`);
  const changed = (now: Contents): void => {
    try {
      log.info({ ...ring.replace(keysOf(given, path, now)), keys: ring.names }, 'the keys were read again');
    } catch (thrown) {
      failed(thrown);
    }
  };
  watchFiles([path], contents, { changed, failed });
  return ring;
}

/** @throws Error that names the file, and never quotes it */
function keysOf(given: readonly ListedKey[], path: string, contents: Contents): readonly NamedKey[] {
  const listed = Array.from(contents).flatMap(([file, bytes]) => {
    try {
      // A folder has an entry for each of its files.
      return file === path ? keysOfLines(bytes.toString()) : [keyOfFile(basename(file), bytes.toString())];
    } catch (thrown) {
      throw new Error(`${file}: ${messageOf(thrown)}`, { cause: thrown });
    }
  });
  if (listed.length === 0)
    throw new Error(`${path}: expected at least one key, as name:key or key; make one with: openssl rand -base64 32`);
  return namedKeys([...given, ...listed]);
}

function reasonOf(path: string, thrown: unknown): string {
  const denied = fileDenial(path);
  return denied === undefined ? messageOf(thrown) : `${path} cannot be read: ${denied}`;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : describeThrown(thrown);
}
