import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { describe, it } from 'node:test';
import { loadScript } from '../../server/worker/script/testing.ts';
import { scriptFolder } from './script-folder.ts';
import { type Settings, Workers } from './start-workers.ts';

const RUN = 'export const init = () => {};\nexport const run = (data) => ({ got: data });\n';
const file = (text: string): string => join(scriptFolder({ 'score.ts': text }), 'score.ts');
const script = (schema: string, more = ''): string =>
  file(`import { numpyType, standardType, tableType } from 'scoring-server';\nexport const schema = ${schema};\n${more}\n${RUN}`);

async function withWorkers<T>(path: string, use: (workers: Workers) => Promise<T>, settings: Settings = {}): Promise<T> {
  const workers = new Workers(path, settings);
  try {
    return await use(workers);
  } finally {
    await workers.stop();
  }
}

const HOUSES = `{ input: {
  type: 'object',
  properties: {
    rooms: { type: 'integer', minimum: 1 },
    city: { type: 'string', maxLength: 5, pattern: '^[A-Z]' },
    heating: { enum: ['gas', 'heat pump'] },
    floors: { type: 'array', items: { $ref: '#/$defs/floor' }, maxItems: 2 },
  },
  required: ['rooms'],
  additionalProperties: false,
  $defs: { floor: { type: ['number', 'null'] } },
} }`;

test('data that fits the schema of a script reaches run(), and other data is a 400 that says where', () =>
  withWorkers(script(HOUSES), async (workers) => {
    await workers.started;
    const fitting = { rooms: 3, city: 'Bonn', heating: 'gas', floors: [1, null] };
    assert.deepEqual((await workers.score(fitting)).json, { got: fitting });
    const long = 'x'.repeat(100_000);
    const cases: readonly (readonly [data: unknown, reason: string])[] = [
      [[1], 'the data: expected object, got an array'],
      ['text', 'the data: expected object, got "text"'],
      [{}, 'the data: expected the member "rooms", which is missing'],
      [{ rooms: 'three' }, 'at /rooms: expected integer, got "three"'],
      [{ rooms: 0 }, 'at /rooms: expected a number >= 1, got 0'],
      [{ rooms: 1.5 }, 'at /rooms: expected integer, got 1.5'],
      [{ rooms: 1, garden: true }, 'the data: expected no member "garden"'],
      [{ rooms: 1, city: 'Cologne' }, 'at /city: expected at most 5 characters, got "Cologne"'],
      [{ rooms: 1, city: 'bonn' }, 'at /city: expected text that matches ^[A-Z], got "bonn"'],
      [{ rooms: 1, heating: 'coal' }, 'at /heating: expected one of "gas", "heat pump", got "coal"'],
      [{ rooms: 1, floors: [1, 2, 3] }, 'at /floors: expected at most 2 items, got 3'],
      [{ rooms: 1, floors: [1, { a: long }] }, 'at /floors/1: expected number or null, got an object'],
      [{ rooms: 1, [long]: 1 }, `the data: expected no member "${'x'.repeat(59)}…`],
      [{ rooms: long }, `at /rooms: expected integer, got "${'x'.repeat(59)}…`],
    ];
    for (const [data, reason] of cases)
      await assert.rejects(workers.score(data), { code: 'invalid_input', message: `The input does not fit the schema: ${reason}` });
  }));

test('a body is JSON for a script with a schema, whatever its content type, and a query is checked too', () =>
  withWorkers(script(HOUSES), async (workers) => {
    await workers.started;
    for (const contentType of ['text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded'])
      assert.equal((await workers.score('{"rooms":1}', { contentType })).status, 200);
    const query = (url: string): Promise<unknown> => workers.score(Buffer.of(), { method: 'GET', url });
    await query('/score?rooms=2');
    await assert.rejects(query('/score?rooms=two'), { code: 'invalid_input' });
  }));

test('tensors of the Open Inference Protocol are not checked, because the schema describes JSON', () =>
  withWorkers(script(HOUSES), async (workers) => {
    await workers.started;
    const inputs = [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }];
    const failed: unknown = await workers.score({ inputs }, { protocol: 'open-inference' }).catch((error: unknown) => error);
    // run() got it, and answers no tensors.
    assert.ok(!(failed instanceof Error && failed.message.includes('schema')), String(failed));
  }));

test('whole numbers beyond 2^53 are integers for a schema, and arrive exactly', () =>
  withWorkers(script(`{ input: { type: 'array', items: { type: 'integer' } } }`, 'export const exactIntegers = true;'), async (workers) => {
    await workers.started;
    const { text } = await workers.score('[9007199254740993]', { contentType: 'application/json' });
    assert.equal(text, '{"got":[9007199254740993]}');
    await assert.rejects(
      workers.score('[1.5, 9007199254740993]', { contentType: 'application/json' }),
      /at \/0: expected integer, got 1.5/,
    );
  }));

