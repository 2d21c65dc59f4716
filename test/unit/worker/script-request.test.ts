import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { NO_PARAMETERS } from '../../../server/tensors/infer-request.ts';
import { request as workerRequest } from './some-tensor.ts';

const MEMBERS = [
  'clientRequestId',
  'headers',
  'id',
  'inferenceId',
  'metadata',
  'method',
  'outputs',
  'parameters',
  'protocol',
  'query',
  'signal',
  'traceId',
  'traceparent',
  'url',
];

const parts = { id: 'r-1', method: 'GET', url: '/score?a=1', protocol: 'score' } as const;

test('a copy of a request has all of its members, and they go on working', () => {
  const whole = workerRequest(parts, ['X-Custom', 'yes']);
  const copy = { ...whole.forScript };
  assert.deepEqual(Object.keys(copy).toSorted(), MEMBERS);
  assert.deepEqual([copy.id, copy.method, copy.query.get('a'), copy.headers.get('x-custom')], ['r-1', 'GET', '1', 'yes']);
  whole.cancel();
  assert.equal(copy.signal.aborted, true);
});

test('a request that is destructured gives what is named, and the rest', () => {
  const { signal, headers, ...rest } = workerRequest(parts).forScript;
  assert.deepEqual([signal.aborted, headers instanceof Headers, Object.keys(rest).length], [false, true, MEMBERS.length - 2]);
});

test('a member of a request is the same value each time', () => {
  const request = workerRequest(parts).forScript;
  for (const name of Object.keys(request)) assert.equal(Reflect.get(request, name), Reflect.get(request, name), name);
  assert.match(request.traceparent, /^00-0{32}-[0-9a-f]{16}-00$/);
  assert.equal({ ...request }.traceparent, request.traceparent);
});

test('the outputs that a client wants are members, too', () => {
  const whole = workerRequest(parts);
  whole.infer = {
    id: undefined,
    version: undefined,
    outputs: [{ name: 'y', binary: undefined }],
    binary: false,
    parameters: NO_PARAMETERS,
  };
  assert.deepEqual({ ...whole.forScript }.outputs, ['y']);
});

test("the server's own members cannot be reached", () => {
  const request = workerRequest(parts).forScript;
  for (const name of ['infer', 'inferences', 'lines', 'standFor', 'cancel', 'header', 'over', 'spanId', 'sampled', 'contentType'])
    assert.deepEqual([name in request, Reflect.get(request, name)], [false, undefined], name);
});

test('a script may add members of its own, and change none of the others', () => {
  const request = workerRequest(parts).forScript;
  Object.assign(request, { user: 'ann' });
  assert.deepEqual(Object.keys(request).toSorted(), [...MEMBERS, 'user'].toSorted());
  assert.equal(Reflect.get({ ...request }, 'user'), 'ann');
  Object.defineProperty(request, 'label', {
    get(this: { id: string }) {
      return `of ${this.id}`;
    },
    configurable: true,
  });
  assert.equal(Reflect.get(request, 'label'), 'of r-1');
  for (const change of [
    () => Object.assign(request, { id: 'other' }),
    () => Object.defineProperty(request, 'id', { value: 'other' }),
    () => delete (request as { id?: string }).id,
    () => Object.freeze(request),
  ])
    assert.throws(change, TypeError);
  assert.deepEqual([request.id, Object.keys(request).length], ['r-1', MEMBERS.length + 1]);
  delete (request as { user?: string }).user;
  assert.deepEqual(Object.keys(request).toSorted(), MEMBERS);
});

test('a printed request shows its members', () => {
  const request = workerRequest(parts, ['X-Custom', 'yes']).forScript;
  assert.match(inspect(request), /id: 'r-1'[\s\S]*method: 'GET'[\s\S]*x-custom': 'yes'/i);
  assert.match(inspect(request, { showProxy: true }), /Proxy/);
  const { id, method, url } = JSON.parse(JSON.stringify(request)) as Record<string, unknown>;
  assert.deepEqual([id, method, url], ['r-1', 'GET', '/score?a=1']);
});
