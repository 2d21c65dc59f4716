import type { Config } from '../config/config.ts';
import { hostInUrl } from '../guards/addresses.ts';
import { exampleBody, type ReadyMessage } from '../ipc/worker-messages.ts';

/** Addresses that mean every address of the machine. */
const EVERYWHERE = ['', '0.0.0.0', '::'];

/** Longest example in a command, in characters: a longer one fills a terminal. */
const LONGEST = 2048;

/** A body that a person may send. */
export interface ExampleBody {
  readonly text: string;
  /** The script takes no other type. */
  readonly contentType?: string | undefined;
}

/** The body that a worker took or would take, or the sample that the script declares. */
export function exampleOf({ example, schemas }: Pick<ReadyMessage, 'example' | 'schemas'>): ExampleBody | undefined {
  if (example !== undefined) return { text: example };
  const sample = schemas?.input['example'];
  const text = sample === undefined ? '' : JSON.stringify(sample);
  return exampleBody(text) ? { text, contentType: 'application/json' } : undefined;
}

/**
 * A command that a person can paste into a shell: it scores once, or shows the description of the
 * API where no body of a usable length is known.
 * @param needsKey the shell puts the key in, from a variable
 */
export function curlLine(
  { host, tlsCertFile }: Pick<Config, 'host' | 'tlsCertFile'>,
  port: number,
  example: ExampleBody | undefined,
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
  if (example === undefined || example.text.length > LONGEST) return `${curl} ${url('/swagger.json')}`;
  const { text, contentType } = example;
  const type = contentType === undefined ? '' : ` -H 'Content-Type: ${contentType}'`;
  // curl reads a file where the text after -d begins with @.
  const flag = text.startsWith('@') ? '--data-raw' : '-d';
  return `${curl}${type} ${flag} '${text.replaceAll("'", String.raw`'\''`)}' ${url('/score')}`;
}
