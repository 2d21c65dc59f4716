import { hash } from 'node:crypto';

/** A key by its hash: the key itself stays nowhere. */
export interface NamedKey {
  readonly name: string;
  /** SHA-256 of the key. */
  readonly hash: Buffer;
}

/** A key as an option or a file lists it: possibly without a name. */
export interface ListedKey extends Pick<NamedKey, 'hash'> {
  readonly name: string | undefined;
}

const SHORTEST = 16;
const LONGEST = 4096;
/** Each request is compared with every key. */
const MOST_KEYS = 256;
/** Names of keys that are listed without one, by their order. */
const NAMES = ['primary', 'secondary'];

const NAME = /^[\w.-]{1,64}$/;
/** Visible ASCII without the separators of names and of keys. */
const KEY = /^[\x21-\x2b\x2d-\x39\x3b-\x7e]+$/;

const FORM = `expected name:key or key, the key of at least ${SHORTEST} visible characters of ASCII without , and :`;
const ADVICE = 'make one with: openssl rand -base64 32';

/**
 * Keys of an option, separated by commas or lines.
 * @throws Error that never quotes a key
 */
export function parseKeys(text: string): readonly ListedKey[] {
  const words = text.split(/[,\r\n]/).filter((word) => word.trim() !== '');
  const keys = words.map((word, index) => listedKey(word, `key ${index + 1}`));
  // A mistake in one option is reported with those of others. The file may still add keys.
  namedKeys(keys);
  return keys;
}

/**
 * Keys of a file, one a line. Lines that begin with # are comments.
 * @throws Error as `parseKeys`
 */
export function keysOfLines(text: string): readonly ListedKey[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => (/^\s*(?:#|$)/.test(line) ? [] : [listedKey(line, `line ${index + 1}`)]));
}

/** The key of a file that is named after it. @throws Error as `parseKeys` */
export function keyOfFile(name: string, text: string): ListedKey {
  if (!NAME.test(name)) throw new Error('expected a file that is named after its key: at most 64 letters, digits, _, . and -');
  return { name, hash: hashOf(text.replace(/^\uFEFF/, ''), 'the file') };
}

/**
 * Keys under their names. Those without one are `primary`, `secondary`, `key-3`, ...
 * @throws Error if there is none or too many, or if a name or a key is there twice
 */
export function namedKeys(listed: readonly ListedKey[]): readonly NamedKey[] {
  if (listed.length === 0) throw new Error(`expected at least one key; ${ADVICE}`);
  if (listed.length > MOST_KEYS) throw new Error(`expected at most ${MOST_KEYS} keys, got ${listed.length}`);
  let unnamed = 0;
  const byName = new Map<string, NamedKey>();
  const byHash = new Map<string, string>();
  for (const { name = NAMES[unnamed++] ?? `key-${unnamed}`, hash: hashed } of listed) {
    if (byName.has(name)) throw new Error(`expected each name once, but ${name} is there twice. Write name:key to name a key`);
    const other = byHash.get(hashed.toString('hex'));
    if (other !== undefined) throw new Error(`expected each key once, but ${other} and ${name} are the same key`);
    byName.set(name, { name, hash: hashed });
    byHash.set(hashed.toString('hex'), name);
  }
  return Array.from(byName.values());
}

function listedKey(word: string, where: string): ListedKey {
  const trimmed = word.trim();
  const colon = trimmed.indexOf(':');
  if (colon < 0) return { name: undefined, hash: hashOf(trimmed, where) };
  const name = trimmed.slice(0, colon);
  // A wrong name may be a key, so that no text shows it.
  if (!NAME.test(name)) throw new Error(`${where}: ${FORM}, and a name of at most 64 letters, digits, _, . and -`);
  return { name, hash: hashOf(trimmed.slice(colon + 1), where) };
}

function hashOf(text: string, where: string): Buffer {
  const key = text.trim();
  if (key.length < SHORTEST) throw new Error(`${where}: ${FORM}; this one has ${key.length}; ${ADVICE}`);
  if (key.length > LONGEST) throw new Error(`${where}: expected a key of at most ${LONGEST} characters, got ${key.length}`);
  if (!KEY.test(key)) throw new Error(`${where}: ${FORM}; ${ADVICE}`);
  return hash('sha256', key, 'buffer');
}