test('what every object inherits is no member of the data, and NaN is no number', () =>
  withWorkers(
    script(`{ input: {
      type: 'object', properties: { constructor: { type: 'string' }, speed: { type: 'number' } }, required: ['toString'],
    } }`),
    async (workers) => {
      await workers.started;
      assert.equal((await workers.score({ toString: 1 })).status, 200);
      await assert.rejects(workers.score({}), /the data: expected the member "toString", which is missing/);
      const body = Buffer.from('{"toString": 1, "speed": NaN}');
      await assert.rejects(workers.score(body), /at \/speed: expected number, got NaN/);
    },
  ));

test('parameters by name are checked, with the texts of the server of Azure for what is missing', () =>
  withWorkers(
    script(`{ input: {
      data: numpyType([[1, 2]], { dtype: 'float64' }),
      df: tableType([{ a: 1, b: 'x' }]),
      num: standardType(1, { optional: true }),
    } }`),
    async (workers) => {
      await workers.started;
      const fitting = {
        data: [
          [1.5, 2],
          [3, 4],
        ],
        df: [{ a: 2, b: 'y' }],
      };
      assert.deepEqual((await workers.score({ ...fitting, extra: null })).json, { got: { ...fitting, extra: null } });
      const cases: readonly (readonly [data: unknown, reason: RegExp])[] = [
        [[1], /^POST body should be a JSON dictionary\.$/],
        [{ data: fitting.data }, /^A value is not provided for the 'df' parameter\.$/],
        [{ ...fitting, num: '1' }, /at \/num: expected integer, got "1"/],
        [{ ...fitting, data: [[1, 2, 3]] }, /at \/data\/0: expected at most 2 items, got 3/],
        [{ ...fitting, data: [1, 2] }, /at \/data\/0: expected array, got 1/],
        [{ ...fitting, data: [[1, null]] }, /at \/data\/0\/1: expected number, got null/],
        [{ ...fitting, df: [{ a: 1 }] }, /at \/df\/0: expected the member "b", which is missing/],
        [{ ...fitting, df: [{ a: 1, b: 'x', c: 1 }] }, /at \/df\/0: expected no member "c"/],
        [{ ...fitting, df: [{ a: '7', b: 'x' }] }, /at \/df\/0\/a: expected integer, got "7"/],
      ];
      for (const [data, message] of cases) await assert.rejects(workers.score(data), { code: 'invalid_input', message });
    },
  ));

test('a sample alone refuses nothing, and describes what the script takes and answers', () =>
  withWorkers(file(`export const sample = { rooms: 3, tags: ['a'] };\n${RUN}`), async (workers) => {
    await workers.started;
    assert.equal((await workers.score('anything')).status, 200);
    const data = { type: 'object', properties: { rooms: { type: 'number' }, tags: { type: 'array', items: { type: 'string' } } } };
    const example = { rooms: 3, tags: ['a'] };
    assert.deepEqual(workers.scorer.served?.schemas, {
      input: { ...data, example },
      output: { type: 'object', properties: { got: data }, example: { got: example } },
      versions: ['2', '3', '3.1'],
    });
  }));

test('the answer to the sample is the example of the output', () =>
  withWorkers(
    script(
      `{ input: { type: 'object', examples: [{ a: 2 }] }, output: { type: 'object', required: ['got'] } }`,
      'export const sample = { a: 1 };',
    ),
    async (workers) => {
      await workers.started;
      assert.deepEqual(workers.scorer.served?.schemas, {
        input: { type: 'object', examples: [{ a: 2 }], example: { a: 1 } },
        output: { type: 'object', required: ['got'], example: { got: { a: 1 } } },
        versions: ['2', '3', '3.1'],
        jsonSchema: true,
      });
    },
  ));

test('a schema of draft-07 is read as such, and a keyword that no draft has is a warning', () =>
  withWorkers(
    script(`{ input: {
      $schema: 'http://json-schema.org/draft-07/schema#', type: 'array', items: [{ type: 'string' }], additionalItems: false,
      requird: [], 'x-of-mine': 1, format: 'of nobody',
    } }`),
    async (workers) => {
      await workers.started;
      assert.equal((await workers.score(['a'])).status, 200);
      await assert.rejects(workers.score([1]), /at \/0: expected string, got 1/);
      await workers.lineWith('schema.input: strict mode: unknown keyword: "requird"');
      assert.ok(!workers.lines.some(({ msg }) => String(msg).includes('x-of-mine')));
    },
  ));

