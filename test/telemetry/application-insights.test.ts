import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'node:test';
import { parse, raw } from '../http/raw-client.ts';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { threads } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { IngestionServer, KEY, type Reply } from './ingestion-server.ts';
import { load, samples } from './load.ts';

const TRACE = 'a'.repeat(32);
const CALLER = 'b'.repeat(16);

/** Each POST that fails is tried again after a pause, and a slow machine takes its time. */
const LONGEST_DRAIN_MS = 60_000;
const PATIENT = { ACCESS_LOG: 'false', DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: String(LONGEST_DRAIN_MS) };

/** What the server says when it ends. */
async function ending(server: ServerProcess): Promise<{ delivered: number; dropped: Record<string, number> }> {
  const line = await server.said('telemetry ends');
  return { delivered: line['delivered'] as number, dropped: line['dropped'] as Record<string, number> };
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((total, count) => total + count, 0);
const unique = (ingestion: IngestionServer): number => new Set(ingestion.of('RequestData').map(({ data }) => data.baseData.id)).size;

test('20,000 requests at full speed: each is delivered exactly once, or counted', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      assert.deepEqual(await load(await server.url('/score'), 20_000), { 200: 20_000 });
      const metrics = await server.url('/metrics');
      const settled = async (): Promise<number> =>
        sum(await samples(metrics, 'telemetry_delivered_total', 'item')) + sum(await samples(metrics, 'telemetry_dropped_total', 'reason'));
      await until(async () => (await settled()) >= 20_000);
      assert.equal(await settled(), 20_000);
      const { request: delivered = 0 } = await samples(metrics, 'telemetry_delivered_total', 'item');
      const counted = Object.entries(await samples(metrics, 'telemetry_dropped_total', 'reason'));
      const dropped = Object.fromEntries(counted.filter(([, count]) => count > 0));
      assert.equal(ingestion.of('RequestData').length, delivered);
      assert.equal(unique(ingestion), delivered);
      await server.drain();
      // A slow machine makes more in a moment than its exporting thread may hold: only that is
      // lost.
      assert.deepEqual(await ending(server), { delivered, dropped });
      assert.deepEqual(
        Object.keys(dropped).filter((reason) => reason !== 'queue_full'),
        [],
      );
    },
    { env: { ...ingestion.env, ...PATIENT } },
  );
});

for (const count of [512, 1024]) {
  test(`${count} requests and SIGTERM at once: all are delivered before the server ends`, async (t) => {
    const ingestion = await IngestionServer.start(t);
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        await load(await server.url('/score'), count);
        await server.drain();
        assert.equal(ingestion.of('RequestData').length, count);
        assert.equal(unique(ingestion), count);
      },
      { env: { ...ingestion.env, ...PATIENT } },
    );
  });
}

const N = 600;
const TAKES: Reply = {};
const broken: { how: string; answer: (post: number) => Reply; delivered: number; reason: string | undefined }[] = [
  { how: 'answers 500', answer: () => ({ status: 500 }), delivered: 0, reason: 'rejected' },
  { how: 'answers 500 at first', answer: (post) => (post < 3 ? { status: 500 } : TAKES), delivered: N, reason: undefined },
  {
    how: 'answers 429 with Retry-After at first',
    answer: (post) => (post < 3 ? { status: 429, headers: { 'retry-after': '1' } } : TAKES),
    delivered: N,
    reason: undefined,
  },
  { how: 'answers 400', answer: () => ({ status: 400 }), delivered: 0, reason: 'rejected' },
  { how: 'takes the items and closes without an answer', answer: () => 'drop', delivered: 0, reason: 'unconfirmed' },
  { how: 'never answers', answer: () => 'hang', delivered: 0, reason: 'stopped' },
];
for (const { how, answer, delivered, reason } of broken) {
  test(`the endpoint ${how}: scoring goes on, every item is counted, the server ends in time`, async (t) => {
    const ingestion = await IngestionServer.start(t);
    ingestion.answer = (_items, post) => answer(post);
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        assert.deepEqual(await load(await server.url('/score'), N), { 200: N });
        await ingestion.until(() => ingestion.posts.length > 0);
        const began = performance.now();
        await server.drain();
        assert.ok(performance.now() - began < LONGEST_DRAIN_MS, 'the drain took too long');
        const end = await ending(server);
        assert.deepEqual(end, { delivered, dropped: reason === undefined ? {} : { [reason]: N } });
        // Items whose connection was closed without an answer have arrived, and are not sent again.
        assert.equal(unique(ingestion), ingestion.of('RequestData').length);
        if (delivered === N) assert.equal(ingestion.of('RequestData').length, N);
        if (reason !== undefined && how !== 'never answers') await server.said('telemetry is not delivered');
      },
      {
        env: {
          ...ingestion.env,
          ACCESS_LOG: 'false',
          DRAIN_DELAY_MS: '0',
          DRAIN_TIMEOUT_MS: String(delivered === N ? LONGEST_DRAIN_MS : 5000),
        },
      },
    );
  });
}

