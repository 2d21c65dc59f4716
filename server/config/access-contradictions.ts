import type { Config } from './config.ts';

type AccessConfig = Pick<
  Config,
  | 'scoringKeys'
  | 'scoringKeysFile'
  | 'metricsKeyRequired'
  | 'jwtJwksUrl'
  | 'jwtJwksFile'
  | 'jwtIssuer'
  | 'jwtAudience'
  | 'jwtClaims'
  | 'rateLimitPerSecond'
  | 'rateLimitBurst'
>;

/** Options of access that cannot hold together. One that has no effect may leave a door open. */
export function accessContradictions(config: AccessConfig): string[] {
  const { jwtJwksUrl, jwtJwksFile, jwtIssuer, jwtAudience, jwtClaims, rateLimitPerSecond, rateLimitBurst } = config;
  const problems: string[] = [];
  const keys = Object.entries({ JWT_JWKS_URL: jwtJwksUrl, JWT_JWKS_FILE: jwtJwksFile }).find(([, value]) => value !== '');
  if (jwtJwksUrl !== '' && jwtJwksFile !== '') problems.push('JWT_JWKS_URL and JWT_JWKS_FILE: expected one of them, got both');
  for (const [name, value] of Object.entries({ JWT_ISSUER: jwtIssuer, JWT_AUDIENCE: jwtAudience, JWT_CLAIMS: jwtClaims })) {
    if (keys === undefined && value.length > 0)
      problems.push(`${name}: expected JWT_JWKS_URL or JWT_JWKS_FILE with it, got neither: nobody would be asked for a token`);
    if (keys !== undefined && value.length === 0 && name !== 'JWT_CLAIMS')
      problems.push(`${keys[0]}: expected ${name} with it, got none: tokens for other services would count here`);
  }
  if (rateLimitBurst > 0 && rateLimitPerSecond === 0)
    problems.push('RATE_LIMIT_BURST: expected RATE_LIMIT_PER_SECOND with it, got none: nothing would be limited');
  if (config.metricsKeyRequired && !asksForCredentials(config))
    problems.push('METRICS_KEY_REQUIRED: expected SCORING_KEYS, SCORING_KEYS_FILE, JWT_JWKS_URL or JWT_JWKS_FILE with it, got none');
  return problems;
}

/** True if requests must have a key or a token. */
export function asksForCredentials({
  scoringKeys,
  scoringKeysFile,
  jwtJwksUrl,
  jwtJwksFile,
}: Pick<Config, 'scoringKeys' | 'scoringKeysFile' | 'jwtJwksUrl' | 'jwtJwksFile'>): boolean {
  return scoringKeys.length > 0 || [scoringKeysFile, jwtJwksUrl, jwtJwksFile].some((value) => value !== '');
}
