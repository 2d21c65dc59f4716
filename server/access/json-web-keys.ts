import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWK, JWSHeaderParameters } from 'jose';
import { JWKSNoMatchingKey } from 'jose/errors';
import { createLocalJWKSet } from 'jose/jwks/local';
import { ServerError } from '../errors.ts';
import { originOf, withoutKeys } from '../guards/addresses.ts';
import type { Log } from '../log.ts';
import { readFailure, readFiles, watchFiles, type Contents } from '../system/watched-files.ts';

/**
 * Finds the public key that a token names.
 * @throws ServerError keys_unavailable; JWKSNoMatchingKey, JWKSMultipleMatchingKeys
 */
export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/** Public keys of an issuer (JWKS: RFC 7517). */
interface KeySet {
  readonly find: FindKey;
  readonly count: number;
}

const MOST_KEYS = 500;
const KINDS: readonly unknown[] = ['RSA', 'EC', 'OKP'];

/** @throws Error that says what was expected */
export function readKeySet(text: string): KeySet {
  const expected = 'expected a JSON Web Key Set, {"keys": [...]}';
  let set: unknown;
  try {
    set = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new Error(`${expected}, got a text that is not JSON`);
  }
  if (!isKeySet(set)) throw new Error(`${expected}, got other JSON`);
  const { keys } = set;
  if (keys.length > MOST_KEYS) throw new Error(`expected at most ${MOST_KEYS} keys, got ${keys.length}`);
  if (keys.some((key) => KINDS.includes(key.kty) && key.d !== undefined))
    throw new Error('expected public keys, got a private one, which belongs to the issuer alone: remove it, and replace that key');
  const count = keys.filter((key) => KINDS.includes(key.kty) && key.use !== 'enc').length;
  if (count === 0) throw new Error(`${expected} with a public key of type RSA, EC or OKP, got none`);
  return { find: createLocalJWKSet(set), count };
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) return false;
  return value.keys.every((key: unknown): key is JWK => typeof key === 'object' && key !== null && !Array.isArray(key));
}

/** What happens to a set of keys. */
interface KeyEvents {
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Other keys count from now on. */
  readonly changed: () => void;
}

/**
 * Keys of a file, read again when it changes. A change that holds no keys is logged, and the keys
 * stay.
 * @throws ServerError usage
 */
export async function keysOfFile(path: string, { log, changed }: KeyEvents): Promise<FindKey> {
  const read = (contents: Contents): KeySet => {
    const bytes = contents.get(path);
    if (bytes === undefined) throw new Error(`${path}: expected a file, got a folder`);
    try {
      return readKeySet(bytes.toString());
    } catch (cause) {
      throw new Error(`${path}: ${messageOf(cause)}`, { cause });
    }
  };
  let contents: Contents;
  let set: KeySet;
  try {
    contents = await readFiles([path]);
    set = read(contents);
  } catch (cause) {
    throw new ServerError('usage', `JWT_JWKS_FILE: ${readFailure(cause)}`, { cause });
  }
  const failed = (error: unknown): void => log.error(`JWT_JWKS_FILE: ${readFailure(error)}: the keys that were read before count`);
  watchFiles([path], contents, {
    failed,
    changed: (now) => {
      try {
        set = read(now);
      } catch (error) {
        return failed(error);
      }
      changed();
      log.info({ keys: set.count }, 'read the keys of tokens again');
    },
  });
  return (header, token) => set.find(header, token);
}

/** Milliseconds. */
export interface KeyTimes {
  /** From a failed request for the keys to the next one. */
  readonly retry: number;
  /** Between two refreshes. */
  readonly refresh: number;
  /** Between two requests that tokens cause. */
  readonly coolDown: number;
}

/**
 * Requests that wait for one answer. The beginning of each body is in memory, and no limit of the
 * queue counts it.
 */
const MOST_WAITING = 256;

const TIMES: KeyTimes = { retry: 5000, refresh: 600_000, coolDown: 10_000 };

/**
 * Keys of an address, fetched in the background from the start on. They count while the address
 * cannot be reached. A token with an unknown key causes a request, at most one in each cool-down.
 */
export class FetchedKeys {
  readonly #origin: string;
  readonly #get: () => Promise<string>;
  readonly #events: KeyEvents;
  readonly #times: KeyTimes;
  #set: KeySet | undefined;
  #text = '';
  /** When a token last caused a request. */
  #askedAt = -Infinity;
  #failed = false;
  #pending: Promise<void> | undefined;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param get gets the text of the address */
  constructor(address: string, get: () => Promise<string>, events: KeyEvents, times = TIMES) {
    this.#origin = originOf(address);
    this.#get = get;
    this.#events = events;
    this.#times = times;
    void this.#refresh();
  }

  readonly find: FindKey = async (header, token) => {
    if (this.#set === undefined) await this.#ask();
    const set = this.#known();
    try {
      return await set.find(header, token);
    } catch (error) {
      if (!(error instanceof JWKSNoMatchingKey)) throw error;
    }
    await this.#ask();
    // The issuer may have made the key since the last answer.
    if (this.#failed) throw this.#unavailable();
    return this.#known().find(header, token);
  };

  #known(): KeySet {
    if (this.#set === undefined) throw this.#unavailable();
    return this.#set;
  }

  #unavailable(why = 'an earlier line has the reason'): ServerError {
    return new ServerError('keys_unavailable', `no keys that sign tokens from ${this.#origin}: ${why}`);
  }

  /**
   * Asks for keys on behalf of a token, unless another one did so within the cool-down.
   * @throws ServerError keys_unavailable if too many wait already
   */
  async #ask(): Promise<void> {
    if (this.#pending === undefined) {
      const now = performance.now();
      if (now - this.#askedAt < this.#times.coolDown) return;
      this.#askedAt = now;
    }
    if (this.#waiting >= MOST_WAITING) throw this.#unavailable(`${MOST_WAITING} requests already wait for them`);
    this.#waiting++;
    await this.#refresh();
    this.#waiting--;
  }

  /** Never rejects. */
  #refresh(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.#take(await this.#get());
    } catch (error) {
      this.#report(error);
    }
    const { retry, refresh } = this.#times;
    this.#timer = setTimeout(() => void this.#refresh(), this.#failed ? retry : refresh).unref();
  }

  #take(text: string): void {
    const first = this.#set === undefined;
    if (text !== this.#text) {
      this.#set = readKeySet(text);
      this.#text = text;
      if (!first) this.#events.changed();
    }
    if (first || this.#failed) this.#events.log.info({ keys: this.#set?.count }, `fetched the keys that sign tokens from ${this.#origin}`);
    this.#failed = false;
  }

  /** Logs the first failure of an outage. */
  #report(error: unknown): void {
    const effect = this.#set === undefined ? 'requests with a token get 503 until it answers' : 'the keys that it gave before count';
    if (!this.#failed) this.#events.log.warn(`JWT_JWKS_URL: ${this.#origin}: ${messageOf(error)}: ${effect}`);
    this.#failed = true;
  }
}

/** Errors of proxies may quote their addresses. */
function messageOf(error: unknown): string {
  return withoutKeys(error instanceof Error ? error.message : String(error));
}
