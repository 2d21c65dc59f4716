import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { list, type Parser } from './option-values.ts';

/**
 * The addresses of these words, of which each is an address or a network such as 10.0.0.0/8.
 * @throws Error where a word is neither
 */
export function networksOf(words: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const word of words) {
    const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(word) ?? [];
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    const most = family === 'ipv4' ? 32 : 128;
    if (!(isIPv4(address) || isIPv6(address)) || Number(prefix ?? 0) > most)
      throw new Error('expected addresses and networks such as 10.0.0.0/8,fd00::/8');
    networks.addSubnet(address, prefix === undefined ? most : Number(prefix), family);
  }
  return networks;
}

/** Addresses and networks, comma-separated. */
export const networks: Parser<readonly string[]> = (value) => {
  const words = list(value);
  networksOf(words);
  return words;
};
