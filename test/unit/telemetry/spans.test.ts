import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerError, type ErrorCode } from '../../../server/errors.ts';
import { readIds } from '../../../server/request/request-ids.ts';
import type { SpanItem } from '../../../server/telemetry/exporting/items.ts';
import type { ExportedRequest } from '../../../server/telemetry/request-exports.ts';
import { spansOf } from '../../../server/telemetry/spans.ts';

interface Case extends Omit<Partial<ExportedRequest>, 'failure' | 'route'> {
  readonly failure?: ErrorCode;
  readonly route?: string;
}

/** The span of a request itself. */
function serverSpan({ failure, route = '/score', ...more }: Case): SpanItem {
  const request: ExportedRequest = {
    route: { path: route },
    method: 'POST',
    url: 'http://host:5001/score',
    protocolVersion: '1.1',
    header: () => undefined,
    status: 200,
    ids: readIds({}, () => true),
    failure: failure && new ServerError(failure, 'x'),
    callerPassed: true,
    reply: undefined,
    scoring: undefined,
    input: undefined,
    ...more,
  };
  const [span, ...others] = spansOf(request, request.url, 0, 1);
  assert.ok(span !== undefined);
  assert.deepEqual(others, []);
  return span;
}

/** One attribute, or several, as text. */
const shown = ({ attributes }: SpanItem, ...names: string[]): string => names.map((name) => attributes[name] ?? '-').join(' ');

test('the address of the server is what the client named', () => {
  for (const [url, expected] of [
    ['http://host:5001/score', 'host 5001 /score -'],
    ['http://models.example/score?a=1', 'models.example 80 /score a=1'],
    ['http://[::1]:8080/v2/models/a%20b/infer?', '::1 8080 /v2/models/a%20b/infer -'],
    ['http://10.0.0.1/', '10.0.0.1 80 / -'],
    ['HTTP://models.example:81/score?a=1', 'models.example 81 /score a=1'],
    ['/score?x=http://y/?z', '- - /score x=http://y/?z'],
    ['http://:bad:/score', '- - /score -'],
  ] as const)
    assert.equal(shown(serverSpan({ url }), 'server.address', 'server.port', 'url.path', 'url.query'), expected, url);
});

test('a method that the convention does not know is another, and its name is kept apart', () => {
  const span = serverSpan({ method: 'PROPFIND', route: '/any' });
  assert.equal(span.name, 'HTTP /any');
  assert.equal(shown(span, 'http.request.method', 'http.request.method_original'), '_OTHER PROPFIND');
  assert.equal(shown(serverSpan({ method: 'GET' }), 'http.request.method', 'http.request.method_original'), 'GET -');
});

test('a request that no route matched is named by its method alone', () => {
  const span = serverSpan({ method: 'GET', route: '*', status: 431, failure: 'id_too_long', url: 'http://host/a/secret/path' });
  assert.deepEqual([span.name, shown(span, 'http.route', 'url.path')], ['GET', '- /a/secret/path']);
});

test('a span failed where the server did, or where the client left', () => {
  for (const [request, expected] of [
    [{ status: 200 }, '200 - false'],
    [{ status: 422 }, '422 - false'],
    [{ status: 400, failure: 'bad_json' }, '400 - false'],
    [{ status: 429, failure: 'queue_full' }, '429 - false'],
    [{ status: 500, failure: 'run_failed' }, '500 run_failed true'],
    [{ status: 504, failure: 'deadline_exceeded' }, '504 deadline_exceeded true'],
    // A script's own answer.
    [{ status: 503 }, '503 503 true'],
    [{ status: 499, failure: 'client_gone' }, '- client_gone true'],
  ] as const) {
    const span = serverSpan(request);
    assert.equal(`${shown(span, 'http.response.status_code', 'error.type')} ${span.failed}`, expected);
  }
});

test('a gRPC call failed by the codes that are errors of a server', () => {
  const route = 'grpc ModelInfer';
  const url = 'http://host:8081/inference.GRPCInferenceService/ModelInfer';
  for (const [rpcStatus, failed] of [
    ['OK', false],
    ['CANCELLED', false],
    ['INVALID_ARGUMENT', false],
    ['NOT_FOUND', false],
    ['RESOURCE_EXHAUSTED', false],
    ['DEADLINE_EXCEEDED', true],
    ['UNIMPLEMENTED', true],
    ['INTERNAL', true],
    ['UNAVAILABLE', true],
  ] as const) {
    const span = serverSpan({ rpcStatus, route, url });
    assert.deepEqual([span.name, span.failed], ['inference.GRPCInferenceService/ModelInfer', failed]);
    assert.equal(
      shown(span, 'rpc.response.status_code', 'error.type', 'server.address', 'server.port'),
      `${rpcStatus} ${failed ? rpcStatus : '-'} host 8081`,
    );
    assert.ok(!Object.keys(span.attributes).some((name) => name.startsWith('http.')));
  }
});
