import { ServerError } from '../errors.ts';
import { type ClientLimit, LONGEST_DELAY_MS } from '../exchange/client-deadline.ts';

/** Headers of the transport, which scripts do not get. */
const TRANSPORT: ReadonlySet<string> = new Set([
  'accept-encoding',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-timeout',
  'te',
]);

/**
 * The metadata that is text, without the transport's headers.
 * @param rawHeaders name, value, name, value, ...
 * @returns the same form
 */
export function metadataOf(rawHeaders: readonly string[]): string[] {
  const metadata: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    if (!name.startsWith(':') && !name.endsWith('-bin') && !TRANSPORT.has(name)) metadata.push(name, value);
  }
  return metadata;
}

/** Characters that a header of gRPC may hold. */
const TEXT = /^[\x20-\x7e]*$/;

/**
 * Headers that a script cannot set: those of the server, as over HTTP, and those of the transport.
 * Metadata in base64 (`-bin`) is one of them, because scripts answer texts.
 */
const RESERVED =
  /^(?::.*|grpc-.*|.*-bin|x-request-id|x-ms-(?:request-id|client-request-id|server-version|run-function-failed|run-fn-exec-ms)|traceid|connection|proxy-connection|keep-alive|transfer-encoding|content-.*|te|trailer|upgrade|http2-settings|host)$/;
/** Characters of a script's metadata. Why: clients take 8 KiB, the server's own included. */
const MOST_CHARACTERS = 6 * 1024;

/**
 * Headers of a script's answer as initial metadata, as many as clients take: workers refuse an
 * Answer with more. Values of one name are joined, as gRPC allows.
 * @returns name, value, name, value, ...
 */
export function metadataOfReply(headers: readonly (readonly [string, string])[]): string[] {
  const values = new Map<string, string>();
  let characters = 0;
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (RESERVED.test(key) || !TEXT.test(value)) continue;
    characters += key.length + value.length;
    if (characters > MOST_CHARACTERS) break;
    const before = values.get(key);
    values.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return Array.from(values).flat();
}

/**
 * Headers of an answer.
 * @param headers name, value, name, value, ... A value that gRPC cannot carry is omitted: only a
 * client can have chosen it. Of two values for one name the last one counts
 */
export function echoed(headers: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (TEXT.test(value)) pairs[name.toLowerCase()] = value;
  }
  return pairs;
}

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * How long the client waits for its call; undefined if it does not say, or for longer than a timer
 * can.
 * @throws ServerError bad_request
 */
export function timeoutOf(header: string | string[] | undefined): ClientLimit | undefined {
  if (header === undefined) return undefined;
  const [, digits, unit = ''] = TIMEOUT.exec(String(header)) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined)
    throw new ServerError(
      'bad_request',
      `grpc-timeout: expected at most eight digits and one of H, M, S, m, u and n, got ${String(header)}`,
    );
  const ms = Number(digits) * unitMs;
  return ms > LONGEST_DELAY_MS ? undefined : { ms, header: 'grpc-timeout' };
}
