import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { NumpyDtype, SampleType } from '../../../../server/entry-script.ts';
import { numpyType } from '../../../../server/worker/schemas/numpy-type.ts';
import { DeclaredType } from '../../../../server/worker/schemas/sample-type.ts';
import { standardType } from '../../../../server/worker/schemas/standard-type.ts';
import { tableType } from '../../../../server/worker/schemas/table-type.ts';

interface Expected {
  readonly output: { readonly example: unknown };
  readonly versions: readonly string[];
}
const file = readFileSync(new URL('azure-documents.json', import.meta.url), 'utf8');
const { types: expected } = JSON.parse(file) as { types: Record<string, Expected> };

const float = (value: number): SampleType => standardType(value, { type: 'float' });
const one = [{ a: 1, b: 'x' }];
const two = [...one, { a: 2, b: 'y' }];
const wide = [{ i: 1, f: 1.5, ok: true, at: new Date('2020-01-02T00:00:00Z') }];
const dtypes = 'int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64'.split(' ') as NumpyDtype[];
const orients = ['records', 'split', 'index', 'columns', 'values', 'table'] as const;

/** The declarations in Python, in TypeScript. */
const types: Record<string, SampleType> = {
  'an integer': standardType(1),
  'a decimal': standardType(1.5),
  'a whole decimal': float(1),
  'a boolean': standardType(true),
  'a text': standardType('s'),
  bytes: standardType(Buffer.from('ab')),
  'a date and time': standardType(new Date('2020-01-02T03:04:05Z')),
  'a date': standardType('2020-01-02', { type: 'date' }),
  'a time': standardType('01:02:03', { type: 'time' }),
  'a mixed list': standardType([1, 'a']),
  'numbers of two kinds': standardType([1, 1.5]),
  'lists of lists': standardType([[1, 2], [3]]),
  'a list of objects': standardType([{ a: 1 }, { a: 2 }]),
  'a list of different objects': standardType([{ a: 1 }, { b: 'x' }]),
  'an object': standardType({ a: 1, b: [1] }),
  'an empty list': standardType([]),
  'an empty object': standardType({}),
  'an object with null': standardType({ a: null }),
  'a list with null': standardType([1, null]),
  'a mixed list inside': standardType({ a: [[1, 'x']] }),
  'types inside': standardType({ i1: numpyType([1, 2]), i2: standardType(0.5), flag: standardType(true) }),
  'a list of types': standardType([numpyType([1], { dtype: 'float64' })]),
  results: standardType({ Results: [float(1)] }),
  'a table inside': standardType({ df: tableType(one) }),
  'one dimension': numpyType([10, 9]),
  'two dimensions': numpyType(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: 'float64' },
  ),
  ...Object.fromEntries(dtypes.map((dtype) => [`dtype ${dtype}`, numpyType([[1, 2]], { dtype })])),
  'dtype str': numpyType(['a', 'b']),
  'dtype bytes': numpyType(['ab'], { dtype: 'bytes' }),
  'dtype bool': numpyType([true, false]),
  'dtype datetime64': numpyType([new Date(0)]),
  'a structured dtype': numpyType([{ x: 1, y: 2 }], { dtype: { x: 'int32', y: 'float64' } }),
  ...Object.fromEntries(orients.map((orient) => [`orient ${orient}`, tableType(one, { orient })])),
  ...Object.fromEntries(orients.map((orient) => [`two rows, orient ${orient}`, tableType(two, { orient })])),
  ...Object.fromEntries(orients.map((orient) => [`all types, orient ${orient}`, tableType(wide, { orient })])),
  'equal types, orient values': tableType([{ a: 1, b: 2 }], { orient: 'values' }),
};

describe('the schema of a sample is that of inference-schema', () => {
  for (const [name, { output, versions }] of Object.entries(expected))
    it(name, () => {
      const type = types[name];
      assert.ok(type instanceof DeclaredType, 'no declaration of this name');
      const { shown, example, mixed } = type.described;
      assert.deepEqual({ ...shown, example }, output);
      assert.deepEqual(mixed ? ['3', '3.1'] : ['2', '3', '3.1'], versions);
    });

  it('of all declarations of this page', () => assert.deepEqual(Object.keys(types), Object.keys(expected)));
});

function nested(dimensions: number): unknown[] {
  return dimensions === 1 ? [1] : [nested(dimensions - 1)];
}

it('a column may have the name of a member that every object has', () => {
  const type = tableType([{ constructor: 1, toString: 'x' }]);
  assert.ok(type instanceof DeclaredType);
  const { shown } = type.described;
  assert.deepEqual((shown as unknown as { items: { properties: object } }).items.properties, {
    constructor: { type: 'integer', format: 'int64' },
    toString: { type: 'string' },
  });
});

describe('a sample that is none', () => {
  const wrong: readonly (readonly [what: string, make: () => unknown, reason: RegExp])[] = [
    ['nothing', () => standardType(undefined), /expected a sample, got undefined/],
    ['a class', () => standardType({ a: new Map() }), /expected a value of JSON at "\/a" of the sample, got an object/],
    ['NaN', () => standardType([Number.NaN]), /at "\/0" of the sample, got a number/],
    ['an invalid date', () => standardType(new Date(Number.NaN)), /expected a valid Date/],
    ['a date of another form', () => standardType('1.2.2020', { type: 'date' }), /expected a text like 2020-01-31, got a string/],
    ['a text as float', () => standardType('1', { type: 'float' }), /expected a finite number, got a string/],
    ['ragged arrays', () => numpyType([[1], [2, 3]]), /expected an array of 1 at "\/1"/],
    ['no array', () => numpyType(1 as never), /expected nested arrays as the sample, got a number/],
    ['a dtype of another name', () => numpyType([1], { dtype: 'double' as never }), /expected a dtype of int8, .*got double/],
    ['a value beyond the dtype', () => numpyType([300], { dtype: 'uint8' }), /values of type "integer" that fit the dtype/],
    ['no rows', () => tableType([]), /expected an array of rows/],
    ['a cell of another type', () => tableType([{ a: 1.5 }], { types: { a: 'int' } }), /value of type int in row 0 of column a/],
    ['a type of no name', () => tableType(one, { types: { a: 'double' as never } }), /a type of int, .* for column a, got double/],
    ['a type of an object’s own', () => tableType(one, { types: { a: 'toString' as never } }), /for column a, got toString/],
    ['a type of no column', () => tableType(one, { types: { c: 'int' } }), /types of the sample's columns, got one of c/],
    ['a row that is none', () => tableType([{ a: 1 }, null as never]), /expected a row as those before it at row 1, got null/],
    ['a row with more columns', () => tableType([{ a: 1 }, { a: 1, b: 2 }]), /columns of the first row in all rows, got b/],
    ['more dimensions than NumPy has', () => numpyType(nested(65)), /expected at most 64 dimensions, got 65/],
    ['an unknown orient', () => tableType(one, { orient: 'rows' as never }), /expected an orient of records, .*got rows/],
  ];
  for (const [what, make, reason] of wrong)
    it(`is refused: ${what}`, () => assert.throws(make, (thrown: unknown) => thrown instanceof TypeError && reason.test(thrown.message)));
});
