import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { JsonNumbers, withNumbers } from '../../../server/tensors/json-numbers.ts';
import { parseNumbers } from '../../../server/tensors/parse-numbers.ts';
import { assertLinear } from '../linear-time.ts';

/** The value that JSON.parse gives. */
function plain(value: unknown): unknown {
  if (value instanceof JsonNumbers) {
    const nest = (axis: number, from: number, size: number): unknown => {
      const count = value.dims[axis]!;
      const step = size / count;
      return Array.from({ length: count }, (_, index) =>
        axis === value.dims.length - 1 ? value.data[from + index] : nest(axis + 1, from + index * step, step),
      );
    };
    return nest(0, 0, value.data.length);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  return value;
}

const parse = (text: string): unknown => parseNumbers(Buffer.from(text));

/** JSON texts of numbers in every notation, not only those that JSON.stringify writes. */
const digits = (most: number): fc.Arbitrary<string> => fc.array(fc.nat(9), { minLength: 1, maxLength: most }).map((each) => each.join(''));
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits(18).map((text) => text.replace(/^0+(?=.)/, '')),
    ),
    fc.option(digits(20), { nil: undefined }),
    fc.option(fc.integer({ min: -330, max: 310 }), { nil: undefined }),
    fc.constantFrom('e', 'E', 'e+'),
  )
  .map(
    ([sign, whole, fraction, exponent, letter]) =>
      `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${exponent === undefined ? '' : `${exponent < 0 ? letter[0] : letter}${exponent}`}`,
  );

