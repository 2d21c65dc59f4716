import { contract, type Case, type Difference } from './contract.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** An input that the client has to change: 500 in the peer, with the reason in the log alone. */
function refused(reason: string): Difference {
  const message = 'An unexpected error occurred in scoring script. Check the logs for more info.';
  return {
    because: "a client's fault is answered with 400 and its reason",
    peer: { status: 500, 'x-ms-run-function-failed': 'True', body: { json: { message } } },
    ours: { status: 400, 'x-ms-run-function-failed': 'False', body: { json: { message: reason } } },
  };
}

function post(name: string, value: unknown, more: Partial<Case> = {}): Case {
  return { name, headers: JSON_TYPE, body: JSON.stringify(value), ...more };
}

function documents(): Case[] {
  return ['', '?version=2', '?version=2.0', '?version=3', '?version=3.0', '?version=3.1', '?version=9', '?version='].map((query) => ({
    name: `describes itself in /swagger.json${query}`,
    path: `/swagger.json${query}`,
  }));
}

const data = [
  [1, 2],
  [3, 4],
];

contract('schema mode', { script: 'required.py', besidePeersPackages: true }, [
  post('converts what is declared', { data, num: 3 }),
  post('passes what is not declared', { data, num: 3, extra: { a: [null] } }),
  post('ignores names that run() lacks', { data, num: 3, other: 1 }),
  post('takes the last of equal names', { data, num: 3 }, { body: '{"data":[[1,2]],"num":1,"num":2}' }),
  post('takes application/json with a charset', { data, num: 3 }, { headers: { 'content-type': 'application/json; charset=utf-8' } }),
  post('takes types with the suffix +json', { data, num: 3 }, { headers: { 'content-type': 'application/vnd.api+json' } }),
  ...['text/plain', 'application/x-www-form-urlencoded', 'application/jsonl', 'text/json', 'nonsense'].map((type) =>
    post(`refuses the type ${type}`, { data, num: 3 }, { headers: { 'content-type': type }, both: { status: 415 } }),
  ),
  post('refuses a body without a type', { data, num: 3 }, { headers: {}, both: { status: 415 } }),
  post('refuses an empty body', '', { body: '', both: { status: 400 } }),
  post('refuses an empty POST without a type', '', { body: '', headers: {}, both: { status: 415 } }),
  ...[
    '{bad',
    '{"data":',
    '[1,]',
    "{'data':1}",
    '{"a":1} x',
    'nope',
    '{"a" 1}',
    '{"a":"\u0001"}',
    '\n\n {"a":tru}',
    '"\\x"',
    '{"a":1,}',
  ].map((body) => post(`tells where ${JSON.stringify(body)} is broken`, '', { body, both: { status: 400 } })),
  ...['[1]', '1', '"text"', 'null', 'true'].map((body) =>
    post(`refuses ${body}, which is no dictionary`, '', { body, both: { status: 400 } }),
  ),
  post('names a parameter that is missing', { num: 1 }, { both: { status: 400 } }),
  post('names the first parameter of run() that is missing', {}, { both: { status: 400 } }),
  post('takes NaN as Python does', '', { body: '{"data": [[1, 2]], "num": 1, "other": [NaN, -Infinity]}' }),
  { name: 'takes parameters of a query', path: '/score?data=[[1,2]]&num=4&extra=x' },
  { name: 'names a parameter that the query lacks', path: '/score?num=4', both: { status: 400 } },
  { name: 'names a parameter that a GET without a query lacks', path: '/score', both: { status: 400 } },
  post(
    'refuses an array of another width',
    { data: [[1, 2, 3]], num: 1 },
    {
      differs: refused('Invalid input array: array has size 3 on dimension #1, while expected value is 2'),
    },
  ),
  post(
    'refuses an array of fewer dimensions',
    { data: [1, 2], num: 1 },
    {
      differs: refused('Invalid input array: an array with 2 dimensions is expected; input has 1 [shape (2,)]'),
    },
  ),
  post('refuses what is no array', { data: 1, num: 1 }, { differs: refused('Invalid input format: expected an array of items.') }),
  post('refuses text in an array of numbers', { data: [['x', 1]], num: 1 }, { differs: refused("could not convert string to float: 'x'") }),
  post(
    'refuses a value of another type',
    { data, num: 'x' },
    {
      differs: refused("Invalid input data type to parse. Expected: <class 'int'> but got <class 'str'>"),
    },
  ),
  post(
    'refuses a fraction for a whole number',
    { data, num: 1.0 },
    {
      body: '{"data": [[1, 2]], "num": 1.0}',
      differs: refused("Invalid input data type to parse. Expected: <class 'int'> but got <class 'float'>"),
    },
  ),
  {
    name: 'refuses HEAD',
    method: 'HEAD',
    both: { status: 405 },
    differs: { because: 'a 405 names the methods that are allowed', peer: {}, ours: { allow: 'GET, OPTIONS, POST' } },
  },
  { name: 'answers OPTIONS', method: 'OPTIONS', both: { status: 200 } },
  ...documents(),
]);

