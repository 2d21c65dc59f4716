import { closest } from '../guards/closest.ts';
import { asksForCredentials } from './access-contradictions.ts';
import { optionRows, options, type Config } from './config.ts';
import type { Platform } from './platforms/platform.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const CREDENTIALS = [options.scoringKeys, options.scoringKeysFile, options.jwtJwksUrl, options.jwtJwksFile].flatMap(({ env }) => [...env]);

/**
 * What leaves a deployment open although it looks closed: variables that were meant to ask callers
 * for a key, empty or misspelt, and a platform that asks for none.
 */
export function missingKeys(config: Config, variables: Variables, platform: Platform): string[] {
  if (asksForCredentials(config)) return [];
  const known = new Set(optionRows.flatMap(({ env }) => env));
  const byName = Object.entries(variables).flatMap(([name, value]) => {
    if (CREDENTIALS.includes(name)) return value === '' ? [`${name} is empty, so that it asks for no key`] : [];
    const meant = known.has(name) ? undefined : closest(name, CREDENTIALS);
    return meant === undefined ? [] : [`${name} asks for no key: did you mean ${meant}?`];
  });
  return [...byName, ...openPlatform(platform)];
}

function openPlatform({ front, title }: Platform): string[] {
  if (front !== 'nothing') return [];
  return [
    `${title} checks no key of this server, and no key is set: everybody who reaches the app may call it. Set SCORING_KEYS, unless its authentication or access restrictions are on`,
  ];
}
