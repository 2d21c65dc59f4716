import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { type ErrorCode, failures, ServerError } from '../../server/errors.ts';
import { served } from '../http/fake-scorer.ts';
import { write } from './client.ts';
import { start } from './start.ts';

const MESSAGE = { model_name: 'wine' };
const same = (bytes: Buffer): Buffer => bytes;
const message = {
  headers: [['content-type', 'application/grpc']] as const,
  body: write('ModelInferResponse', { model_name: 'wine', id: '7' }),
};

const model = {
  name: 'wine-file',
  inputs: [{ name: 'x', type: 'float32', dims: ['N', 3] }],
  outputs: [{ name: 'y', type: 'int64', dims: ['N'] }],
  provider: 'cpu',
  intraOpThreads: 1,
  ortVersion: '1',
  loadSeconds: 1,
  batching: { merges: true, reason: 'asked for' },
} as const;

describe('the gRPC service', () => {
  it('answers whether server and model are ready', async (t) => {
    const { client, scorer, lifecycle } = await start(t);
    assert.deepEqual((await client.call('ServerLive')).message, { live: true });
    assert.deepEqual((await client.call('ServerReady')).message, { ready: true });
    assert.deepEqual((await client.call('ModelReady', { name: 'wine', version: '1' })).message, { ready: true });
    assert.equal((await client.error('ModelReady', { name: 'beer' })).code, status.NOT_FOUND);
    scorer.ready = false;
    assert.deepEqual((await client.call('ModelReady', { name: 'wine' })).message, {});
    lifecycle.to('draining');
    assert.deepEqual((await client.call('ServerReady')).message, {});
    assert.deepEqual((await client.call('ServerLive')).message, { live: true });
  });

  it('counts each status of its scoring method from 0, and only of that', async (t) => {
    const { metrics } = await start(t);
    const text = await metrics.registry.metrics();
    for (const code of [200, 429, 500, 504]) assert.ok(text.includes(`scoring_requests_total{route="grpc ModelInfer",code="${code}"} 0\n`));
    assert.doesNotMatch(text, /route="grpc (?!ModelInfer")/);
  });

  it('describes the server and its model', async (t) => {
    const { client, scorer } = await start(t);
    const { message: server } = await client.call('ServerMetadata');
    assert.deepEqual([server['name'], server['extensions']], ['scoring-server', ['binary_tensor_data']]);
    assert.equal((await client.call('ModelMetadata', { name: 'wine' })).message['platform'], 'scoring-server_script');
    scorer.served = { ...served, noCode: true, models: [model] };
    assert.deepEqual((await client.call('ModelMetadata', { name: 'wine' })).message, {
      name: 'wine',
      versions: ['1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '3'] }],
      outputs: [{ name: 'y', datatype: 'INT64', shape: ['-1'] }],
      properties: { execution_provider: 'cpu', batching: 'merged: asked for' },
    });
    scorer.served = undefined;
    assert.equal((await client.error('ModelMetadata', { name: 'wine' })).code, status.UNAVAILABLE);
  });

  it('passes bytes to a worker and back, with ids, a log line and metrics', async (t) => {
    const { client, scorer, line, metrics } = await start(t);
    scorer.outcome = () => message;
    const { message: answer, metadata } = await client.call('ModelInfer', MESSAGE, { 'x-request-id': 'mine', 'x-custom': 'yes' });
    assert.deepEqual(answer, { model_name: 'wine', id: '7' });
    assert.deepEqual(metadata.get('x-request-id'), ['mine']);
    const [request] = scorer.requests;
    assert.deepEqual([request?.protocol, request?.id, request?.bodyBytes], ['open-inference-grpc', 'mine', 6]);
    assert.deepEqual(Buffer.concat([...request!.body]), write('ModelInferRequest', MESSAGE));
    assert.ok(request!.rawHeaders.includes('x-custom'));
    const logged = await line(({ msg }) => msg === 'request');
    assert.deepEqual([logged['route'], logged['status'], logged['requestId'], logged['worker']], ['grpc ModelInfer', 200, 'mine', 1]);
    assert.deepEqual([logged['bytesIn'], logged['bytesOut']], [6, message.body.length]);
    const text = await metrics.registry.metrics();
    assert.match(text, /scoring_requests_total\{route="grpc ModelInfer",code="200"\} 1/);
    assert.match(text, /scoring_run_duration_seconds_count 1/);
  });

  it("sends a script's headers as metadata, without those of the server and of the transport", async (t) => {
    const { client, scorer } = await start(t);
    const own = [
      ...(['x-request-id', 'TraceId', 'x-ms-request-id', 'grpc-status', 'grpc-message', 'Connection', 'Content-Length'] as const),
      ...(['content-encoding', 'Transfer-Encoding', 'te', 'Upgrade', 'x-bytes-bin', ':path', 'keep-alive'] as const),
    ].map((name) => [name, '3'] as const);
    const headers = [
      ...message.headers,
      ...own,
      ['X-Model', 'v2'],
      ['x-twice', 'a'],
      ['X-Twice', 'b'],
      ['x-odd', 'ä'],
      ['x-long', 'a'.repeat(60_000)],
    ] as const;
    scorer.outcome = () => ({ ...message, headers });
    const { metadata } = await client.call('ModelInfer', MESSAGE, { 'x-request-id': 'mine' });
    const { 'x-model': version, 'x-twice': twice, 'x-odd': odd, 'x-request-id': id, ...others } = metadata.getMap();
    assert.deepEqual([version, twice, odd, id], ['v2', 'a, b', undefined, 'mine']);
    assert.ok(own.every(([name]) => others[name.toLowerCase()] !== '3'));
    assert.equal(others['x-long'], undefined);

    scorer.outcome = () => ({
      status: 429,
      headers: [
        ['retry-after', '7'],
        ['content-type', 'text/plain'],
      ],
      body: Buffer.from('later'),
    });
    const refused = await new Promise<readonly unknown[]>((resolve) => {
      const call = client.client.makeUnaryRequest('/inference.GRPCInferenceService/ModelInfer', same, same, Buffer.alloc(0), (error) =>
        call.once('status', () => resolve([error?.code, error?.details])),
      );
      call.on('metadata', (received) => assert.deepEqual(received.get('retry-after'), ['7']));
    });
    assert.deepEqual(refused, [status.RESOURCE_EXHAUSTED, 'later']);
  });

  it('does not know RPCs that are not of the protocol', async (t) => {
    const { client } = await start(t);
    assert.equal((await client.error('Nonsense', Buffer.alloc(0))).code, status.UNIMPLEMENTED);
  });

  it('logs them with their path, and every call with the fields that the options name', async (t) => {
    const { client, line } = await start(t, { accessLogFields: ['client', 'user-agent'], trustedProxies: ['127.0.0.1'] });
    await client.error('Nonsense', Buffer.alloc(0), { 'x-forwarded-for': '198.51.100.1' });
    const unknown = await line(({ msg }) => msg === 'request');
    assert.deepEqual([unknown['route'], unknown['path'], unknown['status']], ['grpc *', '/inference.GRPCInferenceService/Nonsense', 404]);
    assert.equal(unknown['client'], '198.51.100.1');
    assert.match(String(unknown['userAgent']), /^grpc-node/);
    await client.error('ModelMetadata', Buffer.of(0xff));
    const known = await line(({ msg, route }) => msg === 'request' && route === 'grpc ModelMetadata');
    assert.deepEqual([known['client'], known['path']], ['127.0.0.1', undefined]);
  });

  it('refuses messages above the limit, and ids that are too long', async (t) => {
    const { client, scorer } = await start(t, { bodyLimitBytes: 100 });
    assert.equal((await client.error('ModelInfer', Buffer.alloc(101))).code, status.RESOURCE_EXHAUSTED);
    assert.equal((await client.error('ModelInfer', MESSAGE, { 'x-request-id': 'x'.repeat(101) })).code, status.INVALID_ARGUMENT);
    assert.equal((await client.error('ModelMetadata', Buffer.of(0xff))).code, status.INVALID_ARGUMENT);
    assert.deepEqual(scorer.requests, []);
  });
});