test('items that the endpoint refuses one by one: some are sent again, some are dropped', async (t) => {
  const ingestion = await IngestionServer.start(t);
  ingestion.answer = (items, post) => {
    // The first time every second item is to come again; among the ones that do, the first is
    // refused for good.
    if (post === 1) return { refuse: new Map(items.flatMap((_, index) => (index % 2 === 1 ? [[index, 503]] : []))) };
    return post === 2 ? { refuse: new Map([[0, 400]]) } : {};
  };
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      await load(await server.url('/score'), 100);
      await server.drain();
      assert.deepEqual(await ending(server), { delivered: 99, dropped: { rejected: 1 } });
      assert.equal(unique(ingestion), 99);
      assert.equal(ingestion.of('RequestData').length, 99);
    },
    { env: { ...ingestion.env, ...PATIENT } },
  );
});

test('the endpoint refuses connections: everything is counted as unreachable or stopped', async (t) => {
  const ingestion = await IngestionServer.start(t);
  const { env } = ingestion;
  await ingestion.stop();
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      assert.deepEqual(await load(await server.url('/score'), 200), { 200: 200 });
      await server.said('telemetry is not delivered: Application Insights: ECONNREFUSED');
      await server.drain();
      assert.deepEqual(await ending(server), { delivered: 0, dropped: { unreachable: 200 } });
    },
    { env: { ...env, ...PATIENT, NODE_EXTRA_CA_CERTS: '' } },
  );
});

test('items have the fields of the table and the dimensions of the Python server', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'run-throws.ts'],
    async (server) => {
      await server.ready();
      const url = await server.url('/score?q=1');
      const headers = { 'content-type': 'application/json', 'x-ms-client-request-id': 'client-1' };
      const ids = { ...headers, 'x-request-id': 'mine', traceparent: `00-${TRACE}-${CALLER}-01` };
      const answer = await fetch(url, { method: 'POST', headers: ids, body: '"throw"' });
      assert.equal(answer.status, 500);
      assert.match(answer.headers.get('traceparent') ?? '', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
      await fetch(await server.url('/'));
      await fetch(await server.url('/none'));
      await server.drain();
      const [request, ...others] = ingestion.of('RequestData');
      assert.ok(request !== undefined);
      assert.deepEqual(others, [], 'probes and unknown routes are no requests');
      const { baseData } = request.data;
      const { duration, start_time: startTime, ...properties } = baseData.properties;
      assert.deepEqual(
        [request.iKey, request.sampleRate, baseData.name, baseData.url, baseData.responseCode, baseData.success],
        [KEY, 100, 'POST /score', url, '500', false],
      );
      assert.match(baseData.duration, /^00:00:0\d\.\d{3,7}$/);
      assert.notEqual(baseData.duration.replaceAll(/[0:.]/g, ''), '');
      assert.match(duration ?? '', /^00:00:0\d\.\d{3}$/);
      assert.equal(startTime, request.time);
      assert.deepEqual(properties, {
        'Container Id': 'box',
        'Request Id': 'mine',
        'Client Request Id': 'client-1',
        'Response Value': '{"message":"An unexpected error occurred in scoring script. Check the logs for more info."}',
        name: '/score',
        url,
        resultCode: '500',
        success: 'False',
        http_method: 'POST',
        'Workspace Name': 'space',
        'Service Name': 'prices',
      });
      assert.equal(request.tags['ai.operation.id'], TRACE);
      assert.equal(request.tags['ai.operation.parentId'], CALLER);
      assert.equal(request.tags['ai.cloud.role'], 'prices');
      assert.equal(request.tags['ai.cloud.roleInstance'], 'box');
      assert.equal(baseData.id, answer.headers.get('traceparent')?.slice(36, 52));

      const [exception] = ingestion.of('ExceptionData');
      assert.match(exception?.data.baseData.exceptions[0]?.message ?? '', /Error: /);
      assert.equal(exception?.data.baseData.properties['Request Id'], 'mine');
      assert.equal(exception?.tags['ai.operation.id'], TRACE);
      assert.equal(exception?.tags['ai.operation.parentId'], baseData.id);
      assert.deepEqual([...new Set(ingestion.asked)], ['POST /v2.1/track'], 'nothing else was asked of the endpoint');
    },
    { env: { ...ingestion.env, HOSTNAME: 'box', WORKSPACE_NAME: 'space', SERVICE_NAME: 'prices', DRAIN_DELAY_MS: '0' } },
  );
});

