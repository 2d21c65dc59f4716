import { parseKeys, type ListedKey } from './access-keys.ts';
import { flag, integer, list, option, text, url, type OptionRows } from './option-values.ts';

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
    parse: url,
    doc: 'Address of the public keys (JWKS) that sign tokens. With it requests may send a JWT of that issuer.',
  }),
  jwtJwksFile: option({
    env: ['JWT_JWKS_FILE'],
    default: '',
    parse: text,
    doc: 'File of these keys, instead of the address. A change counts within seconds.',
  }),
  jwtIssuer: option({ env: ['JWT_ISSUER'], default: '', parse: text, doc: 'Issuer (`iss`) that tokens must have.' }),
  jwtAudience: option<readonly string[]>({
    env: ['JWT_AUDIENCE'],
    default: [],
    parse: list,
    doc: 'Audiences, comma-separated: a token must have one of them as `aud`.',
  }),
  jwtClaims: option<readonly string[]>({
    env: ['JWT_CLAIMS'],
    default: [],
    parse: list,
    doc: 'Claims that tokens must have: `name=value,name=value`. Values of one name are alternatives.',
  }),
  rateLimitPerSecond: option({
    env: ['RATE_LIMIT_PER_SECOND'],
    default: 0,
    parse: integer(0, 1e6),
    doc: 'Requests a second of one key, token or address; more get 429. 0: no limit. Probes and metrics are free.',
  }),
  rateLimitBurst: option({
    env: ['RATE_LIMIT_BURST'],
    default: 0,
    parse: integer(0, 1e6),
    doc: 'Requests that such a client may send at once after a pause. 0: those of one second.',
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
