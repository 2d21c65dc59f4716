import type { BlockList } from 'node:net';
import { isIPv4, isIPv6 } from 'node:net';

/** IPv4 in the form of a socket for both families. */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;
/** Proxies that a request may have passed. */
const MOST_HOPS = 32;

/**
 * The address of the client: the nearest one that is no trusted proxy. Proxies append to
 * X-Forwarded-For the address that they see, so the right-most entries are theirs. What stands left
 * of an untrusted address was written by that client.
 * @param peer other end of the connection; undefined where it has none
 * @param forwarded value of X-Forwarded-For
 */
export function clientAddress(peer: string | undefined, forwarded: string | undefined, trusted: BlockList): string | undefined {
  if (peer === undefined) return undefined;
  let client = peer.replace(MAPPED, '');
  if (forwarded === undefined) return client;
  for (const entry of forwarded.split(',').slice(-MOST_HOPS).toReversed()) {
    if (!trusted.check(client, isIPv4(client) ? 'ipv4' : 'ipv6')) break;
    const address = addressOf(entry.trim());
    if (address === undefined) break;
    client = address;
  }
  return client;
}

/** An address without its port; undefined where the text is none. */
function addressOf(text: string): string | undefined {
  const [, inBrackets, alone] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  const address = (inBrackets ?? alone ?? text).replace(MAPPED, '');
  return isIPv4(address) || isIPv6(address) ? address : undefined;
}