test('the url of a request whose target is a whole address; a host with a user name is refused', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'response.ts'],
    async (server) => {
      await server.ready();
      const port = Number(new URL(await server.url('/')).port);
      const send = async (target: string, host: string, status = 201): Promise<void> => {
        const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        assert.equal(parse(answer).status, status);
      };
      await send('http://models.example:81/score?a=1&code=S3CRET', 'h.example');
      await send('HTTP://user:S3CRET@models.example/score?a=@', 'h.example');
      await send('/score?a=http://x@y/', 'user:S3CRET@h.example', 400);
      await server.drain();
      assert.doesNotMatch(JSON.stringify(ingestion.accepted), /S3CRET/);
      assert.deepEqual(
        ingestion.of('RequestData').map(({ data }) => data.baseData.url),
        ['http://models.example:81/score?a=1&code=REDACTED', 'HTTP://models.example/score?a=@'],
      );
    },
    { env: { ...ingestion.env, DRAIN_DELAY_MS: '0' } },
  );
});

test('values of a query that may be keys, bytes without a type, and the id that a client did not send', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'response.ts'],
    async (server) => {
      await server.ready();
      const query = async (text: string): Promise<unknown> =>
        (await fetch(await server.url(`/score?${text}`), { headers: { 'x-request-id': 'q' } })).status;
      assert.equal(await query('a=1&a=2&code=S3CRET&sig=S3CRET&api_key=S3CRET'), 201);
      assert.equal((await server.score('untyped bytes', { 'x-request-id': 'b' })).status, 200);
      await server.drain();
      assert.doesNotMatch(JSON.stringify(ingestion.accepted), /S3CRET/);
      const [asked, bytes] = ['q', 'b'].map((id) =>
        ingestion.of('RequestData').find(({ data }) => data.baseData.properties['Request Id'] === id),
      );
      const url = await server.url('/score?a=1&a=2&code=REDACTED&sig=REDACTED&api_key=REDACTED');
      assert.deepEqual([asked?.data.baseData.url, asked?.data.baseData.properties['url']], [url, url]);
      assert.equal(
        bytes?.data.baseData.properties['Response Value'],
        '"Scoring request response payload is a non serializable object or raw binary"',
      );
      const all = [...ingestion.of('RequestData'), ...ingestion.of('MessageData')].map(({ data }) => data.baseData.properties);
      assert.deepEqual(new Set(all.map((properties) => properties['Client Request Id'])), new Set(['']));
      const inputs = all.filter((properties) => 'Input' in properties).map((properties) => properties['Input']);
      assert.deepEqual(inputs, ['{"a":[1,2]}', '"untyped bytes"']);
    },
    { env: { ...ingestion.env, AML_MODEL_DC_STORAGE_ENABLED: 'true', MDC_SINK: 'off', DRAIN_DELAY_MS: '0' } },
  );
});

test('log lines of a script become traces; so do inputs and predictions where data collection is on', async (t) => {
  const ingestion = await IngestionServer.start(t);
  const run = async (env: Record<string, string>, body: unknown, headers: Record<string, string> = {}): Promise<void> =>
    withServer(
      ['--entry-script', 'echo-says.ts'],
      async (server) => {
        await server.ready();
        assert.equal((await server.score(body, { 'x-request-id': 'mine', ...headers })).status, 200);
        await server.drain();
      },
      { env: { ...ingestion.env, DRAIN_DELAY_MS: '0', ...env } },
    );
  await run({ AML_MODEL_DC_STORAGE_ENABLED: 'true', MDC_SINK: 'off' }, { a: 1 });
  const traces = ingestion.of('MessageData').map(({ data }) => data.baseData);
  const said = traces.find(({ message }) => message === 'scoring one');
  assert.equal(said?.properties['Request Id'], 'mine');
  const collected = traces.find(({ message }) => message === 'model_data_collection')?.properties;
  const parent = ingestion.of('MessageData').find(({ data }) => data.baseData.message === 'model_data_collection')?.tags;
  assert.equal(parent?.['ai.operation.parentId'], ingestion.of('RequestData')[0]?.data.baseData.id);
  assert.deepEqual(
    [collected?.['Input'], collected?.['Prediction'], collected?.['Models'], collected?.['Request Id']],
    ['{"a":1}', '{"a":1}', '[]', 'mine'],
  );

  ingestion.accepted.length = 0;
  await run({ APP_INSIGHTS_LOG_OUTPUT_ENABLED: 'false', APP_INSIGHTS_LOG_RESPONSE_ENABLED: 'false' }, { a: 1 });
  assert.deepEqual(ingestion.of('MessageData'), []);
  assert.ok(!('Response Value' in (ingestion.of('RequestData')[0]?.data.baseData.properties ?? {})));

  ingestion.accepted.length = 0;
  await run({ AML_MDC_STORAGE_ENABLED: 'true', MDC_SINK: 'off' }, 'x'.repeat(10_000));
  const long = ingestion.of('MessageData').find(({ data }) => data.baseData.message === 'model_data_collection')?.data.baseData.properties;
  assert.deepEqual([long?.['Input']?.length, long?.['Prediction']?.length, long?.['truncated']], [8192, 8192, 'true']);

  ingestion.accepted.length = 0;
  await run({}, { a: 1 }, { traceparent: `00-${TRACE}-${CALLER}-01` });
  const line = ingestion.of('MessageData').find(({ data }) => data.baseData.message === 'scoring one')?.tags;
  const request = ingestion.of('RequestData')[0];
  assert.deepEqual([line?.['ai.operation.id'], line?.['ai.operation.parentId']], [TRACE, request?.data.baseData.id]);
});

