import type { Config } from '../config/config.ts';
import type { ProxyVariables } from '../config/proxies.ts';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { credentialOf } from './credentials.ts';
import { type KeyRing, openKeys } from './keys.ts';

/** Who sent a request: the log names the key, or the subject of the token. */
export interface Caller {
  readonly kind: 'key' | 'token';
  readonly name: string;
}

/**
 * What a route asks for. `open`: nothing, for probes. `key`: a key or a token. `login`: the same,
 * also as the password of Basic, for which browsers ask.
 */
export type RouteAccess = 'open' | 'key' | 'login';

/** Requests since the start. */
interface AccessCounts {
  /** Those with a key that counts now, by its name. */
  readonly byKey: ReadonlyMap<string, number>;
  /** Refused ones without a key or token. */
  readonly missing: number;
  /** Refused ones with one that does not count. */
  readonly wrong: number;
}

/** Decides who may call. Undefined in the parts of a front door: everybody. */
export interface Access {
  /** Names of the keys that count now. */
  readonly keys: readonly string[];
  /** Always those of now. Undefined: nothing is counted. */
  readonly counts?: AccessCounts;
  /**
   * Identifies the caller of a request.
   * @param rawHeaders name, value, name, value, ...
   * @returns a promise only where a token has to be verified
   * @throws ServerError unauthorized, forbidden, keys_unavailable
   */
  check(rawHeaders: readonly string[], route: RouteAccess): Caller | Promise<Caller>;
}

/** Verifies what is no key. */
interface Tokens {
  /** @throws ServerError unauthorized, forbidden, keys_unavailable */
  verify(token: string): Caller | Promise<Caller>;
}

/**
 * Reads the keys that the options name, of clients and of issuers of tokens.
 * @param proxies for `JWT_JWKS_URL`
 * @returns undefined if everybody may call
 * @throws ServerError usage
 */
export async function openAccess(config: Config, log: Log, proxies: ProxyVariables = {}): Promise<Access | undefined> {
  const keys = await openKeys(config, log);
  const tokens = hasIssuer(config) ? await (await import('./tokens.ts')).openTokens(config, { log, proxies }) : undefined;
  return keys === undefined && tokens === undefined ? undefined : new CredentialCheck({ keys, tokens });
}

/** True if tokens count. Their library is loaded only then. */
function hasIssuer({ jwtJwksUrl, jwtJwksFile }: Config): boolean {
  return jwtJwksUrl !== '' || jwtJwksFile !== '';
}

interface Parts {
  /** Undefined: no key counts. */
  readonly keys?: KeyRing | undefined;
  /** Undefined: no token counts. */
  readonly tokens?: Tokens | undefined;
}

class Counts implements AccessCounts {
  missing = 0;
  wrong = 0;
  readonly #keys: KeyRing | undefined;

  constructor(keys: KeyRing | undefined) {
    this.#keys = keys;
  }

  get byKey(): ReadonlyMap<string, number> {
    return this.#keys?.requests ?? new Map<string, number>();
  }
}

/**
 * Asks each request for a key or a token. Refusals have one text for all reasons, because a reason
 * would help to guess.
 */
export class CredentialCheck implements Access {
  readonly #keys: KeyRing | undefined;
  readonly #tokens: Tokens | undefined;
  readonly counts: Counts;

  constructor({ keys, tokens }: Parts) {
    this.#keys = keys;
    this.#tokens = tokens;
    this.counts = new Counts(keys);
  }

  get keys(): readonly string[] {
    return this.#keys?.names ?? [];
  }

  check(rawHeaders: readonly string[], route: RouteAccess): Caller | Promise<Caller> {
    const credential = credentialOf(rawHeaders, route === 'login');
    if (credential === undefined) {
      this.counts.missing++;
      throw refusal();
    }
    return this.#keys?.find(credential) ?? this.#verified(credential);
  }

  #verified(token: string): Caller | Promise<Caller> {
    try {
      if (this.#tokens === undefined) throw refusal();
      const caller = this.#tokens.verify(token);
      return caller instanceof Promise ? caller.catch((thrown: unknown) => this.#refuse(thrown)) : caller;
    } catch (thrown) {
      return this.#refuse(thrown);
    }
  }

  #refuse(thrown: unknown): never {
    if (thrown instanceof ServerError && thrown.code === 'unauthorized') this.counts.wrong++;
    throw thrown;
  }
}

const refusal = (): ServerError => new ServerError('unauthorized', 'the request has no key or token that counts');
