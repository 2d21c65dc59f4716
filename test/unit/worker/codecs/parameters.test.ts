import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Answer, type AnswerOptions, type InferParameter } from '../../../../server/entry-script.ts';
import { ServerError } from '../../../../server/errors.ts';
import { blockField, packVarints } from '../../../../server/tensors/protobuf.ts';
import { OpenInferenceGrpcCodec } from '../../../../server/worker/codecs/open-inference-grpc.ts';
import { OpenInferenceCodec } from '../../../../server/worker/codecs/open-inference.ts';
import { ScoreCodec } from '../../../../server/worker/codecs/score-codec.ts';
import type { WorkerRequest } from '../../../../server/worker/request-context.ts';
import { read, write } from '../../../grpc/client.ts';
import { request } from '../some-tensor.ts';

const serving = { modelName: 'm', nonFinite: 'string', inputs: undefined } as const;
const rest = new OpenInferenceCodec(serving);
const grpc = new OpenInferenceGrpcCodec(serving);
const score = new ScoreCodec({ inputType: undefined, rawHttp: false, exactIntegers: false, bytesInputs: false }, serving);
const input = { name: 'x', shape: [1], datatype: 'BOOL' };

function overRest(text: string): WorkerRequest {
  const asked = request({});
  rest.decode(asked, Buffer.from(text));
  return asked;
}

function overGrpc(message: object | Buffer): WorkerRequest {
  const asked = request({});
  grpc.decode(asked, Buffer.isBuffer(message) ? message : write('ModelInferRequest', { model_name: 'm', ...message }));
  return asked;
}

/** As the protocol's own message has it. */
function field(value: InferParameter): object {
  if (typeof value === 'string') return { string_param: value };
  if (typeof value === 'boolean') return { bool_param: value };
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return { double_param: value };
  return BigInt(value) > 2n ** 63n - 1n ? { uint64_param: String(value) } : { int64_param: String(value) };
}

const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', ''), fc.string({ unit: 'grapheme' }));
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
  fc.maxSafeInteger().filter((number) => number !== 0),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((number) => !Number.isSafeInteger(Number(number))),
);
const some = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, minLength: 1, maxLength: 4 });

describe('parameters of a request', () => {
  it('arrive over REST as they were sent, whatever their names are', () => {
    fc.assert(
      fc.property(some, name, (parameters, of) => {
        const members = parameters.map(([key, each]) => `${JSON.stringify(key)}:${typeof each === 'bigint' ? each : JSON.stringify(each)}`);
        const text = `{${members.join(',')}}`;
        const carrier = `{"name":${JSON.stringify(of || 'x')},"parameters":${text}`;
        const asked = overRest(
          `{"parameters":${text},"inputs":[${carrier},"shape":[1],"datatype":"BOOL","data":[true]}],"outputs":[${carrier}}]}`,
        );
        const { parameters: got } = asked;
        for (const each of [got.request, got.inputs[of || 'x']!, got.outputs[of || 'x']!])
          assert.deepEqual(new Map(Object.entries(each)), new Map(parameters));
      }),
    );
  });

  it('arrive over gRPC with the type of their field; whole numbers are bigint only where a number is not exact', () => {
    fc.assert(
      fc.property(some, (parameters) => {
        const entries = parameters.map(([key, each]) => blockField(4, entry(key, write('InferParameter', field(each)))));
        const { parameters: got } = overGrpc(Buffer.concat([blockField(1, 'm'), ...entries]));
        assert.deepEqual(new Map(Object.entries(got.request)), new Map(parameters));
      }),
    );
    const { parameters } = overGrpc({ inputs: [], outputs: [{ name: 'y', parameters: { long: { string_param: 'a'.repeat(100_000) } } }] });
    assert.equal(String(parameters.outputs['y']?.['long']).length, 100_000);
  });

  it('are empty where there are none, and the id is undefined', () => {
    for (const asked of [request({ protocol: 'score' }), overRest('{"inputs":[],"parameters":{}}'), overGrpc({})])
      assert.deepEqual([JSON.stringify(asked.parameters), asked.inferenceId], ['{"request":{},"inputs":{},"outputs":{}}', undefined]);
    assert.equal(overRest('{"inputs":[],"id":"7"}').inferenceId, '7');
    assert.equal(overGrpc({ id: '7' }).inferenceId, '7');
  });

  it('of a type that the protocol does not have are left out of JSON', () => {
    const parameters = { none: null, list: [1, 2], deep: { a: 1 }, kept: 1 };
    const x = { ...input, data: [true], parameters };
    const {
      request: asked,
      inputs,
      outputs,
    } = overRest(JSON.stringify({ parameters, inputs: [x], outputs: [{ name: 'y', parameters }] })).parameters;
    for (const got of [asked, inputs['x'], outputs['y']]) assert.deepEqual({ ...got }, { kept: 1 });
  });

  it('that are no protobuf of a parameter are the fault of the client, by their place', () => {
    const cases: [() => unknown, RegExp][] = [
      [() => overGrpc(wire(entry('empty', Buffer.alloc(0)))), /^parameter empty of the request: expected one of the fields/],
      [() => overGrpc(wire(entry('bytes', blockField(3, Buffer.of(255))))), /^parameter bytes of the request: expected UTF-8/],
      [() => overGrpc(wire(entry('short', blockField(4, 'abc')))), /expected a double of 8 bytes, got 3/],
      [() => overGrpc(wire(entry('cut', blockField(2, Buffer.of(128))))), /expected a whole varint/],
      [() => overGrpc(wire(entry('n'.repeat(5000), packVarints([8, 1])))), /at most 4096 bytes, got one of 5000/],
    ];
    for (const [asks, message] of cases)
      assert.throws(asks, (thrown) => thrown instanceof ServerError && thrown.code === 'invalid_input' && message.test(thrown.message));
  });

  it('of two entries for one name the last one counts', () => {
    const twice = Buffer.concat([wire(entry('n', packVarints([16, 1]))), wire(entry('n', packVarints([16, 2])))]);
    assert.equal(overGrpc(twice).parameters.request['n'], 2);
  });
});