test('a script under test refuses the data that the server would refuse', async () => {
  const loaded = await loadScript(script(HOUSES));
  await assert.rejects(loaded.run({ rooms: 0 }), /at \/rooms: expected a number >= 1, got 0/);
  assert.deepEqual(await loaded.run({ rooms: 1 }), { got: { rooms: 1 } });
  await loaded.close();
});

describe('a declaration that cannot be used ends the start', () => {
  const cases: Record<string, readonly [path: () => string, reason: RegExp]> = {
    'a text': [() => script(`'object'`), /schema: expected \{ input, output \}, got a string/],
    'an unknown member': [() => script('{ inputs: {} }'), /schema: expected the members input and output, got inputs/],
    'an input that is no object': [
      () => script('{ input: [] }'),
      /schema\.input: expected a JSON Schema or types of samples, got an array/,
    ],
    'a wrong keyword': [
      () => script(`{ input: { type: 'object', properties: { a: { type: 'int' } } } }`),
      /schema\.input is no JSON Schema: schema\.input\/properties\/a\/type: expected one of/,
    ],
    'a pattern that is none': [() => script(`{ input: { type: 'string', pattern: '(' } }`), /schema\.input cannot be compiled: .*\(/],
    'a reference to another document': [
      () => script(`{ input: { properties: { a: { $ref: 'https://example.com/a.json' } } } }`),
      /schema\.input\/properties\/a\/\$ref: expected a reference into the same schema.*no schema is fetched/,
    ],
    'a reference to nothing': [() => script(`{ output: { $ref: '#/$defs/none' } }`), /schema\.output cannot be compiled: .*none/],
    'another dialect': [
      () => script(`{ input: { $schema: 'http://json-schema.org/draft-04/schema#' } }`),
      /schema\.input\/\$schema: expected JSON Schema of draft-07 or 2020-12/,
    ],
    'a schema in a circle': [
      () => file(`const input = {};\ninput.not = input;\nexport const schema = { input };\n${RUN}`),
      /schema\.input has no JSON form: .*circular/,
    ],
    'an instance of a class': [() => script('{ input: { properties: new Map() } }'), /schema\.input\/properties: expected a plain object/],
    'an asynchronous schema': [() => script('{ input: { $async: true } }'), /\$async: expected a schema that is checked at once/],
    'types beside keywords': [() => script(`{ input: { a: standardType(1), type: 'object' } }`), /schema\.input\/type: expected a type/],
    'an example that does not fit': [
      () => script(`{ input: { type: 'integer', examples: [1, 'x'] } }`),
      /schema\.input\/examples\/1 does not fit the schema itself: the data: expected integer, got "x"/,
    ],
    'a schema too deep to compile': [
      () => file(`let input = {};\nfor (let i = 0; i < 900; i++) input = { not: input };\nexport const schema = { input };\n${RUN}`),
      /schema\.input cannot be compiled: RangeError/,
    ],
    'a sample that does not fit its own type': [
      () => script(`{ input: { a: numpyType([{ x: 'one' }], { dtype: { x: 'int8' } }) } }`),
      /schema\.input: the sample does not fit the type that it is of: at \/a\/0\/x: expected integer, got "one"/,
    ],
    'rawHttp beside it': [() => script('{ input: {} }', 'export const rawHttp = true;'), /with rawHttp run\(\) gets a Request/],
    'tensors beside it': [() => script('{ input: {} }', `export const inputType = 'tensors';`), /with inputType 'tensors'/],
  };
  for (const [what, [path, message]] of Object.entries(cases))
    it(what, () => assert.rejects(loadScript(path()), { code: 'script_broken', message }));
});

describe('what the sample shows ends the start where it does not fit', () => {
  const cases: Record<string, readonly [path: () => string, reason: RegExp]> = {
    'a sample that does not fit': [
      () => script(`{ input: { type: 'integer' } }`, 'export const sample = 1.5;'),
      /exports a sample that does not fit schema\.input: .*expected integer, got 1\.5/,
    ],
    'an answer that does not fit': [
      () => script(`{ output: { properties: { got: { type: 'string' } } } }`, 'export const sample = 1;'),
      /exports a schema\.output that run\(\) does not fit with its answer to the sample: at \/got: expected string, got 1/,
    ],
  };
  for (const [what, [path, reason]] of Object.entries(cases))
    it(what, () =>
      withWorkers(path(), async (workers) => {
        const { code, message } = await Promise.race([workers.failure, workers.started.then(() => assert.fail('the script is served'))]);
        assert.equal(code, 'script_broken', message);
        assert.match(message, reason);
      }),
    );
});
