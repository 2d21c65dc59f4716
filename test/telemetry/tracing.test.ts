import assert from 'node:assert/strict';
import test from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import { freePort } from '../e2e/free-port.ts';
import { withServer } from '../e2e/start-server.ts';
import { GrpcClient } from '../grpc/client.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { objectOf, startCollector, valueOf, type Span } from './span-collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const env = (endpoint: string, more: Record<string, string> = {}): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
  SERVICE_NAME: 'prices',
  DRAIN_DELAY_MS: '0',
  ...more,
});

test('a request is four spans: itself, the queue, run() and its inference, one inside the other', async (t) => {
  const got = await startCollector(t);
  await withServer(
    ['--model', writeModel('ridge', folder())],
    async (server) => {
      await server.ready();
      const answer = await server.score({ inputs: { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] } }, { traceparent: `00-${TRACE}-${CALLER}-01` });
      assert.equal(answer.status, 200);
      await server.drain();
      const [request, queue, run, inference] = ['POST /score', 'queue', 'run', 'inference'].map((name) =>
        got.spans.find((span) => span.name === name)!,
      );
      assert.equal(got.spans.length, 4);
      assert.deepEqual(new Set(got.spans.map(({ traceId }) => traceId)), new Set([TRACE]));
      assert.equal(new Set(got.spans.map(({ spanId }) => spanId)).size, 4);
      assert.deepEqual(
        [request?.parentSpanId, queue?.parentSpanId, run?.parentSpanId, inference?.parentSpanId],
        [CALLER, request?.spanId, request?.spanId, run?.spanId],
      );
      assert.deepEqual([request?.kind, run?.kind], [2, 1]);
      assert.equal(answer.headers.get('traceparent'), `00-${TRACE}-${request?.spanId}-01`);
      assert.equal(valueOf(request!.attributes, 'http.response.status_code'), 200);
      assert.equal(valueOf(request!.attributes, 'scoring.request_id'), answer.headers.get('x-request-id'));
      assert.deepEqual(
        [valueOf(inference!.attributes, 'inference.model'), valueOf(inference!.attributes, 'inference.batch_rows')],
        ['ridge', 1],
      );
      const within = (inner: Span, outer: Span): void => {
        // Two processes have two clocks, which agree to a few milliseconds.
        const slack = 20_000_000n;
        assert.ok(BigInt(inner.startTimeUnixNano) >= BigInt(outer.startTimeUnixNano) - slack, `${inner.name} begins before ${outer.name}`);
        assert.ok(BigInt(inner.endTimeUnixNano) <= BigInt(outer.endTimeUnixNano) + slack, `${inner.name} ends after ${outer.name}`);
      };
      within(queue!, request!);
      within(run!, request!);
      within(inference!, run!);
      assert.equal(got.resources[0]?.['service.name'], 'prices');
      assert.deepEqual(got.scopes[0], { name: packageJson.name, version: packageJson.version });
      assert.equal(got.requests[0], 'POST /v1/traces application/json - secret');
    },
    { env: env(got.url) },
  );
});

test('the span of a request has the names of the conventions for HTTP, and no value that may be a key', async (t) => {
  const got = await startCollector(t);
  await withServer(
    ['--entry-script', 'trace-context.ts'],
    async (server) => {
      await server.ready();
      const send = async (query: string, body: string, id: string): Promise<number> => {
        const headers = { 'content-type': 'application/json', 'user-agent': 'client/1', 'x-request-id': id };
        return (await fetch(await server.url(`/score${query}`), { method: 'POST', body, headers })).status;
      };
      assert.deepEqual(
        [
          await send('?a=%20b&code=S3CRET&sig=S3CRET&X-Amz-Signature=S3CRET', '"fine"', 'fine'),
          await send('', '{', 'bad'),
          await send('', '"throw"', 'throws'),
        ],
        [200, 400, 500],
      );
      await server.drain();
      const spanOf = (id: string): Span | undefined => got.spans.find(({ attributes }) => valueOf(attributes, 'scoring.request_id') === id);
      const common = {
        'http.request.method': 'POST',
        'http.route': '/score',
        'url.scheme': 'http',
        'url.path': '/score',
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(await server.url('/')).port),
        'network.protocol.version': '1.1',
        'user_agent.original': 'client/1',
      };
      assert.deepEqual(objectOf(spanOf('fine')?.attributes ?? []), {
        ...common,
        'http.response.status_code': 200,
        'url.query': 'a=%20b&code=REDACTED&sig=REDACTED&X-Amz-Signature=REDACTED',
        'scoring.request_id': 'fine',
      });
      assert.deepEqual(objectOf(spanOf('bad')?.attributes ?? []), {
        ...common,
        'http.response.status_code': 400,
        'scoring.request_id': 'bad',
      });
      assert.deepEqual(objectOf(spanOf('throws')?.attributes ?? []), {
        ...common,
        'http.response.status_code': 500,
        'error.type': 'run_failed',
        'scoring.request_id': 'throws',
      });
      // 0 is unset, 2 is an error.
      assert.deepEqual(
        ['fine', 'bad', 'throws'].map((id) => [spanOf(id)?.name, spanOf(id)?.status.code ?? 0]),
        [
          ['POST /score', 0],
          ['POST /score', 0],
          ['POST /score', 2],
        ],
      );
    },
    { env: env(got.url) },
  );
});

