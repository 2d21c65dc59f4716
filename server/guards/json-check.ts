import { MOST_LEVELS } from './nesting.ts';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [ARRAY, OBJECT, OBJECT_END] = [0x5b, 0x7b, 0x7d];
/** From an opening bracket or brace to its closing one. */
const TO_END = 2;
const [MINUS, PLUS, POINT, ZERO, NINE, E, U] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x65, 0x75];
const LOWER = 0x20;
/** The characters after a backslash, but for `u`. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/**
 * True where bytes of UTF-8 are one text of JSON (RFC 8259) with at most MOST_LEVELS levels. It
 * makes no value. Why: JSON.parse makes a gigabyte of 32 MiB of `[[],[],...]`.
 */
export function isJson(bytes: Buffer): boolean {
  /** The byte that ends each open array or object. */
  const ends = Buffer.allocUnsafe(MOST_LEVELS);
  let depth = 0;
  let at = skipSpace(bytes, 0);
  for (;;) {
    const first = bytes[at];
    if (first === ARRAY || first === OBJECT) {
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== first + TO_END) {
        if (depth === MOST_LEVELS) return false;
        ends[depth++] = first + TO_END;
        if (first === OBJECT && (at = valueAfterName(bytes, at)) < 0) return false;
        continue;
      }
      at++;
    } else if ((at = scalarEnd(bytes, at)) < 0) return false;
    for (at = skipSpace(bytes, at); depth > 0 && bytes[at] === ends[depth - 1]; at = skipSpace(bytes, at + 1)) depth--;
    if (depth === 0) return at === bytes.length;
    if (bytes[at] !== COMMA) return false;
    at = skipSpace(bytes, at + 1);
    if (ends[depth - 1] === OBJECT_END && (at = valueAfterName(bytes, at)) < 0) return false;
  }
}

// Each of these answers a position, or -1 where the bytes are no JSON.

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
  return at;
}

/** Where the value of a member begins. */
function valueAfterName(bytes: Buffer, at: number): number {
  const end = bytes[at] === QUOTE ? stringEnd(bytes, at + 1) : -1;
  const colon = end < 0 ? -1 : skipSpace(bytes, end);
  return colon >= 0 && bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1;
}

function scalarEnd(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first === QUOTE) return stringEnd(bytes, at + 1);
  if (first === MINUS || isDigit(first)) return numberEnd(bytes, at);
  const word = WORDS.find((each) => each.compare(bytes, at, Math.min(bytes.length, at + each.length)) === 0);
  return word === undefined ? -1 : at + word.length;
}

/** @param from behind the opening quote */
function stringEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) return -1;
    if (byte !== BACKSLASH) continue;
    const escaped = bytes[++at] ?? 0;
    if (escaped === U) {
      if (!/^[\da-f]{4}$/i.test(bytes.toString('latin1', at + 1, at + 5))) return -1;
      at += 4;
    } else if (!ESCAPES.has(escaped)) return -1;
  }
  return -1;
}

function numberEnd(bytes: Buffer, from: number): number {
  const whole = bytes[from] === MINUS ? from + 1 : from;
  let at = digitsEnd(bytes, whole);
  if (at < 0 || (bytes[whole] === ZERO && at > whole + 1)) return -1;
  if (bytes[at] === POINT && (at = digitsEnd(bytes, at + 1)) < 0) return -1;
  if (((bytes[at] ?? 0) | LOWER) !== E) return at;
  const signed = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS;
  return digitsEnd(bytes, at + (signed ? 2 : 1));
}

/** The end of at least one digit. */
function digitsEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (isDigit(bytes[at] ?? 0)) at++;
  return at === from ? -1 : at;
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;
