const MOST_LOW_DIGITS = 7;
/** 2^27 + 1: cuts a double into halves whose products are exact (T. J. Dekker, 1971). */
const SPLITTER = 134_217_729;
/** Relative bound, far above the error of the second half of a quotient. */
const DOUBT = 2 ** -50;

/**
 * Whole numbers of up to this many digits are exact doubles, as are these powers of ten: one
 * division rounds as JSON.parse does.
 */
export const EXACT_DIGITS = 15;
export const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;
const LONGEST_NUMBER = 64;

/**
 * The JSON number that begins at `at`, in any notation; undefined if there is none, or it has 64
 * characters or more.
 */
export function numberText(bytes: Uint8Array, at: number): string | undefined {
  const text = NUMBER.exec(latin1(bytes, at, at + LONGEST_NUMBER))?.[0];
  return text?.length === LONGEST_NUMBER ? undefined : text;
}

export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, Math.min(to, bytes.length) - from)).toString('latin1');
}

/**
 * The double nearest to a decimal fraction of more digits than a double holds, rounded as
 * JSON.parse does. NumPy's `tolist()` and Python's `repr` write such fractions. Digits and power of
 * ten are exact pairs of doubles; the quotient is exact but for its last bits.
 * @param high the first digits, at most 15
 * @param low the other digits, as a number
 * @param lowDigits how many those are
 * @param power how many of all digits are behind the point
 * @returns NaN if the rounding is uncertain: more than 7 other digits, more than 22 behind the
 * point, or a value near the middle of two doubles
 */
export function longDecimal(high: number, low: number, lowDigits: number, power: number): number {
  if (lowDigits > MOST_LOW_DIGITS || power >= EXACT_POWERS.length) return NaN;
  const scale = EXACT_POWERS[lowDigits] ?? 1;
  const ten = EXACT_POWERS[power] ?? 1;
  // high * scale + low, exactly: a sum of two doubles. Every error here is a whole number below
  // 2^53.
  const product = high * scale;
  const sum = product + low;
  const grown = sum - product;
  const rest = productError(high, scale, product) + (product - (sum - grown) + (low - grown));
  const digits = sum + rest;
  const digitsRest = rest - (digits - sum);

  // Divided by ten^power: the remainder of the first quotient is exact, too.
  const quotient = digits / ten;
  const back = quotient * ten;
  const correction = (digits - back - productError(quotient, ten, back) + digitsRest) / ten;
  const nearest = quotient + correction * (1 + DOUBT);
  return nearest === quotient + correction * (1 - DOUBT) ? nearest : NaN;
}

/** The exact product of two doubles minus `product`, the rounded one. */
function productError(one: number, other: number, product: number): number {
  const oneCut = one * SPLITTER;
  const oneHigh = oneCut - (oneCut - one);
  const oneLow = one - oneHigh;
  const otherCut = other * SPLITTER;
  const otherHigh = otherCut - (otherCut - other);
  const otherLow = other - otherHigh;
  return oneLow * otherLow - (product - oneHigh * otherHigh - oneLow * otherHigh - oneHigh * otherLow);
}
