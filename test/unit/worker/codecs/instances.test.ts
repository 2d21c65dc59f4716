import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Answer, type InputType } from '../../../../server/entry-script.ts';
import { ServerError } from '../../../../server/errors.ts';
import { JsonNumbers } from '../../../../server/tensors/json-numbers.ts';
import type { BodyChoices, Encoded } from '../../../../server/worker/codecs/codec.ts';
import { InstancesCodec } from '../../../../server/worker/codecs/instances.ts';
import type { WorkerRequest } from '../../../../server/worker/request-context.ts';
import { request } from '../some-tensor.ts';

const serving = { modelName: 'm', nonFinite: 'string', inputs: undefined } as const;
const plain: BodyChoices = { inputType: undefined, rawHttp: false, exactIntegers: false, bytesInputs: false };

const codec = (choices: Partial<BodyChoices> = {}): InstancesCodec => new InstancesCodec({ ...plain, ...choices }, serving);
const asked = (): WorkerRequest => request({ protocol: 'instances', url: '/v1/models/m:predict', contentType: 'application/json' });
const decoded = (body: string, inputType?: InputType, at = asked()): unknown => codec({ inputType }).decode(at, Buffer.from(body));
const answered = ({ parts }: Encoded): unknown => JSON.parse(parts.map(String).join(''));

/** The body of an answer of `run()` to so many instances. */
function predicted(result: unknown, instances?: number): unknown {
  const at = asked();
  at.instances = instances;
  return answered(codec().encode(at, result));
}

const json = fc.jsonValue({ maxDepth: 3, noUnicodeString: false }).filter((value) => !Object.is(value, -0));

describe('a request with instances', () => {
  it('gives run() the instances or inputs, whatever JSON they are', () => {
    fc.assert(
      fc.property(fc.array(json), fc.constantFrom('instances', 'inputs'), (list, member) => {
        const body = JSON.stringify({ [member]: list });
        assert.deepEqual(decoded(body), JSON.parse(JSON.stringify(list)));
        assert.deepEqual(JSON.parse(decoded(body, 'text') as string), JSON.parse(JSON.stringify(list)));
        assert.deepEqual(JSON.parse(String(decoded(body, 'bytes'))), JSON.parse(JSON.stringify(list)));
      }),
    );
  });

  it('gives run() inputs by name as the object', () => {
    assert.deepEqual(decoded('{"inputs":{"a":[1],"b":["x"]}}'), { a: [1], b: ['x'] });
  });

  it('gives a script for tensors the numbers as a tensor', () => {
    const tensor = decoded('{"instances": [[1, 2], [3, 4]], "parameters": {"top": 3}}', 'tensors');
    assert.ok(tensor instanceof JsonNumbers);
    assert.deepEqual(
      [tensor.dims, Array.from(tensor.data)],
      [
        [2, 2],
        [1, 2, 3, 4],
      ],
    );
  });

  it('gives a script for text every digit', () => {
    assert.equal(decoded('{"instances": [12345678901234567890]}', 'text'), '[12345678901234567890]');
  });

  it('gives a script for text a number beyond the range of doubles, whatever answers may have', () => {
    const strict = new InstancesCodec({ ...plain, inputType: 'text' }, { ...serving, nonFinite: 'error' });
    assert.equal(strict.decode(asked(), Buffer.from('{"instances": [1e999]}')), '["Infinity"]');
  });

  it('shows run() the parameters of the request', () => {
    const at = asked();
    decoded('{"instances": [], "parameters": {"top": 3, "name": "x", "flag": true, "list": [1], "none": null}}', 'json', at);
    assert.deepEqual({ ...at.parameters.request }, { top: 3, name: 'x', flag: true });
    const without = asked();
    decoded('{"instances": []}', 'json', without);
    assert.deepEqual(without.parameters.request, Object.create(null));
  });

  it('reaches a script with rawHttp as it is', async () => {
    const got = codec({ rawHttp: true }).decode(asked(), Buffer.from('no JSON'));
    assert.ok(got instanceof Request);
    assert.equal(await got.text(), 'no JSON');
  });

  const refusals: [body: string, message: string][] = [
    ['[[1]]', 'the body: expected an object with a list "instances", or with "inputs", got [[1]]'],
    ['"x"', 'the body: expected an object with a list "instances", or with "inputs", got "x"'],
    ['null', 'the body: expected an object with a list "instances", or with "inputs", got null'],
    ['{}', 'the body: expected an object with a list "instances", or with "inputs", got the members []'],
    ['{"data":[1]}', 'the body: expected an object with a list "instances", or with "inputs", got the members ["data"]'],
    ['{"instances":null}', 'the body: expected an object with a list "instances", or with "inputs", got the members ["instances"]'],
    ['{"instances":{"a":1}}', '"instances": expected a list of instances, got {"a":1}'],
    ['{"inputs":5}', '"inputs": expected a list of instances, or an object of inputs by name, got 5'],
    ['{"instances":[1],"inputs":[1]}', 'the body: expected either "instances" or "inputs", got both'],
    ['{"instances":[1],"parameters":[1]}', 'parameters of the request: expected an object, got [1]'],
  ];
  for (const [body, message] of refusals)
    for (const inputType of ['json', 'text', 'tensors'] as const)
      it(`is refused for ${body} (${inputType})`, () => {
        assert.throws(
          () => decoded(body, inputType),
          (error) =>
            error instanceof ServerError &&
            error.code === 'invalid_input' &&
            error.message === (body === '[[1]]' && inputType === 'tensors' ? message.replace('[[1]]', 'a list') : message),
        );
      });

  it('is refused for a body that is no JSON', () => {
    assert.throws(() => decoded('{"instances": [1,]}'), { code: 'bad_json' });
    assert.throws(() => decoded(''), { code: 'bad_json' });
  });
});

