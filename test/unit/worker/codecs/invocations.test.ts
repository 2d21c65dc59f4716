import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Answer, type InputType, type Tensor, type TensorSpec } from '../../../../server/entry-script.ts';
import { ServerError } from '../../../../server/errors.ts';
import { JsonNumbers } from '../../../../server/tensors/json-numbers.ts';
import { readNpy, writeNpy } from '../../../../server/tensors/npy.ts';
import { preferred } from '../../../../server/worker/codecs/accept.ts';
import type { BodyChoices, Serving } from '../../../../server/worker/codecs/codec.ts';
import { InvocationsCodec } from '../../../../server/worker/codecs/invocations.ts';
import type { WorkerRequest } from '../../../../server/worker/request-context.ts';
import { request } from '../some-tensor.ts';

const LINES = 'application/jsonlines';
const NPY = 'application/x-npy';
const CSV = 'text/csv';
const SERVING: Serving = { modelName: 'm', nonFinite: 'string', inputs: undefined };

const codecOf = (inputType?: InputType, serving: Partial<Serving> = {}, choices: Partial<BodyChoices> = {}): InvocationsCodec =>
  new InvocationsCodec({ inputType, rawHttp: false, exactIntegers: false, bytesInputs: false, ...choices }, { ...SERVING, ...serving });
const asked = (contentType: string | undefined, accept?: string): WorkerRequest =>
  request({ protocol: 'invocations', url: '/invocations', contentType }, accept === undefined ? [] : ['Accept', accept]);
const decode = (codec: InvocationsCodec, contentType: string, body: string | Uint8Array): unknown =>
  codec.decode(asked(contentType), typeof body === 'string' ? Buffer.from(body) : Buffer.from(body));

/** Numbers as nested arrays. */
function plain(value: unknown): unknown {
  if (!(value instanceof JsonNumbers)) return value;
  const [count = 0, ...rest] = value.dims;
  if (rest.length === 0) return Array.from(value.data);
  const width = value.data.length / count;
  return Array.from({ length: count }, (_, row) => Array.from(value.data.subarray(row * width, (row + 1) * width)));
}

const spec = (name: string, type: TensorSpec['type'], ...dims: (number | string)[]): TensorSpec => ({ name, type, dims });
const npy = (tensor: Tensor): Buffer => Buffer.concat(writeNpy(tensor));
const ARRAY: Tensor = { type: 'float64', dims: [2, 2], data: Float64Array.of(1, 2, 3, 4) };

const refuses = (call: () => unknown, code: string, message: RegExp): void =>
  assert.throws(call, (thrown) => thrown instanceof ServerError && thrown.code === code && message.test(thrown.message));

