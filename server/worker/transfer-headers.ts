import type { HeaderPairs } from '../ipc/header-fields.ts';

/** Headers that describe one connection, in lower case (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;

/**
 * Headers that the next hop may have, with names in lower case. Those of a connection are left out,
 * and the length: whoever sends the body knows its own.
 */
export function endToEnd(headers: HeaderPairs): [name: string, value: string][] {
  const all = headers.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const named = new Set(all.flatMap(([name, value]) => (name === 'connection' ? listOf(value) : [])));
  return all.filter(([name]) => name !== 'content-length' && !HOP_BY_HOP.test(name) && !named.has(name));
}

function listOf(value: string): string[] {
  return value.split(',').map((item) => item.trim().toLowerCase());
}
