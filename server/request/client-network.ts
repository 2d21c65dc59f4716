import { isIPv6 } from 'node:net';

/**
 * The part of an address that one client has to itself: all of IPv4, the first 64 bits of IPv6. A
 * client of IPv6 may choose the rest for each connection.
 * @param address of `clientAddress`
 */
export function clientNetwork(address: string): string {
  const [host = ''] = address.split('%');
  if (!isIPv6(host)) return host;
  const [before = '', after] = host.split('::');
  const left = before === '' ? [] : before.split(':');
  const right = after === undefined || after === '' ? [] : after.split(':');
  // The last word may be an address of IPv4, which stands for two groups.
  const groups = left.length + right.length + (host.includes('.') ? 1 : 0);
  const zeros = after === undefined ? [] : Array<string>(8 - groups).fill('0');
  const network = [...left, ...zeros, ...right].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