test('the span of a gRPC call has the names of the conventions for RPC', async (t) => {
  const got = await startCollector(t);
  const port = await freePort();
  await withServer(
    ['--entry-script', 'tensors.ts', '--grpc-port', String(port)],
    async (server) => {
      await server.ready();
      const client = new GrpcClient(port);
      t.after(() => client.close());
      const contents = { fp32_contents: [1] };
      const inputs = (name: string): object => ({ model_name: 'tensors', inputs: [{ name, shape: [1], datatype: 'FP32', contents }] });
      const ids = { 'x-request-id': 'fine', traceparent: `00-${TRACE}-${CALLER}-01` };
      await client.call('ModelInfer', inputs('x'), ids);
      await client.error('ModelInfer', inputs('refuse'), { 'x-request-id': 'refused' });
      await client.error('ModelInfer', inputs('none'), { 'x-request-id': 'fails' });
      client.close();
      await server.drain();
      const method = 'inference.GRPCInferenceService/ModelInfer';
      const shown = (id: string): unknown => {
        const span = got.spans.find(({ attributes }) => valueOf(attributes, 'scoring.request_id') === id);
        return [span?.name, span?.kind, span?.status.code ?? 0, objectOf(span?.attributes ?? [])];
      };
      const common = { 'rpc.system.name': 'grpc', 'rpc.method': method, 'server.address': '127.0.0.1', 'server.port': port };
      assert.deepEqual(shown('fine'), [method, 2, 0, { ...common, 'rpc.response.status_code': 'OK', 'scoring.request_id': 'fine' }]);
      assert.deepEqual(shown('refused'), [
        method,
        2,
        0,
        { ...common, 'rpc.response.status_code': 'INVALID_ARGUMENT', 'scoring.request_id': 'refused' },
      ]);
      assert.deepEqual(shown('fails'), [
        method,
        2,
        2,
        {
          ...common,
          'rpc.response.status_code': 'INTERNAL',
          'error.type': 'INTERNAL',
          'scoring.failure': 'run_failed',
          'scoring.request_id': 'fails',
        },
      ]);
      assert.equal(got.spans.find(({ traceId, kind }) => traceId === TRACE && kind === 2)?.parentSpanId, CALLER);
    },
    { env: env(got.url) },
  );
});

const ROWS = 4;
for (const [how, more] of [
  ['that waited for it', { MAX_BATCH_DELAY_MS: '100000', MAX_BATCH_SIZE: String(ROWS) }],
  ['that came together', {}],
] as const)
  test(`each traced call of a merged inference ${how} has its span, whichever calls are traced`, { timeout: 60_000 }, async (t) => {
    const got = await startCollector(t);
    await withServer(
      ['--model', writeModel('ridge', folder())],
      async (server) => {
        await server.ready();
        const score = async (client: number, traced: boolean): Promise<void> => {
          const ids = { traceparent: `00-${traced ? TRACE.slice(0, -1) + client : 'f'.repeat(32)}-${CALLER}-0${traced ? 1 : 0}` };
          assert.equal((await server.score({ inputs: { X: [Array.from({ length: 10 }, () => client)] } }, ids)).status, 200);
        };
        for (const traced of [[0], [1], [2], [ROWS - 1], [1, 2], [0, ROWS - 1]]) {
          got.spans.length = 0;
          const named = (part: string): Span[] => got.spans.filter(({ name }) => name === part);
          let merged = false;
          // Calls that come together are merged where the worker reads them together.
          for (let tries = 0; tries < 100 && !merged; tries++) {
            got.spans.length = 0;
            await Promise.all(Array.from({ length: ROWS }, (_, client) => score(client, traced.includes(client))));
            // The spans of a request arrive together, that of its run first.
            await until(() => named('run').length === traced.length);
            assert.equal(named('inference').length, traced.length, `traced: ${traced.join()}`);
            merged = named('inference').every(({ attributes }) => Number(valueOf(attributes, 'inference.batch_rows')) > 1);
          }
          assert.ok(merged, `never merged: ${traced.join()}`);
          for (const client of traced) {
            const own = got.spans.filter(({ traceId }) => traceId === TRACE.slice(0, -1) + client);
            const [run, inference] = ['run', 'inference'].map((name) => own.find((span) => span.name === name));
            assert.equal(inference?.parentSpanId, run?.spanId);
          }
        }
      },
      { env: env(got.url, more) },
    );
  });

