import assert from 'node:assert/strict';
import test from 'node:test';
import { toRows, type Collectable } from '../../../../server/worker/collect/collect-rows.ts';
import { Columns, type ColumnTypes } from '../../../../server/worker/collect/columns.ts';

const cases: readonly (readonly [what: string, data: Collectable, rows: unknown, names?: readonly string[]])[] = [
  [
    'rows',
    [
      { a: 1, b: 'x' },
      { a: null, b: 'y' },
    ],
    [
      { a: 1, b: 'x' },
      { a: null, b: 'y' },
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
    [{ a: 5, b: 2n ** 60n, c: null, d: null, e: null }],
  ],
  [
    'nested values, which become columns',
    [{ a: [1, 2], b: { c: 3, d: [4] }, t: new Date(0) }],
    [{ a_0: 1, a_1: 2, b_c: 3, b_d_0: 4, t: '1970-01-01T00:00:00.000Z' }],
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

for (const [what, data, rows, names] of cases)
  test(`collects ${what}`, () => assert.deepEqual(toRows(data, { featureNames: names }), rows));

test('names the expected form for data that has no rows', () => {
  const wrong = (data: unknown, message: RegExp): void => assert.throws(() => toRows(data), { name: 'TypeError', message });
  wrong({ a: [1, 2], b: [1] }, /columns of the same length, got a: 2, b: 1/);
  wrong(5, /expected rows, columns or tensors as data, got number/);
  wrong(null, /got null/);
  wrong({}, /got an object without any/);
  wrong([() => 1], /as row 0, got function/);
});

const textOf = (...calls: readonly Collectable[]): string[] => textWith({}, new Columns(), ...calls);
const textWith = (types: ColumnTypes, columns: Columns, ...calls: readonly Collectable[]): string[] =>
  calls.map((data) => columns.text(toRows(data, { types }, columns)));

test('names have no character that readers of the files refuse, wherever they come from', () => {
  const tensor = { type: 'float32', dims: [1, 1], data: Float32Array.of(1) } as const;
  const odd = 'a.b c,d;e{f}g(h)i\nj\tk=l';
  const name = 'a_b_c_d_e_f_g_h_i_j_k_l';
  const nested = `person_${name}`;
  assert.deepEqual(toRows([{ person: { [odd]: 1 } }]), [{ [nested]: 1 }]);
  assert.deepEqual(toRows({ [odd]: tensor }), [{ [name]: 1 }]);
  assert.deepEqual(toRows([[1]], { featureNames: [odd] }), [{ [name]: 1 }]);
  assert.deepEqual(toRows([{ [odd]: [1] }]), [{ [`${name}_0`]: 1 }]);
  assert.deepEqual(toRows([{ 'größe-[cm]/$': 1 }]), [{ 'größe-[cm]/$': 1 }], 'others stay');
});

test('names that meet are columns of their own, whatever the order of the members, and for the life of a collector', () => {
  const columns = new Columns();
  const rows = (data: Collectable): unknown => toRows(data, {}, columns);
  assert.deepEqual(rows([{ 'a.b': 1, a_b: 2, a: { b: 3 }, 'a b': 4 }]), [{ a_b_4: 1, a_b: 2, a_b_2: 3, a_b_3: 4 }]);
  assert.deepEqual(rows([{ a_b: 2, 'a.b': 1 }]), [{ a_b: 2, a_b_4: 1 }]);
  assert.deepEqual(rows([{ 'a.b': 1 }, { 'a b': 4 }]), [{ a_b_4: 1 }, { a_b_3: 4 }]);
  assert.deepEqual(rows([{ x: [1], x_0: 2 }]), [{ x_0_2: 1, x_0: 2 }]);
  assert.deepEqual(rows([{ Age: 1, age: 2 }]), [{ Age: 1, age_2: 2 }], 'Spark reads them as one name');
  assert.deepEqual(toRows([[1, 2]], { featureNames: ['a', 'a'] }), [{ a: 1, a_2: 2 }]);
});

test('many names that meet take linear time', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => n.toString(2).padStart(15, '0').replaceAll('0', '.').replaceAll('1', ','));
  const from = performance.now();
  const [row = {}] = toRows([Object.fromEntries(names.map((name, n) => [name, n]))]);
  assert.equal(new Set(Object.keys(row)).size, 20_000);
  assert.ok(performance.now() - from < 5000);
});

test('floats of tensors and arrays have a fraction, whole numbers have none', () => {
  assert.deepEqual(textOf(Float64Array.of(1, -0, 1e21, 1e-7, Number.NaN)), [
    '[{"value":1.0},{"value":-0.0},{"value":1e+21},{"value":1e-7},{"value":null}]',
  ]);
  assert.deepEqual(textOf({ x: Float64Array.of(1), y: Int32Array.of(1), z: BigInt64Array.of(2n ** 60n) }), [
    '[{"x":1.0,"y":1,"z":1152921504606846976}]',
  ]);
  assert.deepEqual(textOf([[Float64Array.of(3)]]), ['[{"column_0_0":3.0}]']);
  const half = { type: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0x4000) } as const;
  const whole = { type: 'int64', dims: [2], data: BigInt64Array.of(1n, -(2n ** 63n)) } as const;
  const flags = { type: 'bool', dims: [2], data: Uint8Array.of(0, 1) } as const;
  const words = { type: 'string', dims: [2], data: ['1', 'ü"'] } as const;
  assert.deepEqual(textOf({ half, whole, flags, words }), [
    '[{"half":1.0,"whole":1,"flags":false,"words":"1"},{"half":2.0,"whole":-9223372036854775808,"flags":true,"words":"ü\\""}]',
  ]);
});

