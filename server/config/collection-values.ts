import { hostInUrl } from '../guards/addresses.ts';
import { bytes, isHeaderValue, isPercentEncoded, list, url, type Parser } from './option-values.ts';

const MiB = 1024 * 1024;

/** Names of collections, also as a script gives them to its collectors; in lower case. */
export const collectionNames: Parser<readonly string[]> = (value) => {
  const names = list(value).map((name) => name.toLowerCase());
  if (names.length === 0 || !names.every((name) => /^[a-z0-9][a-z0-9_.-]{0,199}$/.test(name)))
    throw new Error('expected names of letters, digits, _, . and -, comma-separated');
  return names;
};

/** A token of HTTP: RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

export const headerNames: Parser<readonly string[]> = (value) => {
  const names = list(value);
  if (names.length === 0 || !names.every((name) => HEADER_NAME.test(name))) throw new Error('expected names of headers, comma-separated');
  return names;
};

/** Azure Storage REST, "Naming and Referencing Containers, Blobs, and Metadata". */
export const containerName: Parser<string> = (value) => {
  if (!/^(?:[a-z0-9](?:-?[a-z0-9])*|\$root|\$web)$/.test(value) || value.length < 3 || value.length > 63)
    throw new Error('expected 3 to 63 lower-case letters, digits and single hyphens, a letter or digit at both ends');
  return value;
};

/** One segment of a path. */
export const segment: Parser<string> = (value) => {
  // oxlint-disable-next-line no-control-regex
  if (/[/\\\u0000-\u001f]/.test(value) || /^\.+$/.test(value) || value.length > 200)
    throw new Error('expected a name of at most 200 characters without slashes and control characters, and not only dots');
  return value;
};

/** Host name or IP address. */
export const hostName: Parser<string> = (value) => {
  if (!/^[\w.:-]+$/.test(value) || URL.parse(`http://${hostInUrl(value)}/`) === null)
    throw new Error('expected a host name or an IP address');
  return value;
};

/** Headers that belong to the connection, or that the sender counts itself. */
const NOT_OURS: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);

/**
 * `name=value,name=value`, values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS. Names in lower
 * case.
 */
export const requestHeaders: Parser<Readonly<Record<string, string>>> = (value) => {
  const pairs = list(value).map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, Math.max(at, 0)).trim().toLowerCase(), decoded(pair.slice(at + 1).trim())];
  });
  const wrong = ([name, text]: [string, string]): boolean => !HEADER_NAME.test(name) || !isHeaderValue(text);
  if (pairs.length === 0 || pairs.some(wrong))
    throw new Error('expected name=value,name=value, with % , and other special characters percent-encoded');
  const taken = pairs.map(([name]) => name).find((name) => NOT_OURS.has(name));
  if (taken !== undefined) throw new Error(`expected headers other than ${taken}, which the server sets itself`);
  return Object.fromEntries(pairs);
};

/** Empty where the text is not percent-encoded. */
const decoded = (text: string): string => (isPercentEncoded(text) ? decodeURIComponent(text) : '');

/** An address whose user name and password can be shown to the other side. */
export const postUrl: Parser<string> = (value) => {
  const { username, password } = new URL(url(value));
  if (!isPercentEncoded(username) || !isPercentEncoded(password))
    throw new Error('expected a percent-encoded user name and password in the URL');
  return value;
};

/** Room for the largest payload, and for a file that is being written. */
const LEAST = 64 * MiB;

/** 0, or enough for the sink `file` to work. */
export const dirLimit: Parser<number> = (value) => {
  const limit = bytes(value);
  if (limit !== 0 && limit < LEAST) throw new Error('expected 0, or at least 64M');
  return limit;
};
