import { createHash } from 'node:crypto';

/**
 * A number during one batch: factor × rows of the batch (at most once) × symbols. A symbol is a
 * number that all calls of a batch share, such as the length of their sequences. Factors may have a
 * fraction, because exporters compute sizes with floats.
 */
export interface Size {
  readonly factor: number;
  /** True if the number grows with the rows of the batch. */
  readonly rows: boolean;
  /** In order. A name stands for its number, so equal names are equal numbers. */
  readonly symbols: readonly string[];
}

const NO_SYMBOLS: readonly string[] = [];
/** Longer names are shortened to a digest, so that long computations stay cheap. */
const LONGEST_NAME = 96;
/**
 * In names of numbers that may have a fraction: a quotient of floats, a root, a factor; or that may
 * be rounded or wrap around: a cast to a type of 16 bits or less.
 */
const FRACTION = /%|ratio\(|sqrt\(|\d\.\d|e-|cast(?!(?:[167]|1[1-3])\()/;
/** Begins names of numbers that have none, whatever they come from. */
const WHOLE = /^(?:cast[67]|ceil|floor|round|scaled)\(/;
const isWholeName = (name: string): boolean => WHOLE.test(name) || !FRACTION.test(name);

export const number = (factor: number): Size => ({ factor, rows: false, symbols: NO_SYMBOLS });
export const ONE = number(1);
export const ZERO = number(0);
/** The rows of the batch. */
export const ROWS: Size = { factor: 1, rows: true, symbols: NO_SYMBOLS };

/** A shared number that is known by its name only. */
export const symbol = (name: string): Size => ({ factor: 1, rows: false, symbols: [shortened(name)] });

/**
 * A symbol that a model names. The name cannot be read as a number, or as one that `shared` makes:
 * other characters than letters, digits and underscores are escaped.
 * @param kind `?` for an axis without a name
 */
export const namedSymbol = (name: string, kind: '$' | '?' = '$'): Size =>
  symbol(`${kind}${name.replaceAll(/\W/g, (character) => `$${character.charCodeAt(0).toString(36)}$`)}`);

export const isNumber = (size: Size): boolean => !size.rows && size.symbols.length === 0;

export const isOne = (size: Size): boolean => size.factor === 1 && isNumber(size);

export function equal(one: Size, other: Size): boolean {
  return one === other || (one.factor === other.factor && sameUnit(one, other));
}

/** True if two sizes differ in their factor only. */
function sameUnit(one: Size, other: Size): boolean {
  return (
    one.rows === other.rows &&
    one.symbols.length === other.symbols.length &&
    one.symbols.every((name, index) => name === other.symbols[index])
  );
}

export function sizeText({ factor, rows, symbols }: Size): string {
  const parts = [...(rows ? ['rows'] : []), ...symbols];
  if (factor !== 1 || parts.length === 0) parts.unshift(String(factor));
  return parts.join('*');
}

/** Whole numbers up to this one are exact as float32, and do not wrap around as int32. */
const LARGEST = 2 ** 24;

/** True if a float32 and an int32 hold the number, so that operators are as exact as those here. */
export const isExact = (value: number): boolean => Math.abs(value) <= LARGEST && Math.fround(value) === value;

const isExactFactor = (value: number): boolean => Number.isInteger(value) || isExact(value);

/** The product, or undefined if the rows would count twice, or floats round their number. */
export function times(one: Size, other: Size): Size | undefined {
  if (isOne(one)) return other;
  if (isOne(other)) return one;
  const factor = one.factor * other.factor;
  if (factor === 0) return ZERO;
  if (one.rows && other.rows) return undefined;
  if (![one.factor, other.factor, factor].every(isExactFactor)) return shared('mul', one, other);
  const symbols = other.symbols.length === 0 ? one.symbols : [...one.symbols, ...other.symbols].toSorted();
  return { factor, rows: one.rows || other.rows, symbols };
}

export function product(sizes: readonly (Size | undefined)[]): Size | undefined {
  let whole: Size | undefined = ONE;
  for (const size of sizes) whole = whole && size && times(whole, size);
  return whole;
}

/** The quotient if the division leaves no rest whatever the symbols stand for. */
export function exactly(whole: Size, part: Size): Size | undefined {
  if (isOne(part)) return whole;
  if (part.factor === 0 || !Number.isInteger(whole.factor / part.factor) || (part.rows && !whole.rows)) return undefined;
  const symbols = [...whole.symbols];
  for (const name of part.symbols) {
    const at = symbols.indexOf(name);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  return { factor: whole.factor / part.factor, rows: whole.rows && !part.rows, symbols };
}

export function plus(one: Size, other: Size): Size | undefined {
  if (one.factor === 0) return other;
  if (other.factor === 0) return one;
  if (sameUnit(one, other)) {
    const factor = one.factor + other.factor;
    return factor === 0 ? ZERO : { ...one, factor };
  }
  return shared('+', one, other);
}

export const negative = (size: Size): Size => ({ ...size, factor: -size.factor });

/** True for the size of an axis of an input, which is never negative; false for computed sizes. */
export const isAxisSize = ({ factor, symbols }: Size): boolean =>
  factor > 0 && Number.isInteger(factor) && symbols.every((name) => !/[(#]/.test(name));

/** True if the number has no fraction whatever its symbols stand for. */
export const isWhole = ({ factor, symbols }: Size): boolean => Number.isInteger(factor) && symbols.every(isWholeName);

/** The size of an axis of `whole` entries that is cut behind the first `end`. */
export const upTo = (end: Size, whole: Size): Size | undefined => (isAxisSize(end) ? shared('upto', end, whole) : undefined);

/** True if a size is `upTo` another one: both are equal wherever they can be broadcast. */
export const isUpTo = (size: Size, end: Size): boolean =>
  size.factor === 1 && size.symbols.length === 1 && size.symbols[0]?.startsWith(`upto(${sizeText(end)},`) === true;

/** The result of an operation on shared numbers, by its name; undefined if one counts rows. */
export function shared(operation: string, ...sizes: readonly (Size | undefined)[]): Size | undefined {
  const texts: string[] = [];
  for (const size of sizes) {
    if (size === undefined || size.rows) return undefined;
    texts.push(sizeText(size));
  }
  return symbol(`${operation}(${texts.join(',')})`);
}

function shortened(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const digest = createHash('sha256').update(name).digest('base64url');
  return `#${isWholeName(name) ? '' : '%'}${digest}`;
}
