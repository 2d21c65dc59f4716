import { createHash } from 'node:crypto';
import type { Answer, Call } from './exchange.ts';

/** What a client sees of an answer: `status`, `body`, and a member for each header. */
export type Seen = Readonly<Record<string, unknown>>;

/** Of the connection, not of the answer; and Python's name of its front door. */
const TRANSPORT = new Set(['connection', 'keep-alive', 'server', 'date', 'content-length', 'transfer-encoding']);
/** Headers for browsers that only this server sends: docs/http-api.md#response-headers. */
const FOR_BROWSERS = new Map([
  ['x-content-type-options', 'nosniff'],
  ['cache-control', 'no-store'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['referrer-policy', 'no-referrer'],
]);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LONGEST_BODY = 4096;

/** The answer in a form in which answers of both servers are equal where the contract says so. */
export function seenIn(answer: Answer | undefined, call: Call): Seen {
  if (answer === undefined) return { status: 'no answer' };
  const headers = new Map<string, string[]>();
  for (const [name, value] of answer.headers)
    if (!TRANSPORT.has(name) && FOR_BROWSERS.get(name) !== value) headers.set(name, [...(headers.get(name) ?? []), value]);
  const seen: Record<string, unknown> = { status: answer.status };
  for (const [name, values] of headers) {
    const value = headerOf(name, values.join(', '));
    if (name !== 'vary' || value !== '') seen[name] = value;
  }
  seen['body'] = call.method === 'HEAD' ? undefined : bodyOf(answer);
  return seen;
}

/** A header's value; a word for one that differs between requests, or between versions. */
function headerOf(name: string, value: string): string {
  if (name === 'x-ms-server-version') return value === '' ? '' : 'a version';
  if (name === 'x-ms-run-fn-exec-ms') return /^\d+\.\d{3}$/.test(value) ? 'milliseconds' : value;
  // This server compresses, the peer does not.
  if (name === 'vary') return value.replace(/(?:, )?Accept-Encoding/i, '');
  // Sets, in any order.
  if (name === 'allow' || name.startsWith('access-control-allow-')) return value.split(', ').toSorted().join(', ');
  return name.endsWith('request-id') && UUID.test(value) ? 'a new id' : value;
}

/** The value of JSON, else the text, else what tells bytes apart. */
function bodyOf({ headers, body }: Answer): unknown {
  const text = body.toString();
  const isText = Buffer.from(text).equals(body);
  if (headers.some(([name, value]) => name === 'content-type' && value.startsWith('application/json')))
    try {
      return { json: JSON.parse(text) as unknown };
    } catch {
      return { notJson: text };
    }
  if (isText && body.length <= LONGEST_BODY) return text;
  return { bytes: body.length, sha1: createHash('sha1').update(body).digest('hex') };
}
