import { hash } from 'node:crypto';

/** A key by its hash: the key itself stays nowhere. */
export interface NamedKey {
  readonly name: string;
  /** SHA-256 of the key. */
  readonly hash: Buffer;
}

const SHORTEST = 16;
const NAMES = ['primary', 'secondary'];

/**
 * Keys of an option or a file: separated by commas or lines, each `name:key` or `key`. Keys without
 * a name are `primary`, `secondary`, `key-3`, ...
 * @throws Error for a key that is too short or no header could carry
 */
export function parseKeys(text: string): readonly NamedKey[] {
  const words = text.split(/[,\r\n]/).map((word) => word.trim());
  return words
    .filter((word) => word !== '')
    .map((word, index) => {
      const [, name = NAMES[index] ?? `key-${index + 1}`, key = ''] = /^(?:([\w.-]{1,64}):)?([\x21-\x7e]+)$/.exec(word) ?? [];
      if (key.length < SHORTEST)
        throw new Error(`expected keys of at least ${SHORTEST} visible characters of ASCII, each as name:key or key`);
      return { name, hash: hash('sha256', key, 'buffer') };
    });
}
