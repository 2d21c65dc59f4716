import { parse, stringify } from '../guards/built-ins.ts';
import { isDeeper, MOST_LEVELS } from '../guards/nesting.ts';
import { mayCapture } from './captured-headers.ts';

/** Names that carry keys in queries only: Azure Functions' `code`, the `sig` of a SAS, `xKey`. */
const KEY = /^(?:code|sig)$|accesskey/i;
const CAMEL_KEY = /[a-z]Key(?:Id)?s?$/;

/** True if a parameter of this name may leave the server. */
const mayRecord = (name: string): boolean => mayCapture(name) && !KEY.test(name) && !CAMEL_KEY.test(name);

/**
 * Values of a query by name, in the order in which the names come first. Names and values are
 * decoded as the URL standard says: `+` is a space, and a wrong escape stays as it is.
 * @param url path and query
 */
export function queryValues(url: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  const at = url.indexOf('?');
  if (at < 0) return values;
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return values;
}

/**
 * The query as JSON of the object that `run()` gets, but for names that may be keys. A value that
 * is JSON keeps its digits. The text has no line ends. Undefined: the URL has no query.
 * @param url path and query
 */
export function queryJson(url: string): string | undefined {
  if (!url.includes('?')) return undefined;
  const members: string[] = [];
  for (const [name, values] of queryValues(url)) {
    if (!mayRecord(name)) continue;
    const [first = '', ...rest] = values.map(jsonOf);
    members.push(`${stringify(name)}:${rest.length === 0 ? first : `[${first},${rest.join(',')}]`}`);
  }
  return `{${members.join(',')}}`;
}

/**
 * The query as it was sent, without `?` and without parameters whose names may be keys. Empty where
 * there is no query.
 * @param url path and query
 */
export function filteredQuery(url: string): string {
  const at = url.indexOf('?');
  if (at < 0) return '';
  const query = url.slice(at + 1);
  return query
    .split('&')
    .filter((pair) => mayRecord(nameOf(pair)))
    .join('&');
}

/** The name of one `name=value`, decoded. */
const nameOf = (pair: string): string => new URLSearchParams(pair).keys().next().value ?? '';

/** A value as JSON in one line. Text is a string, and so is JSON too deep for `run()`. */
function jsonOf(value: string): string {
  // A line end in JSON is space between tokens. Inside of a string it cannot be.
  return isJson(value) ? value.replaceAll(/[\r\n]/g, ' ') : stringify(value);
}

function isJson(text: string): boolean {
  try {
    const value: unknown = parse(text);
    return typeof value !== 'object' || !isDeeper(value, MOST_LEVELS);
  } catch {
    return false;
  }
}
