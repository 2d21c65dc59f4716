import assert from 'node:assert/strict';
import test from 'node:test';
import { BINDINGS_HEADER, type FunctionBindings } from '../../../../server/config/platforms/function-bindings.ts';
import { Answer, type InputType } from '../../../../server/entry-script.ts';
import { headText } from '../../../../server/ipc/score-head.ts';
import { AzureFunctionCodec } from '../../../../server/worker/codecs/azure-function.ts';
import { WorkerRequest } from '../../../../server/worker/request-context.ts';
import { RunLines } from '../../../../server/worker/run-lines.ts';

const serving = { modelName: 'm', nonFinite: 'string', inputs: undefined } as const;
const plain: FunctionBindings = { input: 'input', http: false, binary: false, outputs: [{ name: 'output', kind: 'plain' }] };

function requestOf(bindings?: FunctionBindings): WorkerRequest {
  const head = { protocol: 'azure-function', method: 'POST', url: '/f', contentType: 'application/json', id: 'i', traceId: 't' } as const;
  return new WorkerRequest(
    'azure-function',
    headText({ ...head, clientRequestId: undefined }, bindings === undefined ? [] : [BINDINGS_HEADER, JSON.stringify(bindings)]),
  );
}

const codecOf = (inputType?: InputType, exactIntegers = false): AzureFunctionCodec =>
  new AzureFunctionCodec({ inputType, rawHttp: false, exactIntegers, bytesInputs: false }, serving);

const decoded = (value: unknown, inputType?: InputType, bindings: FunctionBindings | undefined = plain): unknown =>
  codecOf(inputType).decode(requestOf(bindings), Buffer.from(JSON.stringify({ Data: { input: value }, Metadata: { a: 1 } })));

/** The reply to an answer, as the Functions host reads it. */
function replyTo(result: unknown, bindings?: FunctionBindings): Record<string, unknown> {
  const codec = codecOf();
  const request = requestOf(bindings);
  codec.decode(request, Buffer.from('{"Data": {"input": ""}}'));
  return JSON.parse(codec.encode(request, result).parts.join('')) as Record<string, unknown>;
}

void test('a text comes out of its second JSON, whatever is in it', () => {
  for (const text of ['a', '', '{"a": 1}', '"quoted"', '[1', 'aGk=', '1', '\u2028é']) assert.equal(decoded(JSON.stringify(text)), text);
});

void test('plain texts, objects and numbers are tolerated', () => {
  for (const [value, text] of [
    ['plain', 'plain'],
    ['"broken', '"broken'],
    ['{"a":1}', '{"a":1}'],
    [{ a: [1] }, '{"a":[1]}'],
    [[1, 2], '[1,2]'],
    [5, '5'],
    [null, 'null'],
  ] as const)
    assert.equal(decoded(value), text);
});

void test('the script decides the form of its data', () => {
  assert.deepEqual(decoded(JSON.stringify('{"a": 1}'), 'json'), { a: 1 });
  assert.deepEqual(decoded({ a: 1 }, 'json'), { a: 1 });
  assert.equal(decoded({ a: 1 }, 'text'), '{"a":1}');
  assert.deepEqual(decoded(JSON.stringify('hé'), 'bytes'), Buffer.from('hé'));
  assert.deepEqual(decoded('AP8=', 'bytes'), Buffer.from([0, 255]), 'bytes of a binding without dataType');
  assert.deepEqual(decoded('no base64', 'bytes'), Buffer.from('no base64'));
  assert.deepEqual(decoded(JSON.stringify('AP8='), 'bytes'), Buffer.from('AP8='), 'a text, because it is JSON');
  assert.throws(() => decoded(JSON.stringify('no JSON'), 'json'), { code: 'bad_json' });
});

void test('a binary binding is bytes', () => {
  const binary = { ...plain, binary: true };
  assert.deepEqual(decoded('AP8=', undefined, binary), Buffer.from([0, 255]));
  assert.deepEqual(decoded('', 'bytes', binary), Buffer.alloc(0));
  assert.deepEqual(decoded(Buffer.from('{"a":1}').toString('base64'), 'json', binary), { a: 1 });
  assert.throws(() => decoded('AP8', undefined, binary), { code: 'invalid_input', message: /Data\.input: expected base64/ });
  assert.throws(() => decoded('AP8=', 'text', binary), { code: 'bad_text' });
});

void test('what is no envelope is refused with what was expected', () => {
  const codec = codecOf();
  for (const body of ['[]', '{}', '{"Data": []}', '{"Data": {}}', '{"Data": {"other": ""}}', 'null'])
    assert.throws(() => codec.decode(requestOf(plain), Buffer.from(body)), { code: 'invalid_input', message: /^expected / });
  assert.throws(() => codec.decode(requestOf(plain), Buffer.from('{')), { code: 'bad_json' });
});