test('a run() that throws is a failed span; scripts pass the trace on', async (t) => {
  const got = await startCollector(t);
  await withServer(
    ['--entry-script', 'trace-context.ts'],
    async (server) => {
      await server.ready();
      const passedOn = (await (await server.score('pass on', { traceparent: `00-${TRACE}-${CALLER}-01` })).json()) as string;
      assert.equal((await server.score('throw')).status, 500);
      await server.drain();
      const request = got.spans.find(({ traceId, name }) => traceId === TRACE && name === 'POST /score');
      assert.equal(passedOn, `00-${TRACE}-${request?.spanId}-01`);
      const failed = got.spans.filter(({ traceId }) => traceId !== TRACE);
      assert.deepEqual(
        failed.map(({ name, status }) => [name, status.code]),
        [
          ['POST /score', 2],
          ['queue', 0],
          ['run', 2],
        ],
      );
    },
    { env: env(got.url) },
  );
});

test('a caller decides on its traces, OTEL_TRACES_SAMPLER_ARG on those that begin here', async (t) => {
  const got = await startCollector(t);
  const send = async (share: string): Promise<number> => {
    got.spans.length = 0;
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        await server.score(1, { traceparent: `00-${TRACE}-${CALLER}-00` });
        for (let at = 0; at < 3; at++) await server.score(1);
        await server.score(1, { traceparent: `00-${'f'.repeat(32)}-${CALLER}-01` });
        await server.drain();
      },
      { env: env(got.url, { OTEL_TRACES_SAMPLER_ARG: share }) },
    );
    assert.ok(!got.spans.some(({ traceId }) => traceId === TRACE), 'the caller said no');
    return new Set(got.spans.map(({ traceId }) => traceId)).size;
  };
  assert.equal(await send('1'), 4);
  assert.equal(await send('0'), 1);
});

test('the variables of the standard decide the form, the address, the trust and the names', async (t) => {
  const got = await startCollector(t, { tls: true });
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const answer = await server.score(1, { traceparent: `00-${TRACE}-${CALLER}-01` });
      await server.drain();
      assert.deepEqual(new Set(got.requests), new Set(['POST /own/path application/x-protobuf gzip of the spans']));
      const [request, run] = ['POST /score', 'run'].map((name) => got.spans.find((span) => span.name === name));
      assert.deepEqual([request?.traceId, request?.parentSpanId, request?.kind, run?.kind], [TRACE, CALLER, 2, 1]);
      assert.equal(answer.headers.get('traceparent'), `00-${TRACE}-${request?.spanId}-01`);
      assert.equal(run?.parentSpanId, request?.spanId);
      assert.equal(valueOf(request?.attributes ?? [], 'http.response.status_code'), 200);
      assert.ok(Number(request?.endTimeUnixNano) > Number(request?.startTimeUnixNano));
      const { 'service.name': service, 'service.namespace': namespace } = got.resources[0] ?? {};
      assert.deepEqual([service, namespace], ['standard', 'shop']);
      const warnings = server
        .linesWith('variables')
        .filter(({ level }) => level === 'warn')
        .map(({ msg }) => msg);
      assert.deepEqual(warnings, ['variables that have no effect here: OTEL_BSP_MAX_QUEUE_SIZE (docs/telemetry.md lists those that have)']);
    },
    {
      env: env('http://127.0.0.1:1', {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${got.url}own/path`,
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-key=of%20the%20spans',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_EXPORTER_OTLP_CERTIFICATE: got.certificate!,
        OTEL_SERVICE_NAME: 'standard',
        OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,service.namespace=shop',
        OTEL_BSP_MAX_QUEUE_SIZE: '1',
      }),
    },
  );
});

test('spans go through the proxy, but not to a collector on loopback', async (t) => {
  const got = await startCollector(t);
  const send = async (endpoint: string, proxy: string): Promise<void> =>
    withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        assert.equal((await server.score(1)).status, 200);
        await server.drain();
      },
      { env: env(endpoint, { http_proxy: proxy, https_proxy: proxy }) },
    );
  // The stand-in is the proxy, too: a proxy gets whole addresses.
  await send('http://spans.invalid:4318', got.url);
  await send(got.url, 'http://127.0.0.1:1');
  assert.deepEqual(got.requests, [
    'POST http://spans.invalid:4318/v1/traces application/json - secret',
    'POST /v1/traces application/json - secret',
  ]);
  assert.equal(got.spans.filter(({ name }) => name === 'run').length, 2);
});

test('spans that a collector refuses are counted, and nothing else is lost', async (t) => {
  const got = await startCollector(t, { status: 400 });
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      for (let at = 0; at < 5; at++) assert.equal((await server.score(1)).status, 200);
      await server.drain();
      const end = await server.said('telemetry ends');
      assert.deepEqual([end['delivered'], end['dropped']], [0, { rejected: 15 }]);
    },
    { env: env(got.url) },
  );
});
