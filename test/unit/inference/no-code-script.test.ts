import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import * as diabetes from '../../../entry-scripts/diabetes.ts';
import * as script from '../../../entry-scripts/onnx.ts';
import { type InitContext, type Model, type RequestContext, ScoringError } from '../../../server/entry-script.ts';
import { ServerError } from '../../../server/errors.ts';
import { withNumbers } from '../../../server/tensors/json-numbers.ts';
import { parseNumbers } from '../../../server/tensors/parse-numbers.ts';
import { float16Bits } from '../../../server/tensors/float16.ts';
import { openSession } from '../../../server/inference/session.ts';
import { InvocationsCodec } from '../../../server/worker/codecs/invocations.ts';
import { type ModelName, writeModel } from '../../models/models.ts';
import { request } from '../worker/some-tensor.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';
const folder = mkdtempSync(path.join(tmpdir(), 'no-code-'));
after(() => rmSync(folder, { recursive: true }));

const open = (name: ModelName): Promise<Model> => openSession(writeModel(name, folder), { intraOpThreads: 1 });
const answer = async (name: ModelName, body: unknown): Promise<unknown> => script.answer(await open(name), body);

/** A context with openModel, the only member that these scripts use. */
const contextWith = (openModel: InitContext['openModel']): InitContext => ({ openModel }) as InitContext;

/** The JSON of an answer, so that records without prototypes and typed arrays do not matter. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item: unknown) =>
      ArrayBuffer.isView(item) ? Array.from(item as Int32Array) : typeof item === 'bigint' ? Number(item) : item,
    ),
  );

const answers: [title: string, model: ModelName, body: unknown, answer: unknown][] = [
  [
    'inputs by name are answered by name',
    'echo_int32',
    { inputs: { x: [[1, 2]] } },
    { outputs: { y: { type: 'int32', dims: [1, 2], data: [1, 2] } } },
  ],
  [
    'Open Inference tensors are answered in kind, with the id',
    'echo_int64',
    { id: 'a', inputs: [{ name: 'x', shape: [1, 2], datatype: 'INT64', data: [1, '2'] }] },
    { model_name: 'echo_int64', id: 'a', outputs: [{ name: 'y', datatype: 'INT64', shape: [1, 2], data: [1, 2] }] },
  ],
  [
    'their data may be nested',
    'echo_bool',
    { inputs: [{ name: 'x', shape: [2, 1], datatype: 'BOOL', data: [[true], [false]] }] },
    { model_name: 'echo_bool', outputs: [{ name: 'y', datatype: 'BOOL', shape: [2, 1], data: [true, false] }] },
  ],
  [
    'float16 is answered as numbers',
    'echo_float16',
    { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP16', data: [1.5, -2] }] },
    { model_name: 'echo_float16', outputs: [{ name: 'y', datatype: 'FP16', shape: [1, 2], data: [1.5, -2] }] },
  ],
  [
    'outputs are selected, in the wanted order',
    'multi',
    {
      inputs: [
        { name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
        { name: 'ids', shape: [1, 3], datatype: 'INT64', data: [0, 0, 9] },
      ],
      outputs: [{ name: 'mean' }, { name: 'gt' }],
    },
    {
      model_name: 'multi',
      outputs: [
        { name: 'mean', datatype: 'FP32', shape: [1], data: [2] },
        { name: 'gt', datatype: 'BOOL', shape: [1, 3], data: [true, true, false] },
      ],
    },
  ],
  [
    'an empty list of outputs selects all',
    'echo_string',
    { inputs: { x: [['a']] }, outputs: [] },
    { outputs: { y: { type: 'string', dims: [1, 1], data: ['a'] } } },
  ],
  [
    'outputs are selected by name or in the parameters',
    'multi',
    { inputs: { x: [[1, 2, 3]], ids: [[1, 2, 3]] }, parameters: { outputs: ['mean'] } },
    { outputs: { mean: { type: 'float32', dims: [1], data: [2] } } },
  ],
  ['data is the only input; [N,4] stays', 'batchmean', { data: [[1, 2, 3, 4]] }, { type: 'float32', dims: [1, 4], data: [0, 0, 0, 0] }],
  ['one number a row is a flat list', 'echo_int32', { data: [[1], [2]] }, { type: 'int32', dims: [2], data: [1, 2] }],
  ['input_data may be the rows', 'echo_int32', { input_data: [[1, 2]] }, { type: 'int32', dims: [1, 2], data: [1, 2] }],
  [
    'input_data in the split form feeds rows to the only input',
    'echo_string',
    { input_data: { columns: ['a', 'b'], index: [0], data: [['x', 'y']] } },
    { type: 'string', dims: [1, 2], data: ['x', 'y'] },
  ],
  ['columns may be absent', 'echo_int32', { input_data: { data: [[1], [2]] } }, { type: 'int32', dims: [2], data: [1, 2] }],
  [
    'columns feed the inputs of their names, whatever the order',
    'columns',
    {
      input_data: {
        columns: ['city', 'rooms', 'age'],
        data: [
          ['Bonn', 3, 1.5],
          ['Köln', 4, 2.5],
        ],
      },
    },
    {
      age_out: { type: 'float32', dims: [2, 1], data: [1.5, 2.5] },
      city_out: { type: 'string', dims: [2, 1], data: ['Bonn', 'Köln'] },
      rooms_out: { type: 'int64', dims: [2], data: [3, 4] },
    },
  ],
  [
    'several outputs of rows are answered by name',
    'zipmap',
    { data: [[0, 0, 0]], outputs: ['label', 'probabilities'] },
    {
      label: { type: 'int64', dims: [1], data: [0] },
      probabilities: { type: 'float32', dims: [1, 3], data: [1, 1, 1].map((third) => Math.fround(third / 3)) },
    },
  ],
];

/** Instances, and inputs as rows: one prediction a row. */
const predicted: [title: string, model: ModelName, body: unknown, predictions: unknown][] = [
  [
    'instances are rows of the only input',
    'batchmean',
    { instances: [[1, 2, 3, 4]] },
    { type: 'float32', dims: [1, 4], data: [0, 0, 0, 0] },
  ],
  ['one number a row is a flat list', 'echo_int32', { instances: [[1], [2]] }, { type: 'int32', dims: [2], data: [1, 2] }],
  ['inputs may be rows of the only input', 'echo_int32', { inputs: [[1], [2]] }, { type: 'int32', dims: [2], data: [1, 2] }],
  ['inputs may be rows of texts', 'echo_string', { inputs: [['a', 'b']] }, { type: 'string', dims: [1, 2], data: ['a', 'b'] }],
  [
    'instances may name the only input',
    'echo_int32',
    { instances: [{ x: [1, 2] }, { x: [3, 4] }] },
    { type: 'int32', dims: [2, 2], data: [1, 2, 3, 4] },
  ],
  [
    'instances may be records of the columns of the only input',
    'echo_int32',
    { instances: [{ a: 1, b: 2 }] },
    { type: 'int32', dims: [1, 2], data: [1, 2] },
  ],
  [
    'instances by the names of several inputs are stacked, and several outputs become an object a row',
    'columns',
    {
      instances: [
        { city: 'Bonn', rooms: 3, age: 1.5 },
        { age: 2.5, city: 'Köln', rooms: 4 },
      ],
    },
    [
      { age_out: 1.5, city_out: 'Bonn', rooms_out: 3 },
      { age_out: 2.5, city_out: 'Köln', rooms_out: 4 },
    ],
  ],
  [
    'instances with arrays by the names of several inputs are stacked',
    'multi',
    { instances: [{ x: [1, 2, 3], ids: [0, 0, 9] }], outputs: ['mean', 'gt'] },
    [{ mean: 2, gt: { type: 'bool', dims: [3], data: [1, 1, 0] } }],
  ],
];

