import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly Attribute[];
}
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** A collector of OpenTelemetry that keeps what it gets. */
async function collector(t: TestContext, status = 200): Promise<{ url: string; spans: Span[]; paths: string[]; services: Set<unknown> }> {
  const got = { url: '', spans: [] as Span[], paths: [] as string[], services: new Set<unknown>() };
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      got.paths.push([request.method, request.url, request.headers['content-type'], request.headers['x-key']].join(' '));
      for (const { resource, scopeSpans } of (body as ExportRequest).resourceSpans) {
        got.services.add(valueOf(resource.attributes, 'service.name'));
        if (status === 200) for (const scope of scopeSpans) got.spans.push(...scope.spans);
      }
      return response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  got.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return got;
}

const valueOf = (attributes: readonly Attribute[], key: string): unknown => {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};

async function stopped(server: ServerProcess): Promise<void> {
  server.child.kill('SIGTERM');
  assert.equal((await server.exited).code, 0);
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const env = (endpoint: string, more: Record<string, string> = {}): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
  SERVICE_NAME: 'prices',
  DRAIN_DELAY_MS: '0',
  ...more,
});

test('a request is four spans: itself, the queue, run() and its inference, one inside the other', { timeout: 60_000 }, async (t) => {
  const got = await collector(t);
  const folder = mkdtempSync(join(tmpdir(), 'tracing-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await withServer(
    ['--model', writeModel('ridge', folder)],
    async (server) => {
      await server.ready();
      const answer = await server.score({ inputs: { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] } }, { traceparent: `00-${TRACE}-${CALLER}-01` });
      assert.equal(answer.status, 200);
      await stopped(server);
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
      assert.deepEqual([...got.services], ['prices']);
      assert.match(got.paths[0] ?? '', /^POST \/v1\/traces application\/json secret$/);
    },
    { env: env(got.url) },
  );
});

test('a run() that throws is a failed span; scripts pass the trace on', { timeout: 60_000 }, async (t) => {
  const got = await collector(t);
  await withServer(
    ['--entry-script', 'trace-context.ts'],
    async (server) => {
      await server.ready();
      const passedOn = (await (await server.score('pass on', { traceparent: `00-${TRACE}-${CALLER}-01` })).json()) as string;
      assert.equal((await server.score('throw')).status, 500);
      await stopped(server);
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

test('a caller decides for its traces, OTEL_TRACES_SAMPLER_ARG for those that begin here', { timeout: 60_000 }, async (t) => {
  const got = await collector(t);
  const send = async (share: string): Promise<number> => {
    got.spans.length = 0;
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        await server.score(1, { traceparent: `00-${TRACE}-${CALLER}-00` });
        for (let at = 0; at < 3; at++) await server.score(1);
        await server.score(1, { traceparent: `00-${'f'.repeat(32)}-${CALLER}-01` });
        await stopped(server);
      },
      { env: env(got.url, { OTEL_TRACES_SAMPLER_ARG: share }) },
    );
    assert.ok(!got.spans.some(({ traceId }) => traceId === TRACE), 'the caller said no');
    return new Set(got.spans.map(({ traceId }) => traceId)).size;
  };
  assert.equal(await send('1'), 4);
  assert.equal(await send('0'), 1);
});

test('a collector that refuses costs spans, which are counted, and nothing else', { timeout: 60_000 }, async (t) => {
  const got = await collector(t, 400);
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      for (let at = 0; at < 5; at++) assert.equal((await server.score(1)).status, 200);
      await stopped(server);
      const end = await server.said('telemetry ends');
      assert.deepEqual([end['delivered'], end['dropped']], [0, { rejected: 15 }]);
    },
    { env: env(got.url) },
  );
});
