import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TensorSpec } from '../../../server/entry-script.ts';
import { ServerError } from '../../../server/errors.ts';
import { JsonNumbers, withNumbers } from '../../../server/tensors/json-numbers.ts';
import { feedTable, readTable } from '../../../server/tensors/table.ts';

const spec = (name: string, ...dims: (number | string)[]): TensorSpec => ({ name, type: 'float32', dims });
/** Inputs whose names an exporter made of those in OWN. */
const frame = ['Age', 'Monthly_Income____', 'Körper_Größe', 'city'].map((name) => spec(name, 'N', 1));
const OWN = ['Age', 'Monthly Income (€)', 'Körper/Größe', 'city'];
const MODEL = ['Age', 'Monthly_Income____', 'Körper_Größe', 'city'];
const ROW = [31.9, 2419, 164.7, 'Berlin'];
const fed = { Age: [[31.9]], Monthly_Income____: [[2419]], Körper_Größe: [[164.7]], city: [['Berlin']] };

const recordOf = (names: readonly string[], row: readonly unknown[]): object =>
  Object.fromEntries(names.map((name, at) => [name, row[at]]));

/** The inputs for a body, read as the server reads it. */
function feed(value: unknown, inputs: readonly TensorSpec[] = frame): unknown {
  const table = readTable('input_data', withNumbers(structuredClone(value)));
  return table && feedTable('input_data', table, inputs);
}

const taken: [title: string, value: unknown][] = [
  ['the columns of the DataFrame', { columns: OWN, index: [0], data: [ROW] }],
  ['the names of the model', { columns: MODEL, data: [ROW] }],
  ['some of either', { columns: ['Age', 'Monthly_Income____', 'Körper/Größe', 'city'], data: [ROW] }],
  ['any order', { columns: OWN.toReversed(), data: [ROW.toReversed()] }],
  ['names with another replacement', { columns: ['Age', 'Monthly_Income_(€)', 'Körper Größe', 'city'], data: [ROW] }],
  ['records', [recordOf(OWN, ROW)]],
  ['records of the model’s names', [recordOf(MODEL, ROW)]],
  ['an index of texts', { columns: OWN, index: ['row 1'], data: [ROW] }],
  ['an index of dates', { columns: OWN, index: ['2024-01-01T00:00:00.000'], data: [ROW] }],
  ['an index of times', { columns: OWN, index: [1_704_067_200_000], data: [ROW] }],
  ['an index of several levels', { columns: OWN, index: [['a', 1]], data: [ROW] }],
  ['an index of several numbers', { columns: OWN, index: [[1, 2]], data: [ROW] }],
  ['an index of null', { columns: OWN, index: [null], data: [ROW] }],
  ['no index, written as null', { columns: OWN, index: null, data: [ROW] }],
];

const listed = '\\(Age, Monthly_Income____, Körper_Größe, city\\)';
const refused: [title: string, value: unknown, message: RegExp, inputs?: readonly TensorSpec[]][] = [
  [
    'a column too many',
    { columns: [...OWN, 'extra'], data: [[...ROW, 1]] },
    new RegExp(`^input_data: expected a column for each input ${listed}, got the unknown column "extra"$`),
  ],
  ['a column too few', { columns: OWN.slice(1), data: [ROW.slice(1)] }, /got no column "Age"$/],
  ['several too few', { columns: OWN.slice(2), data: [ROW.slice(2)] }, /got no columns "Age", "Monthly_Income____"$/],
  [
    'a typing error',
    { columns: ['age ', ...OWN.slice(1)], data: [ROW] },
    /got no column "Age" and the unknown column "age " \(did you mean "Age"\?\)$/,
  ],
  ['a column twice', { columns: ['Age', 'Age', 'city', 'city'], data: [ROW] }, /got the column "Age" twice$/],
  [
    'two columns that may be the same input',
    { columns: ['Age', 'Monthly Income (€)', 'Monthly Income [$]', 'city'], data: [ROW] },
    /got no columns "Monthly_Income____", "Körper_Größe" and the unknown columns "Monthly Income \(€\)".*, "Monthly Income \[\$\]"/,
  ],
  ['names of Object', { columns: ['constructor', 'toString'], data: [[1, 2]] }, /the unknown columns "constructor", "toString"$/],
  ['records with a column too many', [{ ...recordOf(OWN, ROW), extra: 1 }], /^input_data: .* got the unknown column "extra"$/],
  ['records with a column too few', [recordOf(OWN.slice(1), ROW.slice(1))], /^input_data: .* got no column "Age"$/],
  [
    'a later record without a column',
    [recordOf(OWN, ROW), recordOf(OWN.slice(0, 3), ROW)],
    /^input_data\[1\]: expected the columns of the first record, got no column "city"$/,
  ],
  [
    'a later record with a column too many',
    [recordOf(OWN, ROW), { ...recordOf(OWN, ROW), x: 1 }],
    /^input_data\[1\]: .* the unknown column "x"$/,
  ],
  ['an item that is no record', [recordOf(OWN, ROW), 5], /^input_data\[1\]: expected an object, as the first item is, got 5$/],
  [
    'an index that is too long',
    { columns: OWN, index: [0, 1], data: [ROW] },
    /^input_data\.index: expected an array of 1, one entry a row, got 2$/,
  ],
  ['an index that is too short', { columns: OWN, index: [], data: [ROW] }, /^input_data\.index: expected an array of 1, .* got 0$/],
  ['an index that is no array', { columns: OWN, index: 'x', data: [ROW] }, /^input_data\.index: expected an array of 1, .* got "x"$/],
  [
    'an index of numbers that is too long',
    {
      columns: ['a'],
      index: [
        [1, 2],
        [3, 4],
      ],
      data: [[1]],
    },
    /one entry a row, got 2$/,
    [spec('x', 'N', 1)],
  ],
  [
    'a short row',
    { columns: OWN, data: [ROW, ROW.slice(1)] },
    /^input_data\.data\[1\]: expected an array of 4 values, one a column, got 3$/,
  ],
  ['a row that is a value', { columns: OWN, data: ['x'] }, /^input_data\.data\[0\]: expected an array of 4 values, one a column, got "x"$/],
  ['columns that are a text', { columns: 'Age', data: [ROW] }, /^input_data\.columns: expected an array of names, got "Age"$/],
  ['data that is a text', { columns: OWN, data: 'x' }, /^input_data\.data: expected an array of rows, got "x"$/],
];

