import type { Config } from '../config/config.ts';
import { hostInUrl } from '../guards/addresses.ts';

/** Addresses that mean every address of the machine. */
const EVERYWHERE = ['', '0.0.0.0', '::'];

/** Longest example in a command, in characters: a longer one fills a terminal. */
const LONGEST = 2048;

/**
 * A command that a person can paste into a shell: it scores once, or shows the description of the
 * API where no body of a usable length is known.
 * @param example body of a request that the server takes
 * @param needsKey the shell puts the key in, from a variable
 */
export function curlLine(
  { host, tlsCertFile }: Pick<Config, 'host' | 'tlsCertFile'>,
  port: number,
  example: string | undefined,
  needsKey = false,
): string {
  const name = EVERYWHERE.includes(host) ? 'localhost' : host;
  const scheme = tlsCertFile === '' ? 'http' : 'https';
  const curl = `curl${scheme === 'https' ? ' -k' : ''}${needsKey ? ' -H "api-key: $KEY"' : ''}`;
  const url = (path: string): string => {
    const address = `${scheme}://${hostInUrl(name)}:${port}${path}`;
    // A shell may read brackets as a pattern of file names.
    return name.includes(':') ? `'${address}'` : address;
  };
  if (example === undefined || example.length > LONGEST) return `${curl} ${url('/swagger.json')}`;
  // curl reads a file where the text after -d begins with @.
  const flag = example.startsWith('@') ? '--data-raw' : '-d';
  return `${curl} ${flag} '${example.replaceAll("'", String.raw`'\''`)}' ${url('/score')}`;
}