contract('schema mode, arrays', { script: 'arrays.py', besidePeersPackages: true }, [
  post('takes none', {}),
  post('takes any number of rows', {
    doubles: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  }),
  post('takes numbers that are written as text', { doubles: [['1', '2.5']] }),
  post(
    'takes null as NaN',
    { any_shape: [[null, 1]] },
    {
      differs: {
        because: 'NaN is no JSON: the answer says "NaN"',
        peer: { body: { notJson: '{"any_shape": {"dtype": "float64", "shape": [1, 2], "value": [[NaN, 1.0]]}}' } },
        ours: { body: { json: { any_shape: { dtype: 'float64', shape: [1, 2], value: [['NaN', 1]] } } } },
      },
    },
  ),
  post('takes float32', { floats: [0.1] }),
  post('takes whole numbers', { ints: [1, -2, 9007199254740991] }),
  post('takes whole numbers of 64 bits', '', { body: '{"ints": [9223372036854775807]}' }),
  post('takes flags', { flags: [true, false, 1, 0] }),
  post('takes texts', { texts: ['a', 'longer', 'é'] }),
  post('takes rows as dictionaries', { rows: [{ x: 1, y: 2.5 }] }),
  post('takes rows as lists', { rows: [[1, 2.5]] }),
  post('takes any shape where asked to', { any_shape: [[[1], [2]]] }),
  post('takes any type where asked to', { any_type: [1.5, 2.5] }),
  post('keeps an optional value that is false', { doubles: [], ints: 0 }),
  post('takes small whole numbers', { bytes8: [0, 255] }),
  post('refuses a number beyond uint8', { bytes8: [256] }, { differs: refused('Python integer 256 out of bounds for uint8') }),
  post('refuses a text for a whole number', { ints: ['q'] }, { differs: refused("invalid literal for int() with base 10: 'q'") }),
  post('cuts off fractions, as the peer', { ints: [1.7] }),
  ...documents(),
]);

