import type { IncomingMessage } from 'node:http';
import { excerpt } from '../guards/excerpt.ts';

/**
 * A host with or without a port: RFC 9112, section 3.2. Some clients leave the zone in a link-local
 * address of IPv6.
 */
const HOST = /^(?:\[[\da-f:.]+(?:%[\w.~%-]+)?\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/**
 * Names what makes a request ambiguous: Node's parser takes it, but a proxy in front may read it as
 * another request, or as several. Undefined for every other request.
 */
export function ambiguity({ httpVersion, headers, rawHeaders }: IncomingMessage): string | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return `expected HTTP/1.1 or HTTP/1.0, got HTTP/${httpVersion}`;
  const { host, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) {
    if (httpVersion === '1.0') return 'Transfer-Encoding: HTTP/1.0 has no such header; send Content-Length';
    if (coding.toLowerCase() !== 'chunked') return `Transfer-Encoding: expected chunked, got ${excerpt(coding)}`;
  }
  // router.ts refuses a request without Host.
  if (host === undefined) return undefined;
  if (!HOST.test(host)) return `Host: expected a host and a port, got ${excerpt(host)}`;
  return hosts(rawHeaders) > 1 ? 'Host: expected one header, got several' : undefined;
}

/** Node's `headers` have only the first one. */
function hosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}