const forms = /Accepted: \{"inputs": .* The model multi takes x \(float32 \[N,3\]\), ids \(int64 \[N,3\]\)\.$/;
const oip = (member: object): unknown => ({ inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3], ...member }] });

const refusals: [title: string, body: unknown, message: RegExp][] = [
  ['a body that is no object', [[1, 2, 3]], forms],
  ['null', null, forms],
  ['an object without a known key', { rows: [] }, forms],
  ['inputs that are a number', { inputs: 5 }, forms],
  ['rows for several inputs', { data: [[1, 2, 3]] }, forms],
  ['input_data without data', { input_data: { rows: [] } }, forms],
  ['instances that are a number', { instances: 5 }, forms],
  ['instances without names for several inputs', { instances: [[1, 2, 3]] }, forms],
  ['outputs that are no array', { inputs: {}, outputs: 'mean' }, forms],
  ['outputs without a name', { inputs: {}, outputs: [{}] }, forms],
];

const misfits: [title: string, body: unknown, message: RegExp][] = [
  ['a table without data', { input_data: { columns: ['x'] } }, /^input_data\.data: expected an array of rows, got none$/],
  ['columns that are no array', { input_data: { columns: 'x', data: [] } }, /^input_data\.columns: expected an array of names, got "x"$/],
  [
    'columns that are not the inputs',
    { input_data: { columns: ['x', 'y'], data: [[1, 2]] } },
    /^input_data: expected a column for each input \(x, ids\), got no column "ids" and the unknown column "y"$/,
  ],
  [
    'a row that is too short',
    { input_data: { columns: ['x', 'ids'], data: [[1, 2], [1]] } },
    /^input_data\.data\[1\]: expected an array of 2 values, one a column, got 1$/,
  ],
  [
    'a table under data with other columns',
    { data: [{ x: 1 }] },
    /^data: expected a column for each input \(x, ids\), got no column "ids"$/,
  ],
  [
    'instances that lack an input',
    { instances: [{ x: [1, 2, 3] }] },
    /^instances: expected objects with a value for each input, got no column "ids"$/,
  ],
  ['an input that is no object', { inputs: ['x'] }, /^inputs\[0\]: expected an object, got "x"$/],
  ['an input without a name', { inputs: [{}] }, /^inputs\[0\]: expected a "name", got none$/],
  ['an input that the model lacks', oip({ name: 'y' }), /^model multi has no input y; the inputs are x, ids\.$/],
  [
    'an input given twice',
    { inputs: [...(oip({}) as { inputs: [] }).inputs, ...(oip({}) as { inputs: [] }).inputs] },
    /^input x: expected each name once, got it twice$/,
  ],
  [
    'another datatype',
    {
      inputs: [
        { name: 'x', shape: [1, 3], datatype: 'FP64', data: [1, 2, 3] },
        { name: 'ids', shape: [1, 3], datatype: 'INT64', data: [1, 2, 3] },
      ],
    },
    /^input x: expected float32 \[N,3\], got dtype "float64"$/,
  ],
  ['no datatype', oip({ datatype: undefined }), /^input x: expected a datatype, one of BOOL, .*, BYTES, got none$/],
  ['no data', oip({ data: undefined }), /^input x: expected "data" \(this route takes no binary tensors\), got none$/],
  ['data that is no array', oip({ data: 3 }), /^input x: expected data that is an array, got 3$/],
  ['no shape', oip({ shape: 3 }), /^input x: expected a "shape" of at most 64 dimensions, whole numbers from 0, got 3$/],
  ['one output twice', { inputs: {}, outputs: ['mean', { name: 'mean' }] }, /^output mean: expected each name once, got it twice$/],
];

