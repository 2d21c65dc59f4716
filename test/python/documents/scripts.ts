import assert from 'node:assert/strict';
import type { Answer, Call } from '../contract/exchange.ts';

/** What make_models.py says that its models predict. */
export interface Predictions {
  readonly regression: readonly number[];
  readonly iris: readonly number[];
}

export interface Asked {
  readonly call: Call;
  readonly answers: (answer: Answer, predictions: Predictions) => void;
}

export interface DocumentScript {
  /** A file of scripts/: ours, with the calls that the document's script makes. */
  readonly script: string;
  /** Scripts in checkouts: the variable that names a checkout, and paths in it. */
  readonly upstream: Readonly<Record<string, readonly string[]>>;
  /** A folder that make_models.py writes. */
  readonly models?: string;
  readonly asked: readonly Asked[];
}

const JSON_TYPE = { 'content-type': 'application/json' };
const NAMES = ['Setosa', 'Versicolor', 'Virginica'];
const FLOWERS = [
  [7.2, 3.2, 6, 1.8],
  [5.1, 3.5, 1.4, 0.2],
];
const ROWS = [
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
];
const BOUNDARY = 'a-boundary';

/** A picture of two pixels by three: the smallest form that PIL reads, "portable any map". */
const PICTURE = Buffer.concat([Buffer.from('P6 2 3 255\n'), Buffer.alloc(18, 128)]);

function post(value: unknown, answers: Asked['answers']): Asked {
  return { call: { headers: JSON_TYPE, body: JSON.stringify(value) }, answers };
}

function upload(field: string, count: number, answers: Asked['answers']): Asked {
  const parts = Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${index}.ppm"\r\n\r\n`),
      PICTURE,
      Buffer.from('\r\n'),
    ]),
  );
  const body = Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return { call: { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }, body }, answers };
}

const header = ({ headers }: Answer, name: string): string | undefined => headers.find(([each]) => each === name)?.[1];
const text = ({ body }: Answer): string => body.toString();

function json(answer: Answer): unknown {
  assert.equal(answer.status, 200, text(answer));
  return JSON.parse(text(answer));
}

const isJson =
  (expected: (predictions: Predictions) => unknown): Asked['answers'] =>
  (answer, predictions) =>
    assert.deepEqual(json(answer), expected(predictions));
const namesOf = isJson(({ iris }) => ({ Category: iris.map((each) => NAMES[each]) }));
const refusesWithReason: Asked['answers'] = (answer) => {
  assert.equal(answer.status, 400);
  assert.match(text(answer), /Invalid input/);
};

const EXAMPLES = 'CHECKOUT_OF_EXAMPLES';
const SERVER = 'CHECKOUT_OF_PEER';
const online = (path: string): string => `cli/endpoints/online/${path}`;

