import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Dtype, Tensor, TensorInput, TensorSpec } from '../../../server/entry-script.ts';
import { ServerError } from '../../../server/errors.ts';
import { float16Bits } from '../../../server/tensors/float16.ts';
import { toTensor } from '../../../server/tensors/to-tensor.ts';

const spec = (type: Dtype, ...dims: (number | string)[]): TensorSpec => ({ name: 'X', type, dims });
const tensor = (type: Dtype, dims: number[], data: unknown): Tensor => ({ type, dims, data: data as Tensor['data'] });
const half = (...numbers: number[]): Uint16Array => float16Bits(Float16Array.from(numbers));

const accepted: [title: string, spec: TensorSpec, value: unknown, dims: number[], data: unknown][] = [
  [
    'rows of numbers',
    spec('float32', 'N', 2),
    [
      [1, 2],
      [3, 4.5],
    ],
    [2, 2],
    Float32Array.of(1, 2, 3, 4.5),
  ],
  [
    'three dimensions',
    spec('int32', 'a', 'b', 1),
    [
      [[1], [2]],
      [[3], [4]],
    ],
    [2, 2, 1],
    Int32Array.of(1, 2, 3, 4),
  ],
  ['a scalar', spec('int64'), 16000, [], BigInt64Array.of(16000n)],
  ['an array where the rank is unknown', spec('float32'), [[1, 2]], [1, 2], Float32Array.of(1, 2)],
  ['no rows', spec('float32', 'N', 10), [], [0, 10], new Float32Array(0)],
  ['empty rows', spec('float32', 'N', 'M'), [[], []], [2, 0], new Float32Array(0)],
  ['an empty vector', spec('string', 'N'), [], [0], []],
  ['special floats as strings', spec('float64', 'N'), ['NaN', 'Infinity', '-Infinity'], [3], Float64Array.of(NaN, Infinity, -Infinity)],
  ['decimals, rounded to float32', spec('float32', 'N'), [0.1, 16777217], [2], Float32Array.of(Math.fround(0.1), 16777216)],
  ['the largest float32', spec('float32', 'N'), [3.4028234663852886e38], [1], Float32Array.of(3.4028234663852886e38)],
  ['bigints as floats', spec('float64', 'N'), [10n ** 20n], [1], Float64Array.of(1e20)],
  ['numbers as float16', spec('float16', 'N'), [1.5, -0, 65504, 65519, 2 ** -24, 'NaN'], [6], half(1.5, -0, 65504, 65504, 2 ** -24, NaN)],
  ['ties to even in float16', spec('float16', 'N'), [2049, 2051], [2], half(2048, 2052)],
  ['whole numbers', spec('int8', 'N'), [-128, 127, 1.0, -0, 5n], [5], Int8Array.of(-128, 127, 1, 0, 5)],
  ['uint8', spec('uint8', 'N'), [0, 255], [2], Uint8Array.of(0, 255)],
  ['uint16', spec('uint16', 'N'), [65535], [1], Uint16Array.of(65535)],
  ['int16', spec('int16', 'N'), [-32768], [1], Int16Array.of(-32768)],
  ['uint32', spec('uint32', 'N'), [4294967295], [1], Uint32Array.of(4294967295)],
  [
    '64-bit integers in every form',
    spec('int64', 'N'),
    [1, -9007199254740991, '-9223372036854775808', 9223372036854775807n],
    [4],
    BigInt64Array.of(1n, -9007199254740991n, -9223372036854775808n, 9223372036854775807n),
  ],
  ['the largest uint64', spec('uint64', 'N'), ['18446744073709551615'], [1], BigUint64Array.of(18446744073709551615n)],
  ['booleans', spec('bool', 'N'), [true, false, 1, 0], [4], Uint8Array.of(1, 0, 1, 0)],
  ['strings', spec('string', 'N', 1), [['a'], ['ż 大 김']], [2, 1], ['a', 'ż 大 김']],
  ['a typed array with one open size', spec('float32', 'N', 2), Float32Array.of(1, 2, 3, NaN), [2, 2], Float32Array.of(1, 2, 3, NaN)],
  ['a typed array of a fixed shape', spec('int32', 1, 2), Int32Array.of(1, 2), [1, 2], Int32Array.of(1, 2)],
  ['a typed array as a scalar', spec('int32'), Int32Array.of(7), [], Int32Array.of(7)],
  ['an empty typed array', spec('int32', 'N', 3), new Int32Array(0), [0, 3], new Int32Array(0)],
  ['a typed array of another class', spec('float32', 'N'), Float64Array.of(0.5, NaN, -Infinity), [3], Float32Array.of(0.5, NaN, -Infinity)],
  ['bytes as int64', spec('int64', 'N'), Uint8Array.of(255), [1], BigInt64Array.of(255n)],
  ['float16 bits', spec('float16', 'N'), half(1, 2), [2], half(1, 2)],
  ['a Float16Array', spec('float16', 'N'), Float16Array.of(1, 2), [2], half(1, 2)],
  ['a Float32Array as float16', spec('float16', 'N'), Float32Array.of(1, 2), [2], half(1, 2)],
  ['a tensor', spec('float32', 'N', 2), tensor('float32', [1, 2], Float32Array.of(1, 2)), [1, 2], Float32Array.of(1, 2)],
  ['a tensor with flat data', spec('float32', 'N', 2), tensor('float32', [2, 2], [1, 2, 3, 'NaN']), [2, 2], Float32Array.of(1, 2, 3, NaN)],
  ['a tensor with nested data', spec('bool', 'N', 2), tensor('bool', [1, 2], [[true, false]]), [1, 2], Uint8Array.of(1, 0)],
  ['null in a row of floats, as pandas writes NaN', spec('float32', 'N', 2), [[1, null]], [1, 2], Float32Array.of(1, NaN)],
  ['null alone in a column', spec('float64', 'N', 1), [[null], [null]], [2, 1], Float64Array.of(NaN, NaN)],
  ['null as float16, beside a text', spec('float16', 'N'), [null, 'Infinity'], [2], half(NaN, Infinity)],
  ['null in a tensor', spec('float32', 'N'), tensor('float32', [2], [null, 1]), [2], Float32Array.of(NaN, 1)],
  ['booleans as floats', spec('float32', 'N', 2), [[true, false]], [1, 2], Float32Array.of(1, 0)],
  ['booleans beside numbers', spec('int32', 'N'), [true, 5, false], [3], Int32Array.of(1, 5, 0)],
  ['booleans as 64-bit integers', spec('int64', 'N'), [true, '7'], [2], BigInt64Array.of(1n, 7n)],
  ['booleans in a tensor', spec('uint8', 'N'), tensor('uint8', [2], [true, 0]), [2], Uint8Array.of(1, 0)],
  ['a tensor without elements', spec('float32', 'a', 'b'), tensor('float32', [0, 5], []), [0, 5], new Float32Array(0)],
  ['a scalar tensor', spec('string'), tensor('string', [], ['a']), [], ['a']],
];