contract('schema mode, frames', { script: 'frames.py', besidePeersPackages: true }, [
  post('takes records', {
    records: [
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
    ],
  }),
  post('takes split', { split: { columns: ['a', 'b'], index: [5], data: [[1, 'x']] } }),
  post('takes index', { index: { 0: { a: 1, b: 'x' } } }),
  post('takes columns', { columns: { a: { 0: 1 }, b: { 0: 'x' } } }),
  post('takes values', {
    values: [
      [1, 2],
      [3, 4],
    ],
  }),
  post('takes a table', {
    table: {
      schema: {
        fields: [
          { name: 'index', type: 'integer' },
          { name: 'a', type: 'integer' },
          { name: 'b', type: 'string' },
        ],
        primaryKey: ['index'],
        pandas_version: '1.4.0',
      },
      data: [{ index: 0, a: 1, b: 'x' }],
    },
  }),
  post('casts columns', { typed: [{ i: '7', f: '1.5', s: 'x', b: true, d: '2020-01-03T00:00:00.000' }] }),
  post('gives columns their names', { named: [{ x: 1, y: 'x' }] }),
  post('takes columns for records', { records: { a: { 0: 1 }, b: { 0: 'x' } } }),
  post('takes any number of columns where asked to', { any_shape: [{ a: 1, b: 'x', c: 2 }] }),
  post('takes any type where asked to', { any_type: [{ a: 'q', b: 1 }] }),
  post(
    'refuses another number of columns',
    { records: [{ a: 1, b: 'x', c: 2 }] },
    {
      differs: refused('Invalid input data frame: data frame has size 3 on dimension #1, while expected value is 2'),
    },
  ),
  post(
    'refuses a cell that does not fit',
    { records: [{ a: 'q', b: 'x' }] },
    {
      differs: refused("invalid literal for int() with base 10: 'q': Error while type casting for column 'a'"),
    },
  ),
  post(
    'refuses a scalar',
    { records: 7 },
    { differs: refused("Error, unable to convert input of type <class 'int'> into Pandas Dataframe") },
  ),
  ...documents(),
]);

contract('schema mode, values', { script: 'standard.py', besidePeersPackages: true }, [
  post('takes a whole number', { whole: 7 }),
  post('takes true for a whole number', { whole: true }),
  post('takes a whole number for a fraction', { real: 7 }),
  post('takes text', { text: 'é' }),
  post('takes bytes in base64', { blob: 'YWI=' }),
  post('takes a time stamp', { when: '2021-02-03 04:05:06.000000 +0000' }),
  post('takes a time stamp in another form', { when: '3 Feb 2021 4pm' }),
  post('takes a time of day', { clock: '01:02:03' }),
  post('takes lists', { many: [[1], []], things: [{ a: 1 }, { b: 2 }], thing: {} }),
  post('does not look into plain dictionaries', { thing: { a: 'x', c: 1 } }),
  post('does not convert where not asked to', { kept: 'anything' }),
  post(
    'refuses a whole number for a flag',
    { flag: 1 },
    {
      differs: refused("Invalid input data type to parse. Expected: <class 'bool'> but got <class 'int'>"),
    },
  ),
  post(
    'refuses a number for text',
    { text: 1 },
    {
      differs: refused("Invalid input data type to parse. Expected: <class 'str'> but got <class 'int'>"),
    },
  ),
  post(
    'refuses a dictionary for a list',
    { many: { a: 1 } },
    {
      differs: refused("Invalid input data type to parse. Expected: <class 'list'> but got <class 'dict'>"),
    },
  ),
  ...documents(),
]);

contract('schema mode, types within types', { script: 'nested.py', besidePeersPackages: true }, [
  post('converts the members', { Inputs: { frame: [{ a: 1, b: 'x' }], array: [1, 2], plain: 1 }, GlobalParameters: 2 }),
  post('converts the members that are there', { Inputs: { array: [1] } }),
  post('converts each item of a list', { Inputs: {}, List: [[1], [2]] }),
  post(
    'takes GlobalParameters of another type than the sample as a fault',
    { Inputs: {}, GlobalParameters: 'x' },
    {
      differs: refused("Invalid input data type to parse. Expected: <class 'float'> but got <class 'str'>"),
    },
  ),
  post('names Inputs where it is missing', { GlobalParameters: 1 }, { both: { status: 400 } }),
  ...documents(),
]);

contract(
  'schema mode, mixed types',
  {
    script: 'mixed.py',
    env: { SERVICE_NAME: 'prices', SERVICE_VERSION: '7', SERVICE_PATH_PREFIX: '/api/v1/service/prices/' },
  },
  [post('passes headers beside the values', { mixed: [1, 'x'] }, { headers: { ...JSON_TYPE, 'x-mine': 'yes' } }), ...documents()],
);