test('every number equals that of JSON.parse, to the last bit', () => {
  fc.assert(
    fc.property(fc.array(numberText, { minLength: 1, maxLength: 20 }), (texts) => {
      const text = `[${texts.join(' , ')}]`;
      const value = parse(text);
      if (value === undefined) return;
      const expected = JSON.parse(text) as number[];
      assert.ok(value instanceof JsonNumbers);
      assert.ok(
        expected.every((number, index) => Object.is(number, value.data[index])),
        text,
      );
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (numbers) => {
      const value = parse(JSON.stringify(numbers));
      if (value !== undefined) assert.deepEqual(plain(value), JSON.parse(JSON.stringify(numbers)));
    }),
    { numRuns: 500 },
  );
});

test('parsed values equal those of JSON.parse, and other texts are left to the general parser', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value = parse(text);
      if (value !== undefined) assert.deepEqual(plain(value), JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test('bytes that are no JSON are never parsed as JSON', () => {
  const alphabet = fc.constantFrom(...'[]{},:"0123456789-+.eE \n\ttrue'.split(''));
  fc.assert(
    fc.property(
      fc.array(alphabet, { maxLength: 12 }).map((each) => each.join('')),
      (text) => {
        const value = parse(text);
        if (value !== undefined) assert.deepEqual(plain(value), JSON.parse(text));
      },
    ),
    { numRuns: 5000 },
  );
});

test('the usual bodies take this path', () => {
  const cases: [text: string, dims: number[]][] = [
    ['{"x": [1, 2.5, -3e2]}', [3]],
    ['{"x":[[1,2],[3,4],[5,6]]}', [3, 2]],
    [' { "x" : [ [ [ 1 ] , [ 2 ] ] ] } ', [1, 2, 1]],
    ['{"x":[0.12345678901234567,1e-7,123456789012345]}', [3]],
    [`{"x":${JSON.stringify(Array.from({ length: 100 }, (_, index) => Math.sin(index + 1)))}}`, [100]],
  ];
  for (const [text, dims] of cases) {
    const { x } = parse(text) as { x: JsonNumbers };
    assert.deepEqual(x.dims, dims, text);
    assert.deepEqual(plain(x), (JSON.parse(text) as { x: unknown }).x);
  }
  assert.deepEqual(plain(parse('{"inputs":[{"name":"X","shape":[1,2],"datatype":"FP32","data":[1,2]}],"id":"a"}')), {
    inputs: [{ name: 'X', shape: [1, 2], datatype: 'FP32', data: [1, 2] }],
    id: 'a',
  });
});

test('the unusual is left to the general parser', () => {
  const texts = [
    JSON.stringify(Array.from({ length: 100 }, (_, index) => Math.sin(index) * 1e-7)),
    '{}',
    '[true]',
    '{"a":null}',
    '[]',
    '[[1],[2,3]]',
    '[[1],2]',
    '[1,"a"]',
    '{"\\u0041":1}',
    '{"ü":[1]}',
    '[12345678901234567890]',
    '[1e999]',
    '{"__proto__":[1]}',
    '[01]',
    '[1.]',
    '[.5]',
    '[1e]',
    '[1,]',
    '[1',
    '',
    `${'['.repeat(80)}1${']'.repeat(80)}`,
  ];
  for (const text of texts) assert.equal(parse(text), undefined, text);
});

test('a large body becomes one array of numbers with its shape', () => {
  const numbers = Array.from({ length: 150_528 }, (_, index) => Math.round(Math.sin(index) * 1e6) / 1e6);
  const value = parse(JSON.stringify({ x: [numbers] })) as { x: JsonNumbers };
  assert.deepEqual(value.x.dims, [1, 150_528]);
  assert.deepEqual(Array.from(value.x.data), numbers);
});

test('the general parser leads to the same form: whole arrays of numbers, never a part of one', () => {
  const cases = ['{"x":[[1,2],[3,4]],"t":"ü"}', '{"a":{"b":[1.5]},"e":[],"r":[[1],[2,3]],"m":[[1,"a"]],"o":[{"d":[1,2]}]}', '[[[1]]]'];
  for (const text of cases) {
    const value = withNumbers(JSON.parse(text));
    assert.deepEqual(plain(value), JSON.parse(text));
    const direct = parse(text);
    if (direct !== undefined) assert.deepEqual(JSON.stringify(direct, kinds), JSON.stringify(value, kinds));
  }
  const { r, m } = withNumbers(JSON.parse('{"r":[[1],[2,3]],"m":[[1,"a"]]}')) as Record<string, unknown>;
  assert.deepEqual([r, m], [[[1], [2, 3]], [[1, 'a']]]);
});

const kinds = (_key: string, value: unknown): unknown =>
  value instanceof JsonNumbers ? { dims: value.dims, data: Array.from(value.data) } : value;

test('JSON of any kind equals that of JSON.parse, or is left to the general parser', () => {
  const bytes = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.tuple(fc.json(), fc.uint8Array({ maxLength: 3 }), fc.nat(60)).map(([text, more, at]) => {
      const whole = Buffer.from(text);
      return Buffer.concat([whole.subarray(0, at), more, whole.subarray(at)]);
    }),
    fc
      .array(fc.constantFrom('[', ']', '{', '}', '1', '-', '.', '0', 'e', ',', ':', '"a"', ' ', '\n'), { maxLength: 12 })
      .map((each) => Buffer.from(each.join(''))),
  );
  fc.assert(
    fc.property(bytes, (body) => {
      const value = parseNumbers(body);
      if (value !== undefined) assert.deepEqual(plain(value), JSON.parse(body.toString()));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.deepEqual(plain(withNumbers(JSON.parse(JSON.stringify(value)))), JSON.parse(JSON.stringify(value))),
    ),
  );
});

test('the time to read numbers is linear in their text', () => {
  const texts: [name: string, make: (size: number) => string][] = [
    ['digits', (size) => `[${'9'.repeat(size)}]`],
    ['digits of fractions', (size) => `[0.${'9'.repeat(size)},1]`],
    ['zeros', (size) => `[${'0'.repeat(size)}]`],
    ['exponents', (size) => `[1e${'0'.repeat(size)}1]`],
    ['numbers that are slow', (size) => `[${'1.2345678901234567890123,'.repeat(size / 24)}1]`],
    ['exponents among others', (size) => `[${`${'1,'.repeat(20)}1e5,`.repeat(size / 44)}1]`],
    ['short rows', (size) => `[${'[1],'.repeat(size / 4)}[1]]`],
    ['rows of one number, nested', (size) => `[${'[[[[[[1]]]]]],'.repeat(size / 14)}[[[[[[1]]]]]]]`],
    ['keys', (size) => `{${'"a":[1],'.repeat(size / 8)}"b":1}`],
    ['spaces', (size) => `[1${' '.repeat(size)},${' '.repeat(size)}2]`],
    ['texts', (size) => `["${'a'.repeat(size)}"]`],
    ['nesting', (size) => '['.repeat(size)],
  ];
  for (const [name, make] of texts) {
    assertLinear(name, 64 * 1024, (size) => Buffer.from(make(size)), parseNumbers);
    assertLinear(`${name}, again`, 64 * 1024, make, (text) => withNumbers(JSON.parse(text)));
  }
});

test('a number beyond the range of doubles stays in an array, so that an error names its place', () => {
  for (const text of ['[1,1e999]', '[[1],[-1e400]]', '[1e308,1e309,2]'])
    assert.deepEqual(withNumbers(JSON.parse(text)), JSON.parse(text), text);
});