describe('a body of /invocations', () => {
  const scripts: readonly [inputType: InputType | undefined, contentType: string, body: string | Buffer, data: unknown][] = [
    [undefined, 'application/json', '{"a":[1]}', { a: [1] }],
    [undefined, 'text/csv', '1,2\n', '1,2\n'],
    [undefined, LINES, '{"a":1}\n\n[2]\r\n3\n', [{ a: 1 }, [2], 3]],
    [undefined, 'application/x-ndjson', '1', [1]],
    [undefined, `${LINES}; charset=utf-8`, '1', [1]],
    [undefined, NPY, npy(ARRAY), npy(ARRAY)],
    ['json', LINES, '[1]\n[2]', [[1], [2]]],
    ['text', LINES, '[1]\n', '[1]\n'],
    ['text', CSV, '1,2', '1,2'],
    ['bytes', CSV, '1,2', Buffer.from('1,2')],
    ['bytes', NPY, npy(ARRAY), npy(ARRAY)],
    ['tensors', 'application/json', '{"a":1}', { a: 1 }],
    [
      'tensors',
      CSV,
      '1,2\n3,4\n',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['tensors', CSV, 'a,2\n', [['a', 2]]],
    [
      'tensors',
      LINES,
      '[1,2]\n[3,4]\n',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['tensors', LINES, '1\n2\n', [1, 2]],
    ['tensors', LINES, '[1]\n[2,3]\n', [[1], [2, 3]]],
    ['tensors', LINES, '{"x":[1,2]}\n{"x":[3,4]}', [{ x: [1, 2] }, { x: [3, 4] }]],
    ['tensors', NPY, npy(ARRAY), ARRAY],
  ];
  for (const [inputType, contentType, body, data] of scripts)
    it(`of ${contentType} arrives in a script of ${inputType ?? 'no'} inputType: ${String(body)
      .slice(0, 20)
      .replaceAll(/[^ -~]/g, '')}`, () => assert.deepEqual(plain(decode(codecOf(inputType), contentType, body)), data));

  it('of CSV with a header has the names of its columns', () => {
    const { columns, data } = decode(codecOf('tensors'), 'text/csv; header=present', 'x,y\r\n1,2\r\n') as Record<string, unknown>;
    assert.deepEqual([columns, plain(data)], [['x', 'y'], [[1, 2]]]);
  });

  it('of CSV keeps the texts of inputs that take texts, for a model without code', () => {
    const one = codecOf('tensors', { inputs: [spec('s', 'string', 'N', 2)] });
    assert.deepEqual(decode(one, CSV, '007,1\n'), [['007', '1']]);
    const two = codecOf('tensors', { inputs: [spec('n', 'float32', 'N', 1), spec('s', 'string', 'N', 1)] });
    assert.deepEqual(decode(two, 'text/csv;header=present', 's,n\n007,1\n'), { columns: ['s', 'n'], data: [['007', 1]] });
  });

  it('of CSV is flat for an input of one dimension', () => {
    const codec = codecOf('tensors', { inputs: [spec('x', 'float32', 'N')] });
    assert.deepEqual(plain(decode(codec, CSV, '1\n2\n')), [1, 2]);
    assert.deepEqual(plain(decode(codec, CSV, '1,2\n')), [1, 2]);
    assert.deepEqual(decode(codec, CSV, ',2\n'), [null, 2]);
  });

  it('of numpy becomes the dtype of the only input, where that holds its values', () => {
    const codec = codecOf('tensors', { inputs: [spec('x', 'float32', 'N', 2)] });
    const integers: Tensor = { type: 'int64', dims: [1, 2], data: BigInt64Array.of(5n, 6n) };
    assert.deepEqual(decode(codec, NPY, npy(integers)), { type: 'float32', dims: [1, 2], data: Float32Array.of(5, 6) });
    const nan: Tensor = { type: 'float64', dims: [1, 2], data: Float64Array.of(NaN, Infinity) };
    assert.deepEqual(decode(codec, NPY, npy(nan)), { type: 'float32', dims: [1, 2], data: Float32Array.of(NaN, Infinity) });
    const huge: Tensor = { type: 'float64', dims: [1, 2], data: Float64Array.of(1, 1e300) };
    refuses(() => decode(codec, NPY, npy(huge)), 'invalid_input', /input x\[0\]\[1\]: expected a finite number/);
    refuses(() => decode(codec, NPY, npy({ ...ARRAY, dims: [4] })), 'invalid_input', /expected float32 \[N,2\], got the shape \[4\]/);
  });

  it('that cannot be read is refused with its place', () => {
    refuses(() => decode(codecOf(), LINES, '1\n{"a":x}\n'), 'bad_json', /JSON lines: Unexpected token.*: line 2 column 6$/);
    refuses(() => decode(codecOf(), LINES, ' \n'), 'bad_json', /empty/);
    refuses(() => decode(codecOf(), LINES, Buffer.from([0xff])), 'bad_text', /UTF-8/);
    refuses(() => decode(codecOf('tensors'), CSV, '1\n2,3\n'), 'invalid_input', /^line 2/);
    refuses(() => decode(codecOf('tensors'), NPY, 'x'), 'invalid_input', /numpy\.save/);
  });

  it('keeps digits and NaN as the script and the options say', () => {
    assert.deepEqual(decode(codecOf(undefined, {}, { exactIntegers: true }), LINES, '9007199254740993\n'), [9007199254740993n]);
    assert.deepEqual(decode(codecOf(undefined, { jsonNan: 'accept' }), LINES, 'NaN\n'), [NaN]);
    refuses(() => decode(codecOf(undefined, { jsonNan: 'refuse' }), LINES, 'NaN\n'), 'bad_json', /NaN/);
  });

  it('is a web-standard Request for rawHttp', () => {
    assert.ok(decode(codecOf(undefined, {}, { rawHttp: true }), CSV, '1,2') instanceof Request);
  });
});

/** Content type and text of an answer. */
function encode(value: unknown, contentType: string, accept?: string, body = '1\n2\n', serving: Partial<Serving> = {}): [string, string] {
  const codec = codecOf('tensors', serving);
  const sent = asked(contentType, accept);
  if (contentType !== NPY) codec.decode(sent, Buffer.from(contentType === 'application/json' ? '{}' : body));
  const { headers, parts } = codec.encode(sent, value);
  return [
    headers?.find(([name]) => name === 'content-type')?.[1] ?? 'application/json',
    Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString('latin1'),
  ];
}

const column: Tensor = { type: 'float32', dims: [2], data: Float32Array.of(0.5, 2) };
const table: Tensor = { type: 'int64', dims: [2, 2], data: BigInt64Array.of(1n, 2n, 3n, 9007199254740993n) };
const flags: Tensor = { type: 'bool', dims: [2], data: Uint8Array.of(1, 0) };
const CSV_UTF8 = 'text/csv; charset=utf-8';
const JSON_TYPE = 'application/json';

describe('an answer of /invocations', () => {
  const answers: readonly [title: string, value: unknown, contentType: string, accept: string | undefined, type: string, text: string][] = [
    ['is JSON by default', table, JSON_TYPE, undefined, JSON_TYPE, '[[1,2],[3,9007199254740993]]'],
    ['of lines is a line a row by default', table, LINES, undefined, LINES, '[1,2]\n[3,9007199254740993]\n'],
    ['of lines is a line a row for any type', column, 'application/x-ndjson', '*/*', 'application/x-ndjson', '0.5\n2\n'],
    ['of CSV is CSV by default', table, CSV, undefined, CSV_UTF8, '1,2\n3,9007199254740993\n'],
    ['of numpy is JSON by default', column, NPY, '*/*', JSON_TYPE, '[0.5,2]'],
    ['is what Accept names', column, JSON_TYPE, 'text/csv', CSV_UTF8, '0.5\n2\n'],
    ['is what Accept wants most', column, CSV, 'text/csv;q=0.5, application/json', JSON_TYPE, '[0.5,2]'],
    ['is JSON where Accept names nothing that is known', column, CSV, 'image/png', JSON_TYPE, '[0.5,2]'],
    ['is a line for each item of an array', [{ a: 1 }, null], LINES, undefined, LINES, '{"a":1}\nnull\n'],
    ['is one line for a single value', { a: 1 }, LINES, undefined, LINES, '{"a":1}\n'],
    ['is one line for a scalar', { type: 'float32', dims: [], data: Float32Array.of(1) }, LINES, undefined, LINES, '1\n'],
    [
      'is an object a line for several outputs',
      { a: column, b: flags },
      LINES,
      undefined,
      LINES,
      '{"a":0.5,"b":true}\n{"a":2,"b":false}\n',
    ],
    [
      'is an object a line for arrays of as many rows',
      { a: [1, 2], b: ['x', 'y'] },
      LINES,
      undefined,
      LINES,
      '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n',
    ],
    ['is one line for arrays of other sizes', { a: [1, 2, 3] }, LINES, undefined, LINES, '{"a":[1,2,3]}\n'],
    ['has all outputs of a row in CSV', { a: flags, b: table }, CSV, undefined, CSV_UTF8, 'true,1,2\nfalse,3,9007199254740993\n'],
    [
      'has the members of records in CSV',
      [
        { a: 1, b: 'x,y' },
        { a: null, b: '"' },
      ],
      CSV,
      undefined,
      CSV_UTF8,
      '1,"x,y"\n,""""\n',
    ],
    ['is a text of CSV as it is', 'a,b\n', CSV, undefined, CSV_UTF8, 'a,b\n'],
    ['is a number alone in CSV', 1.5, CSV, undefined, CSV_UTF8, '1.5\n'],
    ['is JSON where CSV has no form for it', { a: { b: 1 } }, CSV, CSV, JSON_TYPE, '{"a":{"b":1}}'],
    ['is JSON where CSV has too few levels', [[[1]]], CSV, CSV, JSON_TYPE, '[[[1]]]'],
    ['is JSON where numpy has no form for it', { a: 1 }, JSON_TYPE, NPY, JSON_TYPE, '{"a":1}'],
    ['is JSON where numpy has no such sizes', [[1], [2, 3]], JSON_TYPE, NPY, JSON_TYPE, '[[1],[2,3]]'],
    ['of nothing is an object', undefined, JSON_TYPE, undefined, JSON_TYPE, '{}'],
  ];
  for (const [title, value, contentType, accept, type, text] of answers)
    it(title, () => assert.deepEqual(encode(value, contentType, accept), [type, text]));

  it('of numpy is a file of the same dtype', () => {
    for (const value of [table, column, [[1, 2]], Int8Array.of(1), ['a', 'bc']]) {
      const [type, text] = encode(value, NPY, NPY);
      assert.equal(type, NPY);
      const read = readNpy('x', Buffer.from(text, 'latin1'));
      if (value === table || value === column) assert.deepEqual(read, value);
    }
  });

  it('has NaN as the option says', () => {
    const nan = Float32Array.of(NaN, -Infinity);
    assert.equal(encode(nan, CSV)[1], 'NaN\n-Infinity\n');
    assert.equal(encode(nan, CSV, undefined, '1\n', { nonFinite: 'null' })[1], '""\n""\n');
    refuses(() => encode(nan, CSV, undefined, '1\n', { nonFinite: 'error' }), 'result_not_json', /NON_FINITE_NUMBERS/);
    assert.equal(encode(nan, LINES)[1], '"NaN"\n"-Infinity"\n');
  });

  it('of a script that takes texts is split by the lines of the body', () => {
    for (const [contentType, body] of [
      [CSV, '1\r\n\n2\n'],
      ['text/csv; header=present', 'x\n1\n2'],
    ] as const) {
      const [codec, sent] = [codecOf(), asked(contentType)];
      codec.decode(sent, Buffer.from(body));
      assert.deepEqual(codec.encode(sent, { a: [1, 2], b: ['x', 'y'] }).parts, ['1,x\n2,y\n']);
    }
  });

  it('keeps the headers of an Answer', () => {
    const headers = { 'X-Amzn-SageMaker-Custom-Attributes': 'a=b' };
    const sent = asked(JSON_TYPE, CSV);
    assert.deepEqual(codecOf().encode(sent, new Answer([1], { headers })).headers, [
      ['content-type', CSV_UTF8],
      ...Object.entries(headers),
    ]);
    const json = codecOf().encode(asked(JSON_TYPE), new Answer([1], { headers }));
    assert.deepEqual(json.headers, [['content-type', JSON_TYPE], ...Object.entries(headers)]);
  });

  it('above the limit is refused in every form', () => {
    const long = new Float64Array(1000);
    for (const accept of [JSON_TYPE, CSV, LINES, NPY])
      refuses(() => encode(long, JSON_TYPE, accept, '', { answerLimitBytes: 500 }), 'answer_too_large', /500 bytes/);
    const texts = Array.from({ length: 100 }, (_, at) => 'x'.repeat(at === 0 ? 100 : 1));
    refuses(() => encode(texts, JSON_TYPE, NPY, '', { answerLimitBytes: 5000 }), 'answer_too_large', /5000 bytes/);
  });

  it('that has no form at all is a fault of the script', () => {
    for (const accept of [JSON_TYPE, CSV, LINES, NPY]) refuses(() => encode(new Map(), JSON_TYPE, accept), 'result_not_json', /a Map/);
  });
});

describe('the type that a client wants most', () => {
  const offered = ['application/json', 'text/csv'] as const;
  const cases: readonly [accept: string | undefined, type: string | undefined][] = [
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['text/*', 'text/csv'],
    ['TEXT/CSV', 'text/csv'],
    ['text/csv;q=0.9, */*;q=0.8', 'text/csv'],
    ['application/json;q=0, */*', 'text/csv'],
    ['application/json; q=0.1, text/csv; header=absent; q=0.2', 'text/csv'],
    ['text/csv, application/json', 'application/json'],
    ['text/html', undefined],
    ['*/*;q=0', undefined],
    ['text/csv;q=2', 'text/csv'],
    [';;,,', 'application/json'],
  ];
  for (const [accept, type] of cases) it(`is ${type} for ${JSON.stringify(accept)}`, () => assert.equal(preferred(accept, offered), type));
});
