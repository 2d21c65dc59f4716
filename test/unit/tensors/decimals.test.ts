import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { longDecimal } from '../../../server/tensors/decimals.ts';

/** `whole.fraction` with more than 15 digits; undefined where it has fewer, or an exponent. */
function convert(text: string): number | undefined {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = whole + fraction;
  if (!/^\d+$/.test(digits) || digits.length <= 15) return undefined;
  return longDecimal(Number(digits.slice(0, 15)), Number(digits.slice(15)), digits.length - 15, fraction.length);
}

const parts = new DataView(new ArrayBuffer(8));

/** The decimal in the middle of a double and the next one, to as many digits as fit. */
function middle(number: number): string {
  parts.setFloat64(0, number);
  parts.setBigUint64(0, parts.getBigUint64(0) + 1n);
  // The middle has one bit more than a double: both neighbours as whole multiples of 2^-60.
  const scaled = (BigInt(number * 2 ** 60) + BigInt(parts.getFloat64(0) * 2 ** 60)) / 2n;
  const text = ((scaled * 10n ** 21n) >> 60n).toString().padStart(22, '0');
  return `${text.slice(0, -21)}.${text.slice(-21)}`;
}

const size = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
const decimal = fc.oneof(
  size.map((number) => String(number)),
  size.map((number) => String(Math.fround(number))),
  fc.tuple(size, fc.integer({ min: 1, max: 22 })).map(([number, digits]) => number.toFixed(digits)),
  fc.double({ min: 0.25, max: 8, noNaN: true }).map(middle),
  fc.tuple(fc.nat(999), fc.bigInt({ min: 0n, max: 10n ** 19n - 1n })).map(([whole, rest]) => `${whole}.${String(rest).padStart(19, '0')}`),
);

test('a long decimal becomes the double of JSON.parse, to the last bit, or none', () => {
  fc.assert(
    fc.property(decimal, (text) => {
      const number = convert(text);
      assert.ok(number === undefined || Number.isNaN(number) || Object.is(number, Number(text)), `${text}: ${number}`);
    }),
    { numRuns: 20_000 },
  );
});

test('decimals that Python writes of float32 and float64 from 0.0001 on never take the slow way', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-4, max: 1e6, noNaN: true }), fc.boolean(), (number, single) => {
      const text = String(single ? Math.fround(number) : number);
      assert.ok(!Number.isNaN(convert(text) ?? 0), text);
    }),
    { numRuns: 5000 },
  );
});

test('the middle of two doubles is distinguished from its neighbours, not guessed', () => {
  assert.equal(convert('0.50000000000000005551'), 0.5);
  assert.ok(Number.isNaN(longDecimal(100000000000000, 12345678, 8, 20)));
  assert.ok(Number.isNaN(longDecimal(100000000000000, 1, 1, 23)));
});