/** An entry of a map, with the bytes of an InferParameter. */
const entry = (key: string, parameter: Buffer): Buffer => Buffer.concat([blockField(1, key), blockField(2, parameter)]);
const wire = (...entries: readonly Buffer[]): Buffer => Buffer.concat([blockField(1, 'm'), ...entries.map((each) => blockField(4, each))]);

const jsonOf = (answer: unknown, asked = request({})): string => rest.encode(asked, answer).parts.map(String).join('');

describe('an Answer', () => {
  it('has parameters in JSON and in protobuf, whatever their names are', () => {
    fc.assert(
      fc.property(some, (parameters) => {
        const own = Object.assign(Object.create(null) as object, Object.fromEntries(parameters)) as Record<string, InferParameter>;
        for (const [key, each] of parameters) own[key] = each;
        const answer = new Answer({ y: true }, { parameters: own, outputParameters: { y: own } });
        const again = overRest(jsonOf(answer).replace('"outputs":', '"inputs":')).parameters;
        for (const got of [again.request, again.inputs['y']!]) assert.deepEqual(new Map(Object.entries(got)), new Map(parameters));
      }),
    );
    const parameters = { whole: 2, part: 0.5, exact: -3n, large: 2n ** 64n - 1n, yes: true, text: 'ä', none: undefined };
    const message = read(
      'ModelInferResponse',
      Buffer.concat(
        grpc
          .encode(request({}), new Answer({ y: true }, { parameters, outputParameters: { y: parameters } }))
          .parts.map((part) => Buffer.from(part as Uint8Array)),
      ),
    );
    const expected = {
      whole: { double_param: 2 },
      part: { double_param: 0.5 },
      exact: { int64_param: '-3' },
      large: { uint64_param: '18446744073709551615' },
      yes: { bool_param: true },
      text: { string_param: 'ä' },
    };
    assert.deepEqual([message['parameters'], (message['outputs'] as { parameters: object }[])[0]?.parameters], [expected, expected]);
  });

  it('of a value alone is that value', () => {
    for (const each of [[1, 2], { y: [1.5] }, undefined, 7n, Float32Array.of(1)]) {
      assert.equal(jsonOf(new Answer(each)), jsonOf(each));
      assert.deepEqual(score.encode(request({}), new Answer(each)), score.encode(request({}), each));
    }
  });

  it('has headers in every form of headers', () => {
    const pairs = [
      ['x-a', '1'],
      ['x-b', '2'],
    ] as const;
    for (const headers of [
      Object.fromEntries(pairs),
      pairs,
      new Headers(pairs.map(([a, b]): [string, string] => [a, b])),
      new Map(pairs),
    ]) {
      const expected = [['content-type', 'application/json'], ...pairs];
      assert.deepEqual(rest.encode(request({}), new Answer(1, { headers })).headers, expected);
      assert.deepEqual(score.encode(request({}), new Answer(1, { headers })).headers, expected);
      assert.deepEqual(grpc.encode(request({}), new Answer(1, { headers })).headers, [['content-type', 'application/grpc'], ...pairs]);
    }
    assert.equal(rest.encode(request({}), new Answer(1, { headers: {} })).headers, undefined);
  });

  it('leaves out the parameters of outputs that the client does not want, and refuses those of outputs that are not there', () => {
    const answer = new Answer({ y: 1, z: 2 }, { outputParameters: { y: { a: 1 }, z: { b: 1 } } });
    const asked = overRest('{"inputs":[],"outputs":[{"name":"z"}]}');
    assert.equal(
      jsonOf(answer, asked),
      '{"model_name":"m","outputs":[{"name":"z","datatype":"FP64","shape":[],"parameters":{"b":1},"data":[2]}]}',
    );
    assert.throws(() => jsonOf(new Answer({ y: 1 }, { outputParameters: { Y: {} } })), {
      code: 'result_not_json',
      message: /output Y, .* the outputs are y$/,
    });
    assert.match(jsonOf(new Answer(5, { outputParameters: { output: { a: 1 } } })), /"parameters":{"a":1}/);
  });

  it('that cannot be sent is refused by its place', () => {
    const options = (given: object): AnswerOptions => given;
    const cases: [unknown, string, RegExp][] = [
      [new Answer(1, options({ parameters: { a: null } })), 'result_not_json', /null at `parameters\.a`/],
      [new Answer(1, options({ parameters: { a: Number.NaN } })), 'result_not_json', /NaN at `parameters\.a`: expected a finite number/],
      [new Answer(1, options({ parameters: { a: 2n ** 64n } })), 'result_not_json', /at `parameters\.a`: expected a bigint of 64 bits/],
      [new Answer(1, options({ parameters: { a: () => 1 } })), 'result_not_json', /a function at `parameters\.a`/],
      [new Answer(1, options({ parameters: [1] })), 'result_not_json', /an array at `parameters`: expected a plain object/],
      [
        new Answer(1, options({ parameters: Object.assign(Object.create(null), { [Symbol.iterator]: 1 }) })),
        'result_not_json',
        /an object at `parameters`: expected a plain object/,
      ],
      [new Answer(1, options({ parameters: new Map() })), 'result_not_json', /a Map at `parameters`: expected a plain object/],
      [new Answer(1, options({ parameters: 'a' })), 'result_not_json', /"a" at `parameters`/],
      [new Answer(1, options({ outputParameters: { output: { a: [1] } } })), 'result_not_json', /\[1\] at `outputParameters\.output\.a`/],
      [new Answer(1, options({ outputParameters: { output: 1 } })), 'result_not_json', /1 at `outputParameters\.output`/],
      [new Answer(1, options({ headers: { 'x-a': 1 } })), 'result_not_http', /types string and number/],
      [new Answer(1, options({ headers: [['x-a']] })), 'result_not_http', /expected \[name, value\]/],
      [new Answer(1, options({ headers: 'x-a' })), 'result_not_http', /headers of type string/],
      [new Answer(1, options({ headers: { 'x a': '1' } })), 'result_not_http', /a header named "x a"/],
      [new Answer(1, options({ headers: { 'x-a': 'a\nb' } })), 'result_not_http', /U\+000A/],
      [new Answer(1, options({ headers: { 'Content-Type': 'a/b' } })), 'result_not_http', /the header Content-Type, which the server sets/],
      [new Answer(1, options({ headers: { 'Inference-Header-Content-Length': '0' } })), 'result_not_http', /which the server sets/],
      [new Answer(new Response('a')), 'result_not_json', /a Response: return the Response itself/],
      [new Answer([1].values()), 'result_not_json', /an iterator/],
      [new Answer(new Answer(1)), 'result_not_json', /an Answer: put/],
      [new Answer(Promise.resolve(1)), 'result_not_json', /a Promise: await it first/],
    ];
    for (const [answer, code, message] of cases)
      for (const codec of [rest, grpc, score])
        if (codec !== score || !/arameters/.test(String(message)))
          assert.throws(() => codec.encode(request({}), answer), { code, message });
    for (const headers of [{ 'x-a': 'ä' }, { 'x-a': 'a'.repeat(7000) }])
      assert.throws(() => grpc.encode(request({}), new Answer(1, { headers })), { code: 'result_not_http', message: /gRPC/ });
  });
});
