import { closest } from '../guards/closest.ts';
import { asksForCredentials } from './access-contradictions.ts';
import { optionRows, options, type Config } from './config.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const CREDENTIALS = [options.scoringKeys, options.scoringKeysFile, options.jwtJwksUrl, options.jwtJwksFile].flatMap(({ env }) => [...env]);

/**
 * Variables that were meant to ask callers for a key, and do not: empty ones, and misspelt ones.
 * Why: such a deployment would be open, and look as if it was not.
 */
export function missingKeys(config: Config, variables: Variables): string[] {
  if (asksForCredentials(config)) return [];
  const known = new Set(optionRows.flatMap(({ env }) => env));
  return Object.entries(variables).flatMap(([name, value]) => {
    if (CREDENTIALS.includes(name)) return value === '' ? [`${name} is empty, so that it asks for no key`] : [];
    const meant = known.has(name) ? undefined : closest(name, CREDENTIALS);
    return meant === undefined ? [] : [`${name} asks for no key: did you mean ${meant}?`];
  });
}