describe('an answer to instances', () => {
  it('has what run() returned as predictions, whatever JSON it is', () => {
    fc.assert(
      fc.property(json, (value) => {
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
        assert.deepEqual(predicted(value), { predictions: JSON.parse(JSON.stringify(value)) });
      }),
    );
  });

  it('has the values of a tensor', () => {
    assert.deepEqual(predicted({ type: 'float32', dims: [2, 1], data: new Float32Array([1, 2]) }, 2), { predictions: [[1], [2]] });
    assert.deepEqual(predicted(new Float32Array([1, 2]), 1), { predictions: [1, 2] });
  });

  it('leaves an object that has predictions as it is', () => {
    assert.deepEqual(predicted({ predictions: [1], model: 'v2' }, 1), { predictions: [1], model: 'v2' });
  });

  it('has an object for each row of several columns, and the values of a single one', () => {
    const scores = { type: 'float32', dims: [2, 2], data: new Float32Array([1, 2, 3, 4]) };
    const flags = { type: 'bool', dims: [2], data: new Uint8Array([1, 0]) };
    const rows = [
      { label: 'a', scores: [1, 2], flag: true, size: 5 },
      { label: 'b', scores: [3, 4], flag: false, size: 6 },
    ];
    const columns = { label: ['a', 'b'], scores, flag: flags, size: new Int32Array([5, 6]) };
    assert.deepEqual(predicted(columns, 2), { predictions: rows });
    assert.deepEqual(predicted(columns), { predictions: rows });
    assert.deepEqual(predicted({ scores }, 2), {
      predictions: [
        [1, 2],
        [3, 4],
      ],
    });
  });

  it('has objects as they are whose members are no columns of the instances', () => {
    const objects: object[] = [{}, { a: [1], b: [1, 2] }, { a: [1, 2], note: 'x' }, { a: [1, 2] }, { a: [1, 2], b: [3, 4] }];
    for (const object of objects) assert.deepEqual(predicted(object, 1), { predictions: object });
    assert.deepEqual(predicted({ mean: { type: 'float32', dims: [], data: new Float32Array([1]) } }, 1), { predictions: { mean: 1 } });
  });

  it('rows and columns hold the same values', () => {
    const names = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 4 }).filter((list) => !list.includes('predictions'));
    fc.assert(
      fc.property(names, fc.array(json, { minLength: 1 }), (keys, items) => {
        const { predictions } = predicted(Object.fromEntries(keys.map((key) => [key, items])), items.length) as { predictions: object[] };
        const expected = JSON.parse(JSON.stringify(items)) as unknown[];
        assert.deepEqual(
          predictions.map((row) => keys.map((key) => Object.getOwnPropertyDescriptor(row, key)?.value as unknown)),
          expected.map((item) => keys.map(() => item)),
        );
      }),
    );
  });

  it('keeps the headers of an Answer, and is null where run() returned nothing', () => {
    const { headers, parts } = codec().encode(asked(), new Answer([1], { headers: { 'x-model': 'v2' } }));
    assert.deepEqual(headers, [
      ['content-type', 'application/json'],
      ['x-model', 'v2'],
    ]);
    assert.deepEqual(parts, ['{"predictions":[1]}']);
    assert.deepEqual(predicted(undefined), { predictions: null });
  });

  it('has an error in the form of the protocol', () => {
    assert.equal(codec().failure('too old'), '{"error":"too old"}');
    assert.equal(codec().failure({ field: 'age' }), '{"error":"{\\"field\\":\\"age\\"}"}');
  });
});
