import assert from 'node:assert/strict';
import test from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { startCollector, valueOf, type Span } from './span-collector.ts';

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
      assert.equal(got.requests[0], 'POST /v1/traces application/json - secret');
    },
    { env: env(got.url) },
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