test('a script may give types; the name of a nested value or a list stands for all of its columns', () => {
  const types = { a: 'float', b: 'int', c: 'string', d: 'boolean', list: 'float', person: 'float' } as const;
  const row = { a: 41, b: 2.0, c: 7, d: 1, list: [1, 2], person: { age: 3 } };
  assert.deepEqual(textWith(types, new Columns(), [row]), [
    '[{"a":41.0,"b":2,"c":"7","d":true,"list_0":1.0,"list_1":2.0,"person_age":3.0}]',
  ]);
});

test('plain numbers have the type of their first values: whole until a fraction comes, and then a float for ever', () => {
  const warnings: string[] = [];
  const columns = new Columns({ warn: (text) => warnings.push(text) });
  assert.deepEqual(textWith({}, columns, [{ a: 1, b: 1.5, c: null }], [{ a: 2, b: 2, c: 3 }], [{ a: 2.5, b: 2 }], [{ a: 3 }, { c: 4 }]), [
    '[{"a":1,"b":1.5,"c":null}]',
    '[{"a":2,"b":2.0,"c":3}]',
    '[{"a":2.5,"b":2.0}]',
    '[{"a":3.0},{"c":4}]',
  ]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /the column a had whole numbers so far, .* types: \{ "a": 'float' \}/);
  assert.deepEqual(textOf([{ a: 1 }, { a: 2.5 }], [{ a: 1 }]), ['[{"a":1.0},{"a":2.5}]', '[{"a":1.0}]'], 'one call has one type');
  assert.deepEqual(textOf([{ a: 1 }, { a: Number.NaN }]), ['[{"a":1.0},{"a":null}]']);
  assert.deepEqual(
    textOf([{ a: 2 ** 60 }, { a: 1 }]),
    ['[{"a":1152921504606847000.0},{"a":1.0}]'],
    'a double beyond 2^53 is no whole number',
  );
});

test('a text among the first values makes them texts, wherever it stands', () => {
  const columns = new Columns();
  const first = [
    { a: 1.5, b: 'x', c: Number.NaN, d: 2n, e: true, f: 1 },
    { a: 'x', b: 1.5, c: 'x', d: 'x', e: 'x', f: 'x' },
  ];
  const later = [{ a: 2.5, b: 1, c: 1, d: 3n, e: false, f: 2 }];
  assert.deepEqual(textWith({}, columns, first, later), [
    '[{"a":"1.5","b":"x","c":null,"d":"2","e":"true","f":"1"},{"a":"x","b":"1.5","c":"x","d":"x","e":"x","f":"x"}]',
    '[{"a":"2.5","b":"1","c":"1","d":"3","e":"false","f":"2"}]',
  ]);
  assert.deepEqual(textOf([{ a: 1.5 }], [{ a: 'x' }, { a: 1 }]), ['[{"a":1.5}]', '[{"a":null},{"a":1.0}]'], 'not in a later call');
  assert.deepEqual(textOf({ a: Float32Array.of(1) }, { a: ['x'] }), ['[{"a":1.0}]', '[{"a":null}]']);
  const types = { a: 'float' } as const;
  assert.deepEqual(textWith(types, new Columns(), [{ a: 1 }, { a: 'x' }]), ['[{"a":1.0},{"a":null}]'], 'nor against a type that is given');
});

test("plain numbers that have the name of a model's float tensor are floats; texts stay texts", () => {
  const columns = new Columns({ isFloat: (name) => name === 'x' || name === 'label' });
  assert.deepEqual(textWith({}, columns, [{ x: 1, y: 1, label: 'setosa' }], [{ x: [1] }]), [
    '[{"x":1.0,"y":1,"label":"setosa"}]',
    '[{"x_0":1.0}]',
  ]);
});

test('a value that has no form of the type of its column is null, and is logged once', () => {
  const warnings: string[] = [];
  const columns = new Columns({ warn: (text) => warnings.push(text) });
  const first = { int: Int8Array.of(1), float: Float32Array.of(1), text: ['x'], flag: [true] };
  const later = [
    { int: 1.5, float: 'high', text: 2, flag: 'yes' },
    { int: 'x', float: true, text: null, flag: 0 },
  ];
  assert.deepEqual(textWith({}, columns, first, later), [
    '[{"int":1,"float":1.0,"text":"x","flag":true}]',
    '[{"int":null,"float":null,"text":"2","flag":null},{"int":null,"float":1.0,"text":null,"flag":false}]',
  ]);
  assert.deepEqual(warnings, ['the column int is of type int: a value of type number is null there (logged once)']);
  assert.deepEqual(textOf([{ a: 1 }, { a: 'x' }, { a: true }]), ['[{"a":"1"},{"a":"x"},{"a":"true"}]'], 'mixed from the first call on');
});

test('the text is JSON whatever the names and texts are, and has no hook of a script', () => {
  const rows: Collectable = JSON.parse('[{"__proto__":1,"constructor":"\\u0000\\ud800\\"","n":null}]');
  assert.deepEqual(JSON.parse(textOf(rows)[0] ?? ''), JSON.parse('[{"__proto__":1,"constructor":"\\u0000\\ud800\\"","n":null}]'));
  assert.deepEqual(textOf([]), ['[]']);
});

test('the number of columns has a limit, beyond which data does not fit', () => {
  const columns = new Columns();
  toRows([Array.from({ length: 200_000 }, () => 1)], {}, columns);
  assert.throws(() => toRows([{ further: 1 }], {}, columns), { name: 'RangeError', message: /at most 200000 columns/ });
  assert.equal(toRows([[1]], {}, columns).length, 1);
});