/** The scripts of documents, as SOURCES.md lists them. */
export const documentScripts: readonly DocumentScript[] = [
  {
    script: 'regression.py',
    upstream: {
      [EXAMPLES]: [
        online('model-1/onlinescoring/score.py'),
        online('managed/openapi/code-custom/score.py'),
        online('managed/vnet/sample/onlinescoring/score.py'),
        online('deploy-with-packages/custom-model/src/score.py'),
      ],
    },
    models: 'regression',
    asked: [
      post(
        { data: ROWS },
        isJson(({ regression }) => regression),
      ),
      post({ rows: ROWS }, (answer) => assert.equal(answer.status, 500)),
    ],
  },
  {
    script: 'registered.py',
    upstream: {},
    models: 'versions',
    asked: [
      post(
        { data: ROWS },
        isJson(({ regression }) => ({ result: regression })),
      ),
      post({ data: [[1]] }, (answer) => assert.match(text(answer), /"error":/)),
    ],
  },
  {
    script: 'decorated.py',
    upstream: { [EXAMPLES]: [online('managed/openapi/code-decorated/score.py')] },
    models: 'regression',
    asked: [
      post(
        { data: ROWS },
        isJson(({ regression }) => ({ output: regression })),
      ),
      post({ data: [[1]] }, refusesWithReason),
    ],
  },
  {
    script: 'iris_numpy.py',
    upstream: { [EXAMPLES]: [online('managed/inference-schema/code/score-numpy.py')] },
    models: 'iris',
    asked: [post({ iris: FLOWERS }, namesOf), post({ iris: [[1]] }, refusesWithReason)],
  },
  {
    script: 'iris_pandas.py',
    upstream: { [EXAMPLES]: [online('managed/inference-schema/code/score-pandas.py')] },
    models: 'iris',
    asked: [
      post(
        {
          iris: FLOWERS.map(([sepal_length, sepal_width, petal_length, petal_width]) => ({
            sepal_length,
            sepal_width,
            petal_length,
            petal_width,
          })),
        },
        namesOf,
      ),
      post({ iris: [{ sepal_length: 1 }] }, refusesWithReason),
    ],
  },
  {
    script: 'iris_standard.py',
    upstream: { [EXAMPLES]: [online('managed/inference-schema/code/score-standard.py')] },
    models: 'iris',
    asked: [
      post({ sepal_length: [7.2, 5.1], sepal_width: [3.2, 3.5], petal_length: [6, 1.4], petal_width: [1.8, 0.2] }, namesOf),
      post({ sepal_length: 7.2, sepal_width: [3.2], petal_length: [6], petal_width: [1.8] }, refusesWithReason),
    ],
  },
  {
    script: 'several_models.py',
    upstream: { [EXAMPLES]: [online('custom-container/minimal/multimodel/code/minimal-multimodel-score.py')] },
    models: 'several',
    asked: [
      post({ model: 'two', data: [{ a: 3, b: 1 }] }, (answer) => {
        // A text that is JSON stays a text, as with Azure's server.
        const value = (JSON.parse(String(json(answer))) as { 0: { 0: number } })[0][0];
        assert.ok(Math.abs(value - 6) < 1e-9, String(value));
      }),
      post({ model: 'three', data: [{ a: 3, b: 1 }] }, (answer) => assert.equal(answer.status, 500)),
    ],
  },
  {
    script: 'images.py',
    upstream: { [EXAMPLES]: [online('managed/binary-payloads/code/multi-file-to-json-score.py')] },
    asked: [
      upload(
        'file[]',
        2,
        isJson(() => ({ response: [0, 1].map((index) => ({ filename: `${index}.ppm`, size: [2, 3] })) })),
      ),
      { call: { method: 'POST' }, answers: isJson(() => ({ response: [] })) },
    ],
  },
  {
    script: 'thumbnail.py',
    upstream: { [EXAMPLES]: [online('managed/binary-payloads/code/single-file-to-file-score.py')] },
    asked: [
      upload('file', 1, (answer) => {
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'content-type'), 'image/jpg');
        assert.equal(answer.body.subarray(0, 3).toString('hex'), 'ffd8ff');
      }),
      {
        call: { method: 'POST' },
        answers: (answer) => {
          assert.equal(answer.status, 422);
          assert.equal(text(answer), 'No file uploaded');
        },
      },
    ],
  },
  {
    script: 'bytes.py',
    upstream: {},
    asked: [
      { call: { path: '/score?a=1' }, answers: (answer) => assert.equal(text(answer), '/score?a=1') },
      {
        call: { body: PICTURE, headers: { 'content-type': 'application/octet-stream' } },
        answers: (answer) => assert.deepEqual(answer.body, PICTURE),
      },
      { call: { method: 'OPTIONS' }, answers: (answer) => assert.equal(answer.status, 500) },
    ],
  },
  {
    script: 'cors.py',
    upstream: {},
    asked: [
      {
        call: { method: 'OPTIONS', headers: { origin: 'http://www.example.com', 'access-control-request-method': 'POST' } },
        answers: (answer) => {
          assert.equal(header(answer, 'access-control-allow-origin'), 'http://www.example.com');
          assert.equal(header(answer, 'access-control-allow-methods'), 'OPTIONS, GET, POST');
          assert.equal(header(answer, 'allow'), 'OPTIONS, GET, POST');
        },
      },
      { call: { body: 'x' }, answers: (answer) => assert.equal(header(answer, 'access-control-allow-origin'), 'http://www.example.com') },
    ],
  },
  {
    script: 'collecting.py',
    upstream: {},
    asked: [
      post(
        { data: { col1: [1, 2], col2: [3, 4] } },
        isJson(() => ({ sum: { 0: 4, 1: 6 } })),
      ),
    ],
  },
  {
    script: 'collecting_inputs.py',
    upstream: { [EXAMPLES]: ['sdk/python/endpoints/online/data_collector/score.py'] },
    // Columns of equal names cannot be joined: the example's predict() returns its input.
    asked: [post({ data: { col1: [1, 2] } }, (answer) => assert.equal(answer.status, 500))],
  },
  {
    script: 'streaming.py',
    upstream: { [SERVER]: ['tests/azmlinfsrv/resources/streaming-score.py'] },
    asked: [
      post({ items: [1, 'two'] }, (answer) => {
        assert.equal(answer.status, 200);
        assert.equal(text(answer), 'item: 1\n\nitem: two\n\n');
      }),
    ],
  },
  {
    script: 'onnx.py',
    upstream: {},
    models: 'onnx',
    asked: [
      post({ data: [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]] }, (answer) => {
        const { result, time_in_sec: seconds } = json(answer) as { result: number[][][]; time_in_sec: number };
        assert.equal(result[0]?.length, 1);
        assert.ok(seconds >= 0);
      }),
      post({ data: [[1]] }, (answer) => assert.match(text(answer), /"error":/)),
    ],
  },
  {
    script: 'power_bi.py',
    upstream: {},
    asked: [
      post(
        { Inputs: { data: [{ age: 3, job: 'a' }] }, GlobalParameters: { method: 'predict_proba' } },
        isJson(() => ({ Results: ['a of 3: predict_proba'] })),
      ),
      post(
        { Inputs: { data: [{ age: '3', job: 'a' }] } },
        isJson(() => ({ Results: ['a of 3: predict'] })),
      ),
    ],
  },
];