test('where the script redacts, no input and no answer is sent, and the log of the start reports it', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'redacts.ts'],
    async (server) => {
      await server.ready();
      assert.equal((await server.score({ name: 'a secret' })).status, 200);
      assert.equal((await fetch(await server.url('/score?name=a%20secret'))).status, 200);
      await server.drain();
      await server.said('Application Insights gets no bodies and no queries');
      const sent = ingestion.of('RequestData').map(({ data }) => data.baseData.properties);
      assert.deepEqual(
        sent.map((properties) => 'Response Value' in properties),
        [false, false],
      );
      assert.ok(!/secret|name=/.test(JSON.stringify(ingestion.accepted)));
    },
    { env: { ...ingestion.env, AML_MODEL_DC_STORAGE_ENABLED: 'true', MDC_SINK: 'off', DRAIN_DELAY_MS: '0' } },
  );
});

test('before a worker is ready to say whether the script redacts, no query is sent', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'init-hangs.ts'],
    async (server) => {
      assert.equal((await fetch(await server.url('/score?name=a%20secret'))).status, 503);
      await until(() => ingestion.of('RequestData').length > 0);
      assert.ok(!/secret|name=/.test(JSON.stringify(ingestion.accepted)));
    },
    { env: { ...ingestion.env, DRAIN_DELAY_MS: '0' } },
  );
});

test('an init() that fails is sent before the server ends with 3', async (t) => {
  const ingestion = await IngestionServer.start(t);
  await withServer(
    ['--entry-script', 'init-throws.ts'],
    async (server) => {
      assert.equal((await server.exited).code, 3);
      const [exception] = ingestion.of('ExceptionData');
      assert.equal(exception?.data.baseData.exceptions[0]?.typeName, 'init_failed');
      assert.equal(exception?.data.baseData.properties['Request Id'], 'Unknown');
    },
    { env: ingestion.env },
  );
});

test('switched off there is no thread, nothing is loaded and no connection is made', async (t) => {
  const called = createServer().listen(0, '127.0.0.1');
  await once(called, 'listening');
  let connections = 0;
  called.on('connection', () => connections++);
  t.after(() => called.close());
  for (const [env, on] of [
    [{}, false],
    [{ AML_APP_INSIGHTS_KEY: KEY }, false],
    [{ AML_APP_INSIGHTS_ENABLED: 'true', AML_APP_INSIGHTS_KEY: 'no-guid' }, false],
    [{ AML_APP_INSIGHTS_ENABLED: 'true', AML_APP_INSIGHTS_KEY: KEY }, true],
  ] as const) {
    // A proxy that counts: the real endpoint must not be called from a test.
    const { port } = called.address() as { port: number };
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        await server.score(1);
        assert.equal(threads(server.pid).includes('telemetry'), on, JSON.stringify(env));
        if (!on) {
          await server.drain();
          assert.equal(connections, 0);
          assert.equal(
            server.lines.some(({ msg }) => msg.includes('AML_APP_INSIGHTS_KEY is no GUID')),
            'AML_APP_INSIGHTS_ENABLED' in env,
          );
        }
      },
      { env: { ...env, https_proxy: `http://127.0.0.1:${port}`, DRAIN_DELAY_MS: '0' } },
    );
  }
});