/**
 * gRPC's codes for rows of the failure table. The code of a row that is not here comes from its
 * HTTP status.
 */
const codes: Partial<Record<ErrorCode, status>> = {
  bad_json: status.INVALID_ARGUMENT,
  invalid_input: status.INVALID_ARGUMENT,
  model_unknown: status.NOT_FOUND,
  queue_full: status.RESOURCE_EXHAUSTED,
  run_failed: status.INTERNAL,
  result_not_json: status.INTERNAL,
  internal: status.INTERNAL,
  not_ready: status.UNAVAILABLE,
  stopping: status.UNAVAILABLE,
  queue_timeout: status.UNAVAILABLE,
  worker_lost: status.UNAVAILABLE,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  model_refused: status.INTERNAL,
};

describe('failures over gRPC', () => {
  for (const [code, expected] of Object.entries(codes) as [ErrorCode, status][]) {
    it(`${code} is ${status[expected]}`, async (t) => {
      const { client, scorer, line } = await start(t);
      scorer.outcome = () => new ServerError(code, 'the message', { cause: new Error('a secret') });
      const error = await client.error('ModelInfer', MESSAGE);
      assert.equal(error.code, expected);
      const text = failures[code].status === undefined ? failures.internal.clientMessage : (failures[code].clientMessage ?? 'the message');
      assert.equal(error.details, text);
      assert.equal((await line(({ msg }) => msg === 'request'))['status'], failures[code].status ?? 500);
    });
  }

  it('a refusal at the door reserves nothing', async (t) => {
    const { client, scorer } = await start(t);
    scorer.refuseAdmit = new ServerError('queue_full', 'full');
    assert.equal((await client.error('ModelInfer', MESSAGE)).code, status.RESOURCE_EXHAUSTED);
    assert.equal(scorer.reserved, 0);
  });

  it('statuses of scripts are mapped, with their text', async (t) => {
    const { client, scorer } = await start(t);
    const mapped = { 401: 16, 403: 7, 404: 5, 409: 3, 413: 8, 422: 3, 429: 8, 500: 13, 501: 12, 503: 14, 504: 4 };
    for (const [httpStatus, code] of Object.entries(mapped)) {
      scorer.outcome = () => ({ status: Number(httpStatus), body: Buffer.from(`because ${httpStatus}`) });
      const { code: got, details } = await client.error('ModelInfer', MESSAGE);
      assert.deepEqual([got, details], [code, `because ${httpStatus}`]);
    }
  });

  it('an answer that is no message, or a stream, is a fault of the script', async (t) => {
    const { client, scorer, line } = await start(t);
    const stream = new Readable({ read: () => undefined });
    for (const outcome of [{}, { body: stream }]) {
      scorer.outcome = () => outcome;
      assert.equal((await client.error('ModelInfer', MESSAGE)).code, status.INTERNAL);
    }
    assert.match((await line(({ code }) => code === 'result_not_json')).msg, /over gRPC return tensors by name/);
    assert.ok(stream.destroyed);
  });

  it('a client that cancels, or whose own deadline passes, cancels the scoring', async (t) => {
    const { client, scorer } = await start(t);
    scorer.outcome = () => new Promise(() => undefined);
    const scored = scorer.called('score');
    const failed = client.error('ModelInfer', MESSAGE);
    await scored;
    const cancelled = scorer.called('cancel');
    client.cancel();
    await cancelled;
    assert.equal((await failed).code, status.CANCELLED);
    const late = scorer.called('cancel');
    assert.equal((await client.error('ModelInfer', MESSAGE, {}, new Date(Date.now() + 2500))).code, status.DEADLINE_EXCEEDED);
    await late;
  });
});

