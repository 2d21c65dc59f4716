import { hash, timingSafeEqual } from 'node:crypto';
import { basename } from 'node:path';
import { keyOfFile, keysOfLines, namedKeys, type ListedKey, type NamedKey } from '../config/access-keys.ts';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Contents, readFailure, readFiles, watchFiles } from '../system/watched-files.ts';
import type { Caller } from './access.ts';

interface Entry {
  readonly caller: Caller;
  readonly hash: Buffer;
  /** Requests with this key. */
  requests: number;
}

/** The keys that count now. */
export class KeyRing {
  #entries: readonly Entry[];

  constructor(keys: readonly NamedKey[]) {
    this.#entries = keys.map((key) => entryOf(key, 0));
  }

  get names(): readonly string[] {
    return this.#entries.map(({ caller }) => caller.name);
  }

  /** Requests since the start, by the name of their key. */
  get requests(): ReadonlyMap<string, number> {
    return new Map(this.#entries.map(({ caller, requests }) => [caller.name, requests]));
  }

  /**
   * The owner of a key; undefined for a key that does not count. Its time depends only on the
   * length of what came: hashes are compared, in constant time, each of them.
   */
  find(credential: string): Caller | undefined {
    const hashed = hash('sha256', credential, 'buffer');
    let found: Entry | undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.hash, hashed)) found = entry;
    if (found === undefined) return undefined;
    found.requests++;
    return found.caller;
  }

  /**
   * A name with another key is another key: it is removed and added.
   * @returns names of the keys that count from now on, and of those that no longer do
   */
  replace(keys: readonly NamedKey[]): { readonly added: readonly string[]; readonly removed: readonly string[] } {
    const before = this.#entries;
    const kept = (key: NamedKey): Entry | undefined =>
      before.find(({ caller, hash: known }) => caller.name === key.name && known.equals(key.hash));
    this.#entries = keys.map((key) => kept(key) ?? entryOf(key, before.find(({ caller }) => caller.name === key.name)?.requests ?? 0));
    return { added: missingIn(before, this.#entries), removed: missingIn(this.#entries, before) };
  }
}

/** @param requests those of a key that had the name before, because counters never fall */
function entryOf({ name, hash: hashed }: NamedKey, requests: number): Entry {
  return { caller: { kind: 'key', name }, hash: hashed, requests };
}

/** Names of the entries that a list lacks. */
function missingIn(list: readonly Entry[], entries: readonly Entry[]): string[] {
  return entries.filter((entry) => !list.includes(entry)).map(({ caller }) => caller.name);
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
    throw new ServerError('usage', `SCORING_KEYS_FILE: ${readFailure(thrown)}`, { cause: thrown });
  }
  const failed = (thrown: unknown): void =>
    log.error({ keys: ring.names }, `SCORING_KEYS_FILE cannot be used, so the keys stay as they are: ${readFailure(thrown)}`);
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

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : describeThrown(thrown);
}