describe('the no-code script', () => {
  for (const [title, model, body, expected] of answers) {
    it(`understands: ${title}`, async () => {
      assert.deepEqual(plain(await answer(model, body)), expected);
    });
  }

  for (const [title, model, body, predictions] of predicted) {
    it(`predicts: ${title}, whichever parser read the body`, async () => {
      assert.deepEqual(plain(await answer(model, body)), { predictions });
      const parsed = parseNumbers(Buffer.from(JSON.stringify(body))) ?? withNumbers(structuredClone(body));
      assert.deepEqual(plain(await answer(model, parsed)), { predictions });
    });
  }

  for (const [title, body, message] of refusals) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(answer('multi', body), (error) => {
        assert.ok(error instanceof ScoringError);
        assert.equal(error.status, 400);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  for (const [title, body, message] of misfits) {
    it(`refuses ${title}, as the routes of the Open Inference Protocol do`, async () => {
      await assert.rejects(answer('multi', body), (error) => {
        assert.ok(error instanceof ServerError);
        assert.equal(error.code, 'invalid_input');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('takes data whose parameters mean nothing here', async () => {
    const body = { inputs: [{ name: 'x', shape: [1, 1], datatype: 'INT32', data: [7], parameters: { binary_data_size: 4 } }] };
    assert.deepEqual(plain(await answer('echo_int32', body)), {
      model_name: 'echo_int32',
      outputs: [{ name: 'y', datatype: 'INT32', shape: [1, 1], data: [7] }],
    });
  });

  it('leaves the checks of values and shapes to the model', async () => {
    const wrong = { inputs: { x: [[1, 2, 3]], ids: [[1, null, 3]] } };
    await assert.rejects(answer('multi', wrong), (error) => error instanceof ServerError && error.code === 'invalid_input');
    await assert.rejects(answer('multi', oip({ shape: [3] })), (error) => error instanceof ServerError && error.code === 'invalid_input');
  });

  it('carries float16 as a typed array, so that NaN survives', async () => {
    const body = { inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP16', data: ['NaN'] }] };
    const { outputs } = (await answer('echo_float16', body)) as { outputs: { data: Float16Array }[] };
    assert.deepEqual(outputs[0]?.data, Float16Array.of(NaN));
    assert.deepEqual(float16Bits(Float16Array.of(1)), Uint16Array.of(0x3c00));
  });

  /** The answer to a body of /invocations, as the codec hands it out and writes it. */
  async function invoked(name: ModelName, contentType: string, body: string, accept?: string): Promise<string> {
    const model = await open(name);
    const codec = new InvocationsCodec(
      { inputType: script.inputType, exactIntegers: script.exactIntegers, rawHttp: false, bytesInputs: false },
      { modelName: name, nonFinite: 'string', inputs: model.inputs },
    );
    const sent = request({ protocol: 'invocations', contentType }, accept === undefined ? [] : ['accept', accept]);
    const { parts } = codec.encode(sent, await script.answerRows(model, codec.decode(sent, Buffer.from(body))));
    return parts.join('');
  }

  const rows: [title: string, ...sent: Parameters<typeof invoked>, answer: string][] = [
    ['CSV of numbers', 'echo_int32', 'text/csv', '1\n2\n', undefined, '1\n2\n'],
    ['CSV of texts that look like numbers', 'echo_string', 'text/csv', '007,a\n"1,5",\n', undefined, '007,a\n"1,5",\n'],
    ['CSV of 64-bit integers', 'echo_int64', 'text/csv', '9007199254740993\n', undefined, '9007199254740993\n'],
    ['CSV of booleans', 'echo_bool', 'text/csv', 'True,false\n', undefined, 'true,false\n'],
    ['CSV with gaps', 'echo_float32', 'text/csv', '1,\nnan,-inf\n', undefined, '1,NaN\nNaN,-Infinity\n'],
    ['lines of arrays', 'echo_int32', 'application/jsonlines', '[1,2]\n[3,4]', undefined, '[1,2]\n[3,4]\n'],
    [
      'lines of the only feature',
      'echo_int32',
      'application/jsonlines',
      '{"features":[1,2]}\n{"features":[3,4]}',
      undefined,
      '[1,2]\n[3,4]\n',
    ],
    ['lines of columns', 'echo_float32', 'application/jsonlines', '{"a":1,"b":2}\n', undefined, '[1,2]\n'],
    [
      'a column for each of several inputs',
      'columns',
      'text/csv; header=present',
      'city,rooms,age\n007,3,1.5\nx,4,2\n',
      undefined,
      '1.5,007,3\n2,x,4\n',
    ],
    [
      'lines of several inputs',
      'multi',
      'application/jsonlines',
      '{"x":[1,2,3],"ids":[1,1,1]}\n{"ids":[2,2,2],"x":[4,5,6]}\n',
      undefined,
      '{"sum":[2,3,4],"gt":[false,true,true],"mean":2}\n{"sum":[6,7,8],"gt":[true,true,true],"mean":5}\n',
    ],
    ['a bare array of JSON', 'echo_int32', 'application/json', '[[1],[2]]', undefined, '[1,2]'],
    ['records of JSON', 'columns', 'application/json', '[{"age":1,"city":"x","rooms":2}]', 'text/csv', '1,x,2\n'],
    ['a body of /score', 'echo_int32', 'application/json', '{"inputs":{"x":[[1]]}}', undefined, '{"outputs":{"y":[[1]]}}'],
  ];
  for (const [title, name, contentType, body, accept, expected] of rows)
    it(`reads of /invocations ${title}`, async () => assert.equal(await invoked(name, contentType, body, accept), expected));

  it('says what /invocations expects of a model with several inputs', async () => {
    await assert.rejects(
      invoked('columns', 'text/csv', '1,x,2\n'),
      (error) => error instanceof ScoringError && /header=present/.test(error.message),
    );
    const wrong = invoked('columns', 'text/csv; header=present', 'age,town,rooms\n1,x,2\n');
    await assert.rejects(
      wrong,
      (error) => error instanceof ServerError && /no column "city" and the unknown column "town"/.test(error.message),
    );
  });

  it('opens the model that the host chose', async () => {
    const asked: unknown[] = [];
    await script.init(contextWith((...args) => (asked.push(args), open('echo_int32'))));
    assert.deepEqual(asked, [[]]);
    assert.deepEqual(plain(await script.run({ data: [[1], [2]] }, { protocol: 'score' } as RequestContext)), {
      type: 'int32',
      dims: [2],
      data: [1, 2],
    });
    assert.equal(script.inputType, 'tensors');
    assert.equal(script.exactIntegers, true);
  });
});

describe('the sample script', () => {
  it('answers one prediction a row', async () => {
    const scripts = path.resolve(import.meta.dirname, '../../../entry-scripts');
    await diabetes.init(contextWith((file = '') => openSession(path.join(scripts, file), { intraOpThreads: 1 })));
    const [first, second, ...others] = (await diabetes.run({
      data: [
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
      ],
    })) as Float64Array;
    assert.ok(Math.abs(first! - 11633.100167144921) < 1e-9);
    assert.ok(Math.abs(second! - 5128.063014756333) < 1e-9);
    assert.equal(others.length, 0);
  });
});
