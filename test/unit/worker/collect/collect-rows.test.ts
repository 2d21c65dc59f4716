import assert from 'node:assert/strict';
import test from 'node:test';
import { toRows, type Collectable } from '../../../../server/worker/collect/collect-rows.ts';

const cases: readonly (readonly [what: string, data: Collectable, rows: unknown, names?: readonly string[]])[] = [
  [
    'rows',
    [
      { a: 1, b: 'x' },
      { a: null, b: true },
    ],
    [
      { a: 1, b: 'x' },
      { a: null, b: true },
    ],
  ],
  [
    'columns',
    { y: [1, 2], w: [3, 4] },
    [
      { y: 1, w: 3 },
      { y: 2, w: 4 },
    ],
  ],
  [
    'typed columns beside a single value',
    { y: Float32Array.of(0.5, 1), model: 'm' },
    [
      { y: 0.5, model: 'm' },
      { y: 1, model: 'm' },
    ],
  ],
  [
    'columns with names of members of objects',
    JSON.parse('{"__proto__":[1,2],"constructor":["a","b"]}'),
    JSON.parse('[{"__proto__":1,"constructor":"a"},{"__proto__":2,"constructor":"b"}]'),
  ],
  ['a column of one tensor named so', [[1]], JSON.parse('[{"__proto__":1}]'), ['__proto__']],
  ['one row of single values', { a: 1, b: 'x' }, [{ a: 1, b: 'x' }]],
  ['single values', [1, 2], [{ value: 1 }, { value: 2 }]],
  ['named single values', Float64Array.of(1, 2), [{ y: 1 }, { y: 2 }], ['y']],
  [
    'arrays of numbers',
    [
      [1, 2],
      [3, 4],
    ],
    [
      { column_0: 1, column_1: 2 },
      { column_0: 3, column_1: 4 },
    ],
  ],
  ['named arrays of numbers', [[1, 2]], [{ age: 1, bmi: 2 }], ['age', 'bmi']],
  [
    'whole numbers beyond 2^53, NaN and infinities',
    [{ a: 5n, b: 2n ** 60n, c: Number.NaN, d: -Infinity, e: undefined }],
    [{ a: 5, b: '1152921504606846976', c: null, d: null, e: null }],
  ],
  [
    'nested values, which become columns',
    [{ a: [1, 2], b: { c: 3, d: [4] }, t: new Date(0) }],
    [{ a_0: 1, a_1: 2, 'b.c': 3, 'b.d_0': 4, t: '1970-01-01T00:00:00.000Z' }],
  ],
  [
    'tensors by name',
    {
      y: { type: 'int64', dims: [2, 1], data: BigInt64Array.of(1n, 2n) },
      p: { type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    },
    [
      { y: 1, p_0: 1, p_1: 2 },
      { y: 2, p_0: 3, p_1: 4 },
    ],
  ],
  [
    'float16 and bool tensors',
    { h: { type: 'float16', dims: [1], data: Uint16Array.of(0x3c00) }, b: { type: 'bool', dims: [1], data: Uint8Array.of(1) } },
    [{ h: 1, b: true }],
  ],
  [
    'one tensor',
    { type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    [
      { age: 1, bmi: 2 },
      { age: 3, bmi: 4 },
    ],
    ['age', 'bmi'],
  ],
  ['a scalar tensor', { y: { type: 'float32', dims: [], data: Float32Array.of(7) } }, [{ y: 7 }]],
  ['no rows', [], []],
];

for (const [what, data, rows, names] of cases) test(`collects ${what}`, () => assert.deepEqual(toRows(data, names), rows));

test('names the expected form for data that has no rows', () => {
  const wrong = (data: unknown, message: RegExp): void => assert.throws(() => toRows(data), { name: 'TypeError', message });
  wrong({ a: [1, 2], b: [1] }, /columns of the same length, got a: 2, b: 1/);
  wrong(5, /expected rows, columns or tensors as data, got number/);
  wrong(null, /got null/);
  wrong({}, /got an object without any/);
  wrong([() => 1], /as row 0, got function/);
});