const refused: [title: string, spec: TensorSpec, value: unknown, message: RegExp][] = [
  ['too few dimensions', spec('float32', 'N', 10), [1, 2], /^input X: expected float32 \[N,10\], got the shape \[2\]$/],
  ['too many dimensions', spec('float32', 'N'), [[1]], /^input X: expected float32 \[N\], got the shape \[1,1\]$/],
  ['a fixed size that differs', spec('float32', '', 3), [[1, 2]], /^input X: expected float32 \[\?,3\], got the shape \[1,2\]$/],
  ['a scalar for a matrix', spec('float32', 'N', 3), 5, /^input X: expected float32 \[N,3\], got 5$/],
  ['null', spec('float32', 'N', 3), null, /^input X: expected float32 \[N,3\], got null$/],
  ['nothing', spec('float32', 'N', 3), undefined, /^input X: expected float32 \[N,3\], got undefined$/],
  ['an object', spec('float32', 'N', 3), { a: 1 }, /^input X: expected nested arrays, a typed array, or a tensor .*, got another object$/],
  ['a short row', spec('float32', 'N', 2), [[1, 2], [3]], /^input X\[1\]: expected an array of 2 for the shape \[2,2\], got 1$/],
  ['a row that is a number', spec('float32', 'N', 2), [[1, 2], 3], /^input X\[1\]: expected an array of 2 for the shape \[2,2\], got 3$/],
  ['a row deeper down', spec('int8', 'a', 'b', 'c'), [[[1]], [[1, 2]]], /^input X\[1\]\[0\]: expected an array of 1 /],
  ['an element that is an array', spec('float32', 'N'), [1, [2]], /^input X\[1\]: expected a finite number .*, got an array$/],
  ['an empty array of unknown width', spec('float32', 'N', 'M'), [], /^input X: expected float32 \[N,M\] .*, got an empty array$/],
  ['a shape that promises too much', spec('float32', 'a', 'b'), [Array.from({ length: 100_000 }, () => 0), []], /^input X\[1\]: /],
  [
    'an object as a float',
    spec('float32', 'N', 2),
    [[1, {}]],
    /^input X\[0\]\[1\]: expected a finite number .* \(float32\), got an object$/,
  ],
  ['another string as a float', spec('float64', 'N'), ['1.5'], /^input X\[0\]: .* got "1.5"$/],
  ['infinity as a number', spec('float64', 'N'), [Infinity], /^input X\[0\]: .* up to 1\.79.*e\+308, .* got the number Infinity, which /],
  [
    'a negative infinity',
    spec('float32', 'N', 1),
    [[0], [-Infinity]],
    /^input X\[1\]\[0\]: .* below 3\.4.*e\+38, .* got the number -Infinity, /,
  ],
  [
    'an infinity in a row of other forms',
    spec('float16', 'N'),
    ['NaN', Infinity],
    /^input X\[1\]: .* below 65520, .* the number Infinity, /,
  ],
  ['a place in a typed array', spec('float32', 'N', 2), Float64Array.of(1, 2, 3, 1e39), /^input X\[1\]\[1\]: .* got 1e\+39$/],
  ['a place in a tensor with flat data', spec('int32', 'N', 2), tensor('int32', [2, 2], [1, 2, 0.5, 4]), /^input X\[1\]\[0\]: .* got 0.5$/],
  [
    'a place in three dimensions',
    spec('bool', 2, 'N', 2),
    tensor('bool', [2, 2, 2], [1, 1, 1, 1, 1, 1, 5, 1]),
    /^input X\[1\]\[1\]\[0\]: /,
  ],
  ['a double beyond float32', spec('float32', 'N'), [1, 3.4028235677973366e38], /^input X\[1\]: .* got 3\.4028235677973366e\+38$/],
  ['a bigint beyond float32', spec('float32', 'N'), [10n ** 39n], /^input X\[0\]: /],
  ['a typed double beyond float32', spec('float32', 'N'), Float64Array.of(1e39), /^input X\[0\]: .* got 1e\+39$/],
  ['a number beyond float16', spec('float16', 'N'), [65520], /^input X\[0\]: expected a finite number below 65520, .* got 65520$/],
  [
    'a fraction as an integer',
    spec('int32', 'N'),
    [1.7],
    /^input X\[0\]: expected a whole number from -2147483648 to 2147483647 \(int32\), got 1.7$/,
  ],
  ['an integer out of range', spec('uint8', 'N'), [256], /^input X\[0\]: expected a whole number from 0 to 255 \(uint8\), got 256$/],
  ['a bigint out of range', spec('int32', 'N'), [2n ** 31n], /got 2147483648$/],
  ['a string as an integer', spec('int32', 'N'), ['5'], /got "5"$/],
  ['null as an integer', spec('int32', 'N'), [1, null], /^input X\[1\]: expected a whole number .* got null$/],
  ['null as a 64-bit integer', spec('int64', 'N', 1), [[1], [null]], /^input X\[1\]\[0\]: expected a whole number .* got null$/],
  ['null as a string', spec('string', 'N'), [null], /^input X\[0\]: expected a string .* got null$/],
  ['null as a boolean', spec('bool', 'N'), [null], /^input X\[0\]: expected true, false, 0 or 1 \(bool\), got null$/],
  ['a boolean as a string', spec('string', 'N'), [true], /^input X\[0\]: expected a string .* got true$/],
  ['a hole as a float', spec('float32', 'N'), Array.from({ length: 1 }), /^input X\[0\]: expected a finite number .* got undefined$/],
  ['NaN as an integer', spec('int32', 'N'), Float32Array.of(NaN), /got NaN$/],
  [
    'an unsafe number as int64',
    spec('int64', 'N'),
    [2 ** 53],
    /beyond ±9007199254740991 as a decimal string\) \(int64\), got 9007199254740992$/,
  ],
  ['a string beyond int64', spec('int64', 'N'), ['9223372036854775808'], /got "9223372036854775808"$/],
  ['a negative uint64', spec('uint64', 'N'), [-1], /^input X\[0\]: expected a whole number from 0 to 18446744073709551615 /],
  ['a string with a fraction as int64', spec('int64', 'N'), ['1.0'], /got "1.0"$/],
  ['a fraction as int64', spec('int64', 'N'), [0.5], /got 0.5$/],
  ['a number as bool', spec('bool', 'N'), [2], /^input X\[0\]: expected true, false, 0 or 1 \(bool\), got 2$/],
  ['bytes that are no booleans', spec('bool', 'N'), Uint8Array.of(0, 9), /^input X\[1\]: expected true, false, 0 or 1 \(bool\), got 9$/],
  ['a number as a string', spec('string', 'N'), [1], /^input X\[0\]: expected a string without NUL characters \(string\), got 1$/],
  ['a NUL character', spec('string', 'N'), ['a\0b'], /^input X\[0\]: .* got "a\\u0000b"$/],
  ['a wrong scalar', spec('float32'), 'x', /^input X: expected a finite number .* got "x"$/],
  [
    'a typed array that does not divide',
    spec('float32', 'N', 2),
    Float32Array.of(1, 2, 3),
    /^input X: expected float32 \[N,2\], got a typed array of 3$/,
  ],
  ['a typed array of the wrong size', spec('float32', 2), Float32Array.of(1), /^input X: expected float32 \[2\], got a typed array of 1$/],
  ['a typed array for two open sizes', spec('float32', 'N', 'M'), Float32Array.of(1), /^input X: expected a tensor .* got a typed array$/],
  ['a DataView', spec('float32', 'N'), new DataView(new ArrayBuffer(4)), /^input X: expected a typed array, got a DataView$/],
  ['a typed array as strings', spec('string', 'N'), Float32Array.of(1), /^input X\[0\]: expected a string/],
  [
    'a tensor of another dtype',
    spec('float32', 'N'),
    tensor('float64', [1], [1]),
    /^input X: expected float32 \[N\], got dtype "float64"$/,
  ],
  [
    'a tensor of another shape',
    spec('float32', 'N', 3),
    tensor('float32', [3], [1, 2, 3]),
    /^input X: expected float32 \[N,3\], got the shape \[3\]$/,
  ],
  [
    'a tensor with too little data',
    spec('float32', 'N'),
    tensor('float32', [3], [1]),
    /^input X: expected 3 elements for the shape \[3\], got 1$/,
  ],
  [
    'a tensor with ragged data',
    spec('float32', 'N', 2),
    tensor('float32', [2, 2], [[1, 2], [3]]),
    /^input X\[1\]: expected an array of 2 /,
  ],
  [
    'a tensor with deeper data',
    spec('float32', 'N'),
    tensor('float32', [1], [[1]]),
    /^input X: expected data nested as the shape \[1\] says, or flat, got \[1,1\]$/,
  ],
  ['a tensor without data', spec('float32', 'N'), tensor('float32', [1], 1), /^input X: expected data that is an array, got 1$/],
  [
    'a negative size',
    spec('float32', 'N'),
    tensor('float32', [-1], []),
    /^input X: expected at most 64 dimensions, whole numbers from 0, got \[-1\]$/,
  ],
  ['a size that is a string', spec('float32', 'N'), tensor('float32', ['1'] as unknown as number[], [1]), /got \["1"\]$/],
  ['arrays nested without end', spec('float32'), JSON.parse('['.repeat(5000) + ']'.repeat(5000)), /nested more than 64 deep$/],
  ['a long string, shortened', spec('float32', 'N'), ['x'.repeat(1000)], /got "x{40}…"$/],
];

