import type { JWTPayload, JWTVerifyOptions, JWSHeaderParameters } from 'jose';
import { JOSEError, JWKSMultipleMatchingKeys, JWTClaimValidationFailed } from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import type { Config } from '../config/config.ts';
import type { ProxyVariables } from '../config/proxies.ts';
import type { ClaimRule } from '../config/token-claims.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { Log } from '../log.ts';
import type { Caller } from './access.ts';
import { textFrom } from './fetch-text.ts';
import { FetchedKeys, type FindKey, keysOfFile } from './json-web-keys.ts';
import { VerifiedTokens } from './verified-tokens.ts';

export type TokenConfig = Pick<Config, 'jwtJwksUrl' | 'jwtJwksFile' | 'jwtIssuer' | 'jwtAudience' | 'jwtClaims'>;

interface TokenParts {
  readonly log: Log;
  readonly proxies: ProxyVariables;
}

/** Characters of a token. Headers have room for 16 KiB. */
const LONGEST = 8 * 1024;
/** A service account of Kubernetes has up to 339 characters. */
const LONGEST_NAME = 350;
/** Signatures that only the holder of a private key can make. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** Other tokens of the same issuer, for logouts and events, are no keys. */
const TYPES = [undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'];
const TOLERANCE_S = 60;
/** Keys of one set that are tried for a token without `kid`. */
const MOST_TRIED = 4;

/**
 * The check of tokens whose keys an option names. Keys of an address come in the background.
 * @throws ServerError usage
 */
export async function openTokens(config: TokenConfig, { log, proxies }: TokenParts): Promise<Tokens> {
  const { jwtJwksUrl: url, jwtJwksFile: file } = config;
  const verified = new VerifiedTokens();
  const events = { log, changed: () => verified.clear() };
  if (file !== '') return new Tokens(config, await keysOfFile(file, events), verified);
  if (url.startsWith('http:'))
    log.warn('JWT_JWKS_URL is an http:// address: whoever can change its answer on the way can make tokens. Use https://');
  return new Tokens(config, new FetchedKeys(url, textFrom(url, proxies), events).find, verified);
}

/** Verifies JSON Web Tokens: RFC 7519, with the advice of RFC 8725. */
export class Tokens {
  readonly #find: FindKey;
  readonly #options: JWTVerifyOptions;
  readonly #claims: readonly ClaimRule[];
  readonly #verified: VerifiedTokens;

  constructor({ jwtIssuer, jwtAudience, jwtClaims }: TokenConfig, find: FindKey, verified = new VerifiedTokens()) {
    this.#find = (header, token) => {
      checkHeader(header);
      return find(header, token);
    };
    this.#options = {
      algorithms: ALGORITHMS,
      issuer: [...jwtIssuer],
      audience: [...jwtAudience],
      requiredClaims: ['exp'],
      clockTolerance: TOLERANCE_S,
    };
    this.#claims = jwtClaims;
    this.#verified = verified;
  }

  /**
   * Identifies the sender of a token.
   * @returns a promise unless the token was verified a short time ago
   * @throws ServerError unauthorized, forbidden, keys_unavailable
   */
  verify(token: string): Caller | Promise<Caller> {
    if (token.length > LONGEST) throw new ServerError('unauthorized', `the token has more than ${LONGEST} characters`);
    return this.#verified.get(token) ?? this.#verify(token);
  }

  async #verify(token: string): Promise<Caller> {
    const { generation } = this.#verified;
    let payload: JWTPayload;
    try {
      payload = await this.#payloadOf(token);
    } catch (error) {
      throw refusal(error);
    }
    for (const { name, values } of this.#claims)
      if (!hasClaim(payload, name, values)) throw new ServerError('forbidden', `the token lacks a value of ${name} that JWT_CLAIMS names`);
    const caller: Caller = { kind: 'token', name: nameOf(payload) };
    this.#verified.add(token, caller, (payload.exp ?? 0) + TOLERANCE_S, generation);
    return caller;
  }

  async #payloadOf(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, this.#find, this.#options)).payload;
    } catch (error) {
      if (!(error instanceof JWKSMultipleMatchingKeys)) throw error;
      return await this.#tryEach(token, error);
    }
  }

  /** The token does not say which of these keys has signed it. */
  async #tryEach(token: string, keys: JWKSMultipleMatchingKeys): Promise<JWTPayload> {
    let tried = 0;
    let last: unknown = keys;
    for await (const key of keys) {
      if (++tried > MOST_TRIED) break;
      try {
        return (await jwtVerify(token, key, this.#options)).payload;
      } catch (error) {
        last = error;
        // The key fits, so no other one does.
        if (error instanceof JWTClaimValidationFailed) break;
      }
    }
    throw last;
  }
}

/** Extensions that must be understood (RFC 7515, section 4.1.11) are not. */
function checkHeader({ typ, crit }: JWSHeaderParameters): void {
  if (crit !== undefined) throw new ServerError('unauthorized', 'the token has a crit header');
  if (!TYPES.includes(typeof typ === 'string' ? typ.toLowerCase() : typ))
    throw new ServerError('unauthorized', 'the token has another type (typ) than JWT and at+jwt');
}

/**
 * The failure of a token. Its message is for the log, and quotes nothing but issuer and audience of
 * a token with a valid signature, because most mistakes are there. It has no cause, because errors
 * of jose hold the claims.
 */
function refusal(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  if (!(error instanceof JOSEError)) return new ServerError('unauthorized', 'the token cannot be verified: its key is not usable');
  if (!(error instanceof JWTClaimValidationFailed) || !['iss', 'aud'].includes(error.claim))
    return new ServerError('unauthorized', `the token does not count: ${error.message}`);
  const got = excerpt(JSON.stringify(error.payload[error.claim]) ?? 'none');
  const option = error.claim === 'iss' ? 'JWT_ISSUER' : 'JWT_AUDIENCE';
  return new ServerError('unauthorized', `the token does not count: expected a value of ${option} as ${error.claim}, got ${got}`);
}

/** A list has the claim if one of its elements does. */
function hasClaim(payload: JWTPayload, name: string, values: readonly string[]): boolean {
  const claim = Object.hasOwn(payload, name) ? payload[name] : undefined;
  const words = typeof claim === 'string' && ['scp', 'scope'].includes(name) ? claim.split(' ') : claim;
  const found: readonly unknown[] = Array.isArray(words) ? words : [words];
  return found.some((each) => ['string', 'number', 'boolean'].includes(typeof each) && values.includes(String(each)));
}

/**
 * The subject of a token. Entra ID names an application by `azp` or `appid`; its subject, which
 * equals `oid`, is shown nowhere in its portal but in one list.
 */
function nameOf({ sub, oid, azp, appid }: JWTPayload): string {
  const application = sub !== undefined && sub === oid ? [azp, appid] : [];
  const name = [...application, sub, azp, appid].find((each): each is string => typeof each === 'string' && each !== '') ?? 'unnamed';
  // Names stand in logs, so they have no control characters and no line ends.
  return name.slice(0, LONGEST_NAME).replaceAll(/[^\x20-\x7e]/g, '?');
}