describe('a table', () => {
  for (const [title, value] of taken)
    it(`may have ${title}`, () => {
      assert.deepEqual(feed(value), fed);
    });

  for (const [title, value, message, inputs] of refused)
    it(`is refused for ${title}`, () => {
      assert.throws(
        () => feed(value, inputs),
        (error) => {
          assert.ok(error instanceof ServerError && error.code === 'invalid_input');
          assert.match(error.message, message);
          return true;
        },
      );
    });

  it('keeps null and booleans for the check of each column', () => {
    const row = [null, true, false, null];
    assert.deepEqual(feed({ columns: OWN, data: [row] }), {
      Age: [[null]],
      Monthly_Income____: [[true]],
      Körper_Größe: [[false]],
      city: [[null]],
    });
  });

  it('feeds vectors, scalars and matrices', () => {
    const inputs = [spec('a', 'N'), spec('b', 'N', 1), spec('c')];
    assert.deepEqual(feed({ columns: ['a', 'b', 'c'], data: [[1, 2, 3]] }, inputs), { a: [1], b: [[2]], c: 3 });
  });

  it('feeds its rows to the only input, whatever the names', () => {
    const only = [spec('x', 'N', 2)];
    const rows = feed(
      {
        columns: ['a', 'b'],
        data: [
          [1, 2],
          [3, 4],
        ],
      },
      only,
    ) as { x: JsonNumbers };
    assert.ok(rows.x instanceof JsonNumbers);
    assert.deepEqual(
      [rows.x.dims, Array.from(rows.x.data)],
      [
        [2, 2],
        [1, 2, 3, 4],
      ],
    );
    for (const columns of [
      [0, 1],
      [
        ['a', 'x'],
        ['a', 'y'],
      ],
      [
        [0, 1],
        [0, 2],
      ],
    ])
      assert.deepEqual(feed({ columns, data: [[1, 'a']] }, only), { x: [[1, 'a']] });
    assert.deepEqual(
      feed(
        [
          { a: 1, b: null },
          { b: 3, a: 2 },
        ],
        only,
      ),
      {
        x: [
          [1, null],
          [2, 3],
        ],
      },
    );
    assert.deepEqual(feed({ columns: ['value'], data: [[1], [2]] }, [spec('x', 'N')]), { x: [1, 2] });
  });

  it('is no table without names', () => {
    for (const value of [[[1, 2]], ['a'], [], 5, null, { data: [[1]] }, { columns: null, data: [[1]] }])
      assert.equal(readTable('data', withNumbers(value)), undefined);
  });

  it('bounds what an error lists', () => {
    const columns = Array.from({ length: 5000 }, (_, at) => `column ${at}`);
    assert.throws(
      () => feed({ columns, data: [] }),
      (error) => error instanceof ServerError && error.message.endsWith(' and 4980 more') && error.message.length < 2000,
    );
  });
});