describe('an input', () => {
  for (const [title, wanted, value, dims, data] of accepted) {
    it(`takes ${title} as ${wanted.type}`, () => {
      assert.deepEqual(toTensor(wanted, value as TensorInput), { type: wanted.type, dims, data });
    });
  }

  for (const [title, wanted, value, message] of refused) {
    it(`refuses ${title} as ${wanted.type}`, () => {
      assert.throws(
        () => toTensor(wanted, value as TensorInput),
        (error) => {
          assert.ok(error instanceof ServerError);
          assert.equal(error.code, 'invalid_input');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('is not copied where it has the right class', () => {
    const data = Float32Array.of(1, 2);
    assert.equal(toTensor(spec('float32', 'N'), data).data, data);
    assert.equal(toTensor(spec('float32', 'N'), { type: 'float32', dims: [2], data }).data, data);
  });

  it('has the elements of nested arrays in row-major order, whatever the shape', () => {
    const shaped = fc.array(fc.nat(4), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shaped, (dims) => {
        const flat = Float64Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, index) => index);
        let next = 0;
        const nested = (axis: number): TensorInput & object =>
          Array.from({ length: dims[axis]! }, () => (axis === dims.length - 1 ? next++ : nested(axis + 1))) as TensorInput & object;
        assert.deepEqual(toTensor(spec('float64', ...dims), nested(0)), { type: 'float64', dims, data: flat });
      }),
    );
  });

  it('keeps every 64-bit integer, as a bigint or a decimal string', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        assert.deepEqual(toTensor(spec('int64', 'N'), [value, String(value)]).data, BigInt64Array.of(value, value));
      }),
    );
  });

  it('keeps every float32 that is sent as a decimal', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.deepEqual(toTensor(spec('float32', 'N'), [Number(String(value))]).data, Float32Array.of(Object.is(value, -0) ? 0 : value));
      }),
    );
  });
});
