import { parseKeys, type ListedKey } from './access-keys.ts';
import { postUrl } from './collection-values.ts';
import { decimal, flag, integer, list, option, text, type OptionRows, type Parser } from './option-values.ts';
import { claimRules, type ClaimRule } from './token-claims.ts';

/** One request in 17 minutes. Less is a mistake, and makes a `Retry-After` that no client reads. */
const SLOWEST = 0.001;

const requestsPerSecond: Parser<number> = (value) => {
  const rate = decimal(0, 1e6)(value);
  if (rate > 0 && rate < SLOWEST) throw new Error(`expected 0, or a number from ${SLOWEST} to 1000000`);
  return rate;
};

/** Options that decide who may call, and how fast. */
export const accessOptions = {
  scoringKeys: option<readonly ListedKey[]>({
    env: ['SCORING_KEYS'],
    default: [],
    parse: parseKeys,
    secret: true,
    doc: 'Keys that requests must send, comma-separated, each `name:key` or `key`. Unset, without a file: none.',
  }),
  scoringKeysFile: option({
    env: ['SCORING_KEYS_FILE'],
    flag: 'scoring-keys-file',
    default: '',
    parse: text,
    doc: 'File of keys, one a line, or folder of files with one key each, named after it. A change counts within seconds.',
  }),
  metricsKeyRequired: option({
    env: ['METRICS_KEY_REQUIRED'],
    default: false,
    parse: flag,
    doc: '`/metrics` and `/status` need a key or token too. A browser asks for it as a password.',
  }),
  jwtJwksUrl: option({
    env: ['JWT_JWKS_URL'],
    default: '',
    parse: postUrl,
    secret: true,
    doc: 'Address of the public keys (JWKS) of an issuer of tokens. Requests may then send a JWT of it.',
  }),
  jwtJwksFile: option({
    env: ['JWT_JWKS_FILE'],
    default: '',
    parse: text,
    doc: 'File of these keys, instead of the address. A change counts within seconds.',
  }),
  jwtIssuer: option<readonly string[]>({
    env: ['JWT_ISSUER'],
    default: [],
    parse: list,
    doc: 'Issuers, comma-separated: a token must have one of them as `iss`. Required with the two above.',
  }),
  jwtAudience: option<readonly string[]>({
    env: ['JWT_AUDIENCE'],
    default: [],
    parse: list,
    doc: 'Audiences, comma-separated: a token must have one of them as `aud`. Required like the issuer.',
  }),
  jwtClaims: option<readonly ClaimRule[]>({
    env: ['JWT_CLAIMS'],
    default: [],
    parse: claimRules,
    doc: 'Claims that tokens must have: `name=value,name=value`, percent-encoded. One value of each name is enough.',
  }),
  rateLimitPerSecond: option({
    env: ['RATE_LIMIT_PER_SECOND'],
    default: 0,
    parse: requestsPerSecond,
    doc: 'Requests a second of one key, token or address; more get 429. 0: no limit. Probes and metrics are free.',
  }),
  rateLimitBurst: option({
    env: ['RATE_LIMIT_BURST'],
    default: 0,
    parse: integer(0, 1e6),
    doc: 'Requests that such a client may send at once after a pause. 0: those of one second, at least 1.',
  }),
  tlsCertFile: option({
    env: ['TLS_CERT_FILE'],
    flag: 'tls-cert-file',
    default: '',
    parse: text,
    doc: 'PEM file of the certificate and its chain: HTTP and gRPC speak TLS. A change counts within seconds.',
  }),
  tlsKeyFile: option({
    env: ['TLS_KEY_FILE'],
    flag: 'tls-key-file',
    default: '',
    parse: text,
    doc: 'PEM file of the private key of the certificate, without a password.',
  }),
  tlsClientCaFile: option({
    env: ['TLS_CLIENT_CA_FILE'],
    flag: 'tls-client-ca-file',
    default: '',
    parse: text,
    doc: 'PEM file of authorities: clients must have a certificate of one of them (mTLS).',
  }),
} satisfies OptionRows;
