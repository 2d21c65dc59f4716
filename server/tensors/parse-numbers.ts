import { EXACT_DIGITS, EXACT_POWERS, latin1, longDecimal, numberText } from './decimals.ts';
import { JsonNumbers, NumberStore } from './json-numbers.ts';
import { MOST_DIMS } from './tensor-shape.ts';

/** Thrown to leave a body to the general parser; one object for all, because stacks are slow. */
const UNUSUAL = new Error('for the general parser');

/** Numbers in an unusual notation that are converted one by one before their share is checked. */
const MOST_SLOW = 8;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses JSON whose bulk is numbers, straight from the bytes. Rectangular arrays of numbers become
 * JsonNumbers, other values equal those of JSON.parse.
 * @returns undefined for the general parser: escapes, non-ASCII texts, booleans, null, wrong
 * syntax, empty or ragged arrays, integers that a double cannot hold, mostly numbers with exponents
 */
export function parseNumbers(bytes: Uint8Array): unknown {
  try {
    return new NumbersParser(bytes).whole();
  } catch (thrown) {
    if (thrown === UNUSUAL) return undefined;
    throw thrown;
  }
}

class NumbersParser {
  readonly #bytes: Uint8Array;
  readonly #store: NumberStore;
  #at = 0;
  #used = 0;
  #slow = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#store = new NumberStore((bytes.length >> 3) + 8);
  }

  whole(): unknown {
    const value = this.#value(this.#next(), 0);
    if (this.#next() !== -1) throw UNUSUAL;
    return value;
  }

  /** The next byte that is no white space, not consumed; -1 at the end. */
  #next(): number {
    const bytes = this.#bytes;
    for (;;) {
      const byte = bytes[this.#at];
      if (byte === undefined) return -1;
      if (byte > SPACE) return byte;
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) throw UNUSUAL;
      this.#at++;
    }
  }

  #value(byte: number, depth: number): unknown {
    if (depth > MOST_DIMS) throw UNUSUAL;
    if (byte === OPEN_ARRAY) return this.#array(depth);
    if (byte === OPEN_OBJECT) return this.#object(depth);
    if (byte === QUOTE) return this.#string();
    if (byte === MINUS || isDigit(byte)) return this.#number();
    throw UNUSUAL;
  }

  #array(depth: number): unknown {
    this.#at++;
    const first = this.#next();
    if (first === MINUS || isDigit(first)) return this.#numbers();
    const items: unknown[] = [];
    if (first === CLOSE_ARRAY) throw UNUSUAL;
    const from = this.#used;
    for (let byte = first; ; byte = this.#next()) {
      items.push(this.#value(byte, depth + 1));
      if (!this.#more(CLOSE_ARRAY)) break;
    }
    if (!(items[0] instanceof JsonNumbers)) {
      if (items.some((item) => typeof item === 'number' || item instanceof JsonNumbers)) throw UNUSUAL;
      return items;
    }
    const { dims } = items[0];
    if (!items.every((item) => item instanceof JsonNumbers && item.hasDims(dims))) throw UNUSUAL;
    return new JsonNumbers([items.length, ...dims], this.#store, from, this.#used - from);
  }

  /** The hot loop reads `-?digits(.digits)?` of up to 22 digits; `#number` reads other numbers. */
  // oxlint-disable-next-line max-lines-per-function -- a method for each number takes 1.1 to 1.5 times the CPU time (2 cores, Node 24)
  #numbers(): JsonNumbers {
    const bytes = this.#bytes;
    const from = this.#used;
    let used = from;
    let { numbers } = this.#store;
    let at = this.#at;
    for (;;) {
      const start = at;
      let byte = bytes[at];
      if (byte === MINUS) byte = bytes[++at];
      const first = at;
      let mantissa = 0;
      while (byte !== undefined && byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        byte = bytes[++at];
      }
      const whole = at - first;
      let wellFormed = whole > 0 && whole <= EXACT_DIGITS && (whole === 1 || bytes[first] !== ZERO);
      let power = 0;
      let low = 0;
      let lowDigits = 0;
      if (byte === POINT) {
        const fraction = at + 1;
        const exactTo = first + EXACT_DIGITS + 1;
        byte = bytes[++at];
        while (byte !== undefined && byte >= ZERO && byte <= NINE && at < exactTo) {
          mantissa = mantissa * 10 + (byte - ZERO);
          byte = bytes[++at];
        }
        const lowFrom = at;
        while (byte !== undefined && byte >= ZERO && byte <= NINE) {
          low = low * 10 + (byte - ZERO);
          byte = bytes[++at];
        }
        lowDigits = at - lowFrom;
        power = at - fraction;
        wellFormed &&= power > 0;
      }
      let size = NaN;
      if (wellFormed && (byte === COMMA || byte === CLOSE_ARRAY || byte === SPACE)) {
        if (lowDigits > 0) size = longDecimal(mantissa, low, lowDigits, power);
        else size = power === 0 ? mantissa : mantissa / (EXACT_POWERS[power] ?? 1);
      }
      if (used === numbers.length) numbers = this.#store.grow();
      if (!Number.isNaN(size)) numbers[used++] = first > start ? -size : size;
      else {
        this.#at = start;
        this.#used = used;
        numbers[used++] = this.#number();
        at = this.#at;
        byte = bytes[at];
      }
      if (byte === COMMA) at++;
      else {
        this.#at = at;
        if (!this.#more(CLOSE_ARRAY)) break;
        at = this.#at;
      }
      byte = bytes[at];
      if (byte === undefined || byte <= SPACE) {
        this.#at = at;
        this.#next();
        at = this.#at;
      }
    }
    this.#used = used;
    return new JsonNumbers([used - from], this.#store, from, used - from);
  }

  /** True after a comma, false after the closing bracket. */
  #more(close: number): boolean {
    const byte = this.#next();
    if (byte !== COMMA && byte !== close) throw UNUSUAL;
    this.#at++;
    return byte === COMMA;
  }

  #object(depth: number): Record<string, unknown> {
    this.#at++;
    const result: Record<string, unknown> = {};
    let byte = this.#next();
    for (;;) {
      if (byte !== QUOTE) throw UNUSUAL;
      const key = this.#string();
      if (key === '__proto__' || this.#next() !== COLON) throw UNUSUAL;
      this.#at++;
      result[key] = this.#value(this.#next(), depth + 1);
      if (!this.#more(CLOSE_OBJECT)) return result;
      byte = this.#next();
    }
  }

  #string(): string {
    const bytes = this.#bytes;
    const from = ++this.#at;
    for (;;) {
      const byte = bytes[this.#at++];
      if (byte === QUOTE) break;
      if (byte === undefined || byte === BACKSLASH || byte < 0x20 || byte >= 0x80) throw UNUSUAL;
    }
    return latin1(bytes, from, this.#at - 1);
  }

  /**
   * A number in any notation, converted by V8. Whole numbers that a double cannot hold go to the
   * general parser.
   */
  #number(): number {
    const text = numberText(this.#bytes, this.#at);
    // JSON.parse is faster where most numbers are of this kind.
    if (text === undefined || (++this.#slow > MOST_SLOW && this.#slow * 2 > this.#used)) throw UNUSUAL;
    this.#at += text.length;
    const number = Number(text);
    if (!Number.isFinite(number) || (!Number.isSafeInteger(number) && /^-?\d+$/.test(text))) throw UNUSUAL;
    return number;
  }
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;
