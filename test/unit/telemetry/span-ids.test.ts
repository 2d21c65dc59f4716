import assert from 'node:assert/strict';
import test from 'node:test';
import type { ExceptionItem, RequestItem } from '../../../server/telemetry/exporting/items.ts';
import { SpanIds } from '../../../server/telemetry/exporting/span-ids.ts';

const common = { at: 0, clientRequestId: undefined };
const told = { ms: 1, route: '/score', method: 'POST', url: '', status: 500, parentId: undefined, response: undefined };
const request = (requestId: string, spanId?: string): RequestItem => ({
  kind: 'request',
  ...common,
  ...told,
  requestId,
  traceId: `trace of ${requestId}`,
  spanId,
});
const exception = (requestId: string): ExceptionItem => ({
  kind: 'exception',
  ...common,
  code: 'run_failed',
  message: '',
  requestId,
  traceId: `trace of ${requestId}`,
});

test('what follows a request belongs to it, and so it stays when it is sent again without its request', () => {
  const ids = new SpanIds();
  const [a, ofA, b, ofB] = [request('a', '00f067aa0ba902b7'), exception('a'), request('b'), exception('b')];
  const first = [a, ofA, b, ofB].map((item) => ids.of(item));
  assert.deepEqual(first.slice(0, 2), ['00f067aa0ba902b7', '00f067aa0ba902b7']);
  assert.match(first[2] ?? '', /^[0-9a-f]{16}$/);
  assert.equal(first[3], first[2]);
  assert.deepEqual(
    [ofA, b, ofB].map((item) => ids.of(item)),
    first.slice(1),
  );
});

test('what follows the request of somebody else belongs to none', () => {
  const ids = new SpanIds();
  assert.equal(ids.of(exception('a')), undefined);
  ids.of(request('b'));
  assert.equal(ids.of(exception('a')), undefined);
});