describe('the gRPC health service', () => {
  it('answers for the server, the service and the model', async (t) => {
    const { client, scorer, lifecycle } = await start(t);
    const check = async (service: string): Promise<unknown> => (await client.call('Check', { service })).message['status'];
    for (const service of ['', 'inference.GRPCInferenceService', 'wine']) assert.equal(await check(service), 'SERVING');
    assert.equal((await client.error('Check', { service: 'beer' })).code, status.NOT_FOUND);
    scorer.ready = false;
    assert.equal(await check(''), 'NOT_SERVING');
    scorer.ready = true;
    lifecycle.to('draining');
    assert.equal(await check('wine'), 'NOT_SERVING');
  });

  it('sends watchers every change, and ends their calls when it closes', async (t) => {
    const { client, lifecycle, scorer, listening } = await start(t);
    const watched = client.watch();
    const next = async (): Promise<unknown> => (await watched.next()).value;
    assert.equal(await next(), 'SERVING');
    scorer.ready = false;
    assert.equal(await next(), 'NOT_SERVING');
    scorer.ready = true;
    assert.equal(await next(), 'SERVING');
    lifecycle.to('draining');
    assert.equal(await next(), 'NOT_SERVING');
    const unknown = client.watch('beer');
    assert.equal((await unknown.next()).value, 'SERVICE_UNKNOWN');
    await listening.close();
    assert.equal((await watched.next()).done, true);
    assert.equal((await unknown.next()).done, true);
  });

  it('a close waits for open calls, and accepts no new ones', async (t) => {
    const { client, scorer, listening } = await start(t);
    const outcome = Promise.withResolvers<typeof message>();
    scorer.outcome = () => outcome.promise;
    const scored = scorer.called('score');
    const answer = client.call('ModelInfer', MESSAGE);
    await scored;
    let closed = false;
    const closing = listening.close().then(() => (closed = true));
    assert.equal((await client.error('ServerLive', {})).code, status.UNAVAILABLE);
    assert.equal(closed, false);
    outcome.resolve(message);
    assert.deepEqual((await answer).message, { model_name: 'wine', id: '7' });
    await closing;
  });

  it('names the reason why a port cannot be opened', async (t) => {
    const { listening } = await start(t);
    await assert.rejects(start(t, { grpcPort: listening.port }), (error) => {
      assert.ok(error instanceof ServerError && error.code === 'listen_failed');
      assert.match(error.message, /cannot listen on 127\.0\.0\.1:\d+ for gRPC: .*EADDRINUSE.*GRPC_PORT/s);
      return true;
    });
  });
});