void test('metadata are an object, or empty', () => {
  const request = requestOf(plain);
  codecOf().decode(request, Buffer.from('{"Data": {"input": ""}, "Metadata": {"DeliveryCount": 2}}'));
  assert.deepEqual(request.metadata, { DeliveryCount: 2 });
  codecOf().decode(request, Buffer.from('{"Data": {"input": ""}, "Metadata": 5}'));
  assert.deepEqual(request.metadata, {});
});

void test('every output gets the answer in the form of its kind', () => {
  const outputs = [
    { name: 'a', kind: 'plain' },
    { name: 'b', kind: 'binary' },
    { name: 'res', kind: 'http' },
  ] as const;
  const bindings = { ...plain, outputs };
  assert.deepEqual(replyTo({ x: 1 }, bindings), {
    Outputs: {
      a: { x: 1 },
      b: { x: 1 },
      res: { statusCode: 200, status: 200, body: { x: 1 }, headers: { 'content-type': 'application/json' } },
    },
    Logs: [],
    ReturnValue: '',
  });
  const { Outputs } = replyTo(12, bindings) as { Outputs: Record<string, unknown> };
  assert.deepEqual([Outputs['a'], Outputs['b']], [Buffer.from('12').toString('base64'), '12']);
  const text = replyTo('1234', bindings) as { Outputs: Record<string, unknown> };
  assert.deepEqual([text.Outputs['a'], text.Outputs['b']], ['"1234"', '"1234"']);
});

void test('ReturnValue is the answer where a function has $return or no output', () => {
  assert.deepEqual(replyTo({ x: 1 }, { ...plain, outputs: [{ name: '$return', kind: 'plain' }] }), {
    Outputs: {},
    Logs: [],
    ReturnValue: { x: 1 },
  });
  assert.deepEqual(replyTo([1], { ...plain, outputs: [] }), { Outputs: {}, Logs: [], ReturnValue: [1] });
  assert.deepEqual(Object.keys(replyTo(undefined).Outputs as object), ['output', 'res'], 'of a function that is not known');
});

void test('headers of an Answer are those of res', () => {
  const { Outputs } = replyTo(new Answer({}, { headers: { 'x-model': 'v2' } })) as { Outputs: { res: { headers: object } } };
  assert.deepEqual(Outputs.res.headers, { 'content-type': 'application/json', 'x-model': 'v2' });
});

void test('a status that is no success stays one, but for a client over HTTP', () => {
  const codec = codecOf();
  const of = (bindings: FunctionBindings, status: number): number => {
    const request = requestOf(bindings);
    codec.decode(request, Buffer.from('{"Data": {"input": {"Url": "http://h/p", "Method": "POST"}}}'));
    return codec.wrap(request, { status, headers: [], body: '{}' }).status;
  };
  const http = { ...plain, http: true };
  assert.deepEqual(
    [200, 201, 302, 404, 422, 500, 503].map((status) => of(plain, status)),
    [200, 200, 302, 404, 422, 500, 503],
  );
  assert.deepEqual(
    [200, 201, 302, 404, 422, 500, 503].map((status) => of(http, status)),
    [200, 200, 200, 200, 200, 500, 503],
  );
});

void test('a request in the envelope is shown as it was sent, without what HTTP cannot carry', () => {
  const request = requestOf({ ...plain, http: true });
  const Headers = { 'Content-Type': ['application/json'], 'bad name': ['a'], 'x-a': ['1', '2', 'b\nc'], 'x-b': 5 };
  const body = { Data: { input: { Url: 'https://h:1/p%20q?a=1', Method: 'put', Headers, Body: '{"a":1}' } } };
  assert.deepEqual(codecOf().decode(request, Buffer.from(JSON.stringify(body))), { a: 1 });
  assert.deepEqual([request.method, request.url, request.id, request.traceId], ['PUT', '/p%20q?a=1', 'i', 't']);
  assert.deepEqual(
    [...request.headers],
    [
      ['content-type', 'application/json'],
      ['x-a', '1, 2'],
    ],
  );
});

void test('lines of a run are bounded in number and length', () => {
  const many = new RunLines();
  for (let line = 0; line < 150; line++) many.add(`${line}`);
  assert.equal(many.all.length, 101);
  assert.equal(many.all.at(-1), '... 50 more lines are in the log of the server');
  const long = new RunLines();
  long.add('a'.repeat(70_000));
  long.add('b');
  assert.deepEqual(
    long.all.map((line) => line.length),
    [65_536 + 9, '... 1 more lines are in the log of the server'.length],
  );
});
