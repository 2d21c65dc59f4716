/**
 * Python's `json.dumps` writes the bare words NaN, Infinity and -Infinity, which JSON lacks. A body
 * that JSON.parse has refused is read again with texts of the same length in their place, so that
 * every position stays.
 */

/** JSON with placeholders, and what puts the numbers in their place. */
export interface BareNumbers {
  readonly json: string;
  /**
   * Replaces the placeholders in what `json` was parsed to: NaN is the number, an infinity the text
   * "Infinity" or "-Infinity". Why a text: JSON.parse makes the number of 1e999, too.
   */
  restore(this: void, value: unknown): unknown;
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
/** What may stand in front of a value and behind it, besides the ends of the text. */
const BEFORE = /[\s[,:]/;
const BEHIND = /[\s\],}]/;
/** Characters for private use, of which a text has few or none. */
const FIRST_PRIVATE = 0xe000;
const PRIVATE = 6400;
const TRIES = 8;

/** Undefined if the text has no bare number where a value may stand. Takes linear time. */
export function bareNumbers(text: string): BareNumbers | undefined {
  const mark = unusedCharacter(text);
  if (mark === undefined) return undefined;
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === LETTER_N || code === LETTER_I) {
      const word = code === LETTER_N ? 'NaN' : 'Infinity';
      if (!text.startsWith(word, at)) continue;
      const start = code === LETTER_I && text.charCodeAt(at - 1) === MINUS ? at - 1 : at;
      const end = at + word.length;
      at = end - 1;
      if (!isValue(text, start, end)) continue;
      parts.push(text.slice(from, start), `"${mark.repeat(end - start - 2)}"`);
      from = end;
    }
  }
  return from === 0 ? undefined : { json: parts.join('') + text.slice(from), restore: restorer(mark) };
}

/** Position of the closing quote; the length of the text where there is none. */
function endOfString(text: string, opening: number): number {
  let at = opening + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) break;
  }
  return at;
}

/** False for a part of another word, and for a name of a member. */
function isValue(text: string, start: number, end: number): boolean {
  if ((start > 0 && !BEFORE.test(text.charAt(start - 1))) || (end < text.length && !BEHIND.test(text.charAt(end)))) return false;
  let at = end;
  while (/\s/.test(text.charAt(at))) at++;
  return text.charCodeAt(at) !== COLON;
}

/** A character that the text has neither as it is nor escaped; undefined if chance finds none. */
function unusedCharacter(text: string): string | undefined {
  for (let left = TRIES; left > 0; left--) {
    const code = FIRST_PRIVATE + Math.floor(Math.random() * PRIVATE);
    const character = String.fromCharCode(code);
    if (!new RegExp(`${character}|\\\\u${code.toString(16)}`, 'i').test(text)) return character;
  }
  return undefined;
}

function restorer(mark: string): BareNumbers['restore'] {
  const values = new Map<unknown, unknown>([NaN, 'Infinity', '-Infinity'].map((value) => [mark.repeat(String(value).length - 2), value]));
  const restore = (value: unknown): unknown => {
    if (typeof value === 'string') return values.has(value) ? values.get(value) : value;
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) {
        const item: unknown = value[at];
        if (typeof item !== 'number') value[at] = restore(item);
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) Reflect.set(value, name, restore(member));
    }
    return value;
  };
  return restore;
}
