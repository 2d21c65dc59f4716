import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { folder } from '../set-up/folder.ts';
import { threads } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { Azurite, eventsOf, type Event } from './azurite.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { files, serve } from './start-collecting.ts';
import { numbers } from './start-writer.ts';

const events = (root: string, collection: string): Event[] => eventsOf(files(root), collection);

/** Reads so many bytes of an answer, and leaves it open. */
async function readBytes({ body }: Response, bytes: number): Promise<void> {
  const reader = body!.getReader();
  for (let left = bytes; left > 0;) left -= (await reader.read()).value?.length ?? left;
  reader.releaseLock();
}

test('requests and responses are collected without code, those of a lost worker too', async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', {
    MDC_DIR: dir,
    MDC_COLLECTIONS: 'request,response',
    MDC_CAPTURE_HEADERS: 'x-tenant,authorization',
  });
  const headers = { 'x-request-id': 'kept', 'x-tenant': 'a', authorization: 'Bearer secret', cookie: 'secret' };
  assert.equal((await server.score({ many: 0 }, headers)).status, 200);
  assert.equal((await server.score({ die: true }, { 'x-request-id': 'lost' })).status, 503);
  await server.line(() => server.workers.length === 2);
  const bad = await fetch(await server.url('/score?code=key'), {
    method: 'POST',
    body: '{"a":\n',
    headers: { 'content-type': 'application/json', 'x-request-id': 'bad' },
  });
  assert.equal(bad.status, 400);
  await server.drain();
  const brief = (collection: string) =>
    events(dir, collection).map(({ correlationid, data, path, method, statuscode, xtenant }) => ({
      correlationid,
      data,
      path,
      method,
      statuscode,
      xtenant,
    }));
  const none = { path: undefined, method: undefined, statuscode: undefined, xtenant: undefined };
  assert.deepEqual(brief('request'), [
    { ...none, correlationid: 'kept', data: { many: 0 }, path: '/score', method: 'POST', xtenant: 'a' },
    { ...none, correlationid: 'lost', data: { die: true }, path: '/score', method: 'POST' },
    { ...none, correlationid: 'bad', data: '{"a":\n', path: '/score', method: 'POST' },
  ]);
  const [kept, lost, wrong] = brief('response');
  assert.deepEqual(kept, { ...none, correlationid: 'kept', data: { id: 'kept' }, statuscode: 200 });
  assert.equal(lost?.statuscode, 503);
  assert.equal(wrong?.statuscode, 400);
  assert.ok(![...files(dir).values()].some((data) => /secret|code=key/.test(data.toString())));
  assert.deepEqual(readdirSync(join(dir, 'ep', 'blue')).toSorted(), ['request', 'response']);
});

test('a load beyond MDC_DIR_MAX_BYTES leaves the newest files within it, is counted, and logged once', async (t) => {
  const dir = folder();
  const server = await serve(t, 'echo.ts', { MDC_DIR: dir, MDC_DIR_MAX_BYTES: '64M' });
  for (let n = 0; n < 60; n++) {
    const pad = 'x'.repeat(1_000_000);
    await Promise.all([0, 1].map(async (half) => (await server.score({ n, half, pad }, { 'x-request-id': `${n}` })).text()));
  }
  const url = await server.url('/metrics');
  await until(async () => /^mdc_files_removed_total [1-9]/m.test(await (await fetch(url)).text()));
  await server.drain();
  const sizes = [...files(dir).values()].map(({ length }) => length);
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 64 * 2 ** 20, sizes.join());
  assert.ok(events(dir, 'response').some(({ correlationid }) => correlationid === '59'));
  assert.ok(!events(dir, 'request').some(({ correlationid }) => correlationid === '0'));
  assert.equal(server.linesWith('were removed for newer ones').length, 1);
});

test('a folder that cannot be used is told at the start', async (t) => {
  const server = await serve(t, 'echo.ts', { MDC_DIR: '/proc/nowhere/data' });
  await server.said('MDC_DIR: /proc/nowhere/data cannot be used: ENOENT');
});

test('both halves of a request are sampled, and the rows of its script, or none of them', async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir, MDC_SAMPLING_RATE: '0.5' });
  await Promise.all(numbers(40).map(async (n) => (await server.score({}, { 'x-request-id': `request ${n}` })).text()));
  await server.drain();
  const [request, ...others] = ['request', 'response', 'model_inputs', 'model_outputs'].map((name) =>
    events(dir, name)
      .map(({ correlationid }) => correlationid)
      .toSorted(),
  );
  assert.ok((request?.length ?? 0) > 5 && (request?.length ?? 0) < 35);
  for (const other of others) assert.deepEqual(other, request);
});

test("a script's rows carry the id of their request, also after an await", async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir, MDC_COLLECTIONS: 'model_inputs,model_outputs' });
  await Promise.all(['a', 'b'].map((id) => server.score({}, { 'x-request-id': id })));
  await server.drain();
  const rows = (collection: string): Record<string, unknown> =>
    Object.fromEntries(events(dir, collection).map(({ correlationid, data }) => [correlationid, data]));
  const inputs = [
    { y: 1, w: 3 },
    { y: 2, w: 4 },
  ];
  assert.deepEqual(rows('model_inputs'), { a: inputs, b: inputs });
  const outputs = [
    { score_0: 0.5, score_1: 1 },
    { score_0: null, score_1: 2 },
  ];
  assert.deepEqual(rows('model_outputs'), { a: outputs, b: outputs });
  assert.deepEqual(readdirSync(join(dir, 'ep', 'blue')).toSorted(), ['model_inputs', 'model_outputs']);
});

test('two workers have one writer: every record of both arrives once, in one file of its collection', async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir, WORKER_COUNT: '2' });
  const ids = numbers(200).map(String);
  await Promise.all(ids.map(async (id) => (await server.score({ who: true }, { 'x-request-id': id })).text()));
  await server.drain();
  for (const collection of ['request', 'response', 'model_outputs'])
    assert.deepEqual(
      events(dir, collection)
        .map(({ correlationid }) => correlationid)
        .toSorted(),
      ids.toSorted(),
      collection,
    );
  const pids = new Set(events(dir, 'model_outputs').map(({ data }) => data[0]?.['pid']));
  assert.equal(pids.size, 2, 'both workers had requests');
  // The hour may have changed meanwhile.
  const names = new Set([...files(dir).keys()].map((name) => basename(name)));
  assert.equal(names.size, 1);
});

test('rows of the v1 API go into CSV files, with their correlation columns', async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir, MDC_COLLECTIONS: 'inputs,predictions' });
  await server.score({ legacy: [41, 22.5] }, { 'x-request-id': 'req' });
  await server.score({ legacy: [42, 23.5] }, { 'x-request-id': 'req2' });
  await server.drain();
  const all = files(dir);
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  const name = `default/default/default/ep/diabetes/default/inputs/${today}/inputs.csv`;
  const [header, first, second, end] = (all.get(name)?.toString() ?? '').split('\r\n');
  assert.equal(
    header,
    'age,bmi,$aml_dc_correlation_id,$aml_dc_scoring_timestamp,$aml_dc_boundary,$aml_workspace,$aml_service_name,$aml_model_name,$aml_model_version,$aml_request_id',
  );
  assert.match(
    first ?? '',
    /^41,22\.5,[0-9a-f-]{36},\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6},1440,default\/default\/default,ep,diabetes,default,req$/,
  );
  assert.match(second ?? '', /^42,23\.5,.*,req2$/);
  assert.equal(end, '');
  const predictions = all.get(name.replaceAll('inputs', 'predictions'))?.toString().split('\r\n') ?? [];
  assert.equal(predictions[1]?.split(',')[1], first?.split(',')[2], 'the prediction carries the correlation id of its inputs');
});

test('rows of the v1 API are printed for debugging, beside the sink or without one', async (t) => {
  const dir = folder();
  for (const env of [{ MDC_DIR: dir }, {}]) {
    const server = await serve(t, 'collects.ts', { AML_MODEL_DC_DEBUG: 'true', ...env });
    await server.score({ legacy: [41, 22.5] }, { 'x-request-id': 'req' });
    await server.drain();
    const lines = server.lines.map(({ mdc }) => mdc as Event | undefined).filter((event) => event !== undefined);
    const rows = lines.map(({ type, data }) => [type, data[0]?.['age'] ?? data[0]?.['y'], data[0]?.['$aml_request_id']]);
    assert.deepEqual(rows, [
      ['azureml.inference.inputs', 41, 'req'],
      ['azureml.inference.predictions', 0.5, 'req'],
    ]);
  }
  assert.ok([...files(dir).keys()].some((name) => name.endsWith('inputs.csv')));
});

test('a streamed answer is recorded whole; one that is too large is left out, and keeps no memory from others', async (t) => {
  const dir = folder();
  const server = await serve(t, 'stream-long.ts', { MDC_DIR: dir, MDC_COLLECTIONS: 'response' });
  const leaves = new AbortController();
  const open: Promise<void>[] = [];
  for (const id of ['long', 'as long']) {
    const answer = await fetch(await server.url('/score'), {
      method: 'POST',
      body: '{"megabytes":33,"stays":true}',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      signal: leaves.signal,
    });
    open.push(readBytes(answer, 33 * 1024 * 1024));
  }
  // Both are under way, and have sent more than is recorded.
  await Promise.all(open);
  assert.equal(await server.metric('mdc_queue_bytes'), 0);
  const text = await (await server.score({ megabytes: 20 }, { 'x-request-id': 'whole' })).text();
  leaves.abort();
  await server.drain();
  const kept = events(dir, 'response').map(({ correlationid, dataomitted, dataref }) => [correlationid, [dataomitted, typeof dataref]]);
  assert.deepEqual(Object.fromEntries(kept), {
    long: ['size', 'undefined'],
    'as long': ['size', 'undefined'],
    whole: [undefined, 'string'],
  });
  const payload = [...files(dir)].find(([name]) => name.endsWith('.json'));
  assert.ok(JSON.parse(payload?.[1].toString() ?? '') === text, 'byte for byte');
});

test('a stream that its client, its script, its worker or a limit cuts off is partial; one that ends is whole', async (t) => {
  const [dir, gates] = [folder(), folder()];
  const server = await serve(t, 'stream-ends.ts', { MDC_DIR: dir, MDC_COLLECTIONS: 'response', STREAM_IDLE_TIMEOUT_MS: '2000' });
  const cut = async (id: string, end: string, leave: boolean): Promise<string> => {
    const gate = join(gates, id);
    const leaves = new AbortController();
    const answer = await fetch(await server.url('/score'), {
      method: 'POST',
      body: JSON.stringify({ end, until: gate }),
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      signal: leaves.signal,
    });
    await readBytes(answer, 'first '.length);
    if (leave) leaves.abort();
    else writeFileSync(gate, '');
    const rest = answer.body!.getReader();
    return rest.read().then(
      ({ value }) => Buffer.from(value ?? []).toString(),
      () => 'cut',
    );
  };
  const ends = [
    ['whole', 'returns', false],
    ['left', 'stalls', true],
    ['broken', 'throws', false],
    ['stalled', 'stalls', false],
    // The worker ends, and the other streams with it: this one is last.
    ['lost', 'dies', false],
  ] as const;
  for (const [id, end, leave] of ends) assert.equal(await cut(id, end, leave), id === 'whole' ? 'second' : 'cut', id);
  await server.drain();
  const records = events(dir, 'response').map(({ correlationid, data, contentrange, datapartial }) => [
    correlationid,
    [data, contentrange, datapartial],
  ]);
  const partial = ['first ', 'bytes 0-7/*', 'true'];
  assert.deepEqual(Object.fromEntries(records), {
    whole: ['first second', 'bytes 0-13/14', undefined],
    left: partial,
    broken: partial,
    stalled: partial,
    lost: partial,
  });
});

test('data that cannot be collected never fails a request: it is logged once, and counted', async (t) => {
  const server = await serve(t, 'collects.ts', { MDC_DIR: folder() });
  for (let n = 0; n < 3; n++) assert.equal((await server.score({ wrong: true })).status, 200);
  const said = await server.said('columns of the same length');
  assert.equal(said['level'], 'warn');
  await until(async () => (await server.metric('mdc_dropped_total{reason="invalid_data"}')) === 3);
  assert.equal(server.linesWith('columns of the same length').length, 1);
});

test('a redaction hook decides which parts of bodies are kept, and without its decision none is', async (t) => {
  const dir = folder();
  const server = await serve(t, 'redacts.ts', { MDC_DIR: dir });
  const answer = await server.score({ name: 'a', secret: 'of the client' }, { 'x-request-id': 'redacted' });
  assert.deepEqual(await answer.json(), { hello: 'a', secret: 'of the answer' });
  await server.score({ name: 'nobody', secret: 'x' }, { 'x-request-id': 'nobody' });
  await server.score({ broken: true, secret: 'x' }, { 'x-request-id': 'broken' });
  await server.score({ die: true, secret: 'of the lost' }, { 'x-request-id': 'lost' });
  await server.drain();
  const kept = Object.fromEntries(
    events(dir, 'request').map(({ correlationid, data, dataomitted }) => [correlationid, dataomitted ?? data]),
  );
  assert.deepEqual(kept, {
    redacted: { name: 'a', secret: 'request' },
    nobody: 'redaction',
    broken: 'redaction',
    lost: { die: true, secret: 'request' },
  });
  const response = events(dir, 'response').find(({ correlationid }) => correlationid === 'redacted');
  assert.deepEqual(response?.data, { hello: 'a', secret: 'response' });
  assert.ok(![...files(dir).values()].some((data) => /of the (?:client|answer|lost)/.test(data.toString())));
});

test('a redaction hook that hangs delays neither the record nor the stop: the record has no bodies, and is counted', async (t) => {
  const dir = folder();
  const server = await serve(t, 'redacts.ts', { MDC_DIR: dir, DRAIN_TIMEOUT_MS: '1000' });
  await server.score({ hang: true }, { 'x-request-id': 'hangs' });
  await server.score({ broken: true }, { 'x-request-id': 'broken' });
  await until(async () => (await server.metric('mdc_redactions_failed_total{reason="hook_failed"}')) === 1);
  // Both halves wait.
  await until(async () => (await server.metric('mdc_queue_records')) === 2);
  await server.drain();
  const omitted = events(dir, 'request').map(({ correlationid, dataomitted }) => [correlationid, dataomitted]);
  assert.deepEqual(Object.fromEntries(omitted), { broken: 'redaction', hangs: 'redaction' });
});

test('rows that close() collects are delivered', async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects-at-close.ts', { MDC_DIR: dir });
  await server.score(1);
  await server.score(1);
  await server.drain();
  assert.deepEqual(
    events(dir, 'totals').map(({ data }) => data),
    [[{ runs: 2 }]],
  );
});

/** A blob server behind a proxy that answers each call with 503 until a test lets them pass. */
async function refusing(t: TestContext): Promise<{ readonly azurite: Azurite; readonly proxy: Proxy }> {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  proxy.fate = () => ({ status: 503 });
  return { azurite, proxy };
}

test('10,000 records that wait at SIGTERM are delivered before the server ends', async (t) => {
  const { azurite, proxy } = await refusing(t);
  const server = await serve(t, 'collects.ts', {
    MDC_BLOB_CONNECTION_STRING: azurite.connectionString(proxy.port),
    MDC_COLLECTIONS: 'model_outputs',
  });
  assert.equal((await server.score({ many: 10_000 })).status, 200);
  await until(async () => (await server.metric('mdc_queue_records')) === 10_000);
  await server.said('cannot be delivered');
  proxy.fate = () => 'pass';
  await server.drain();
  const arrived = eventsOf(await azurite.blobs(), 'model_outputs').map(({ data }) => Number(data[0]?.['n']));
  assert.deepEqual(
    arrived.toSorted((a, b) => a - b),
    numbers(10_000),
  );
});

test('a call that hangs at SIGTERM takes half of the limit, and the rest is delivered', async (t) => {
  const { azurite, proxy } = await refusing(t);
  proxy.fate = () => 'hang';
  const server = await serve(t, 'collects.ts', {
    MDC_BLOB_CONNECTION_STRING: azurite.connectionString(proxy.port),
    MDC_COLLECTIONS: 'model_outputs',
    MDC_FLUSH_TIMEOUT_MS: '20000',
  });
  assert.equal((await server.score({ many: 100 })).status, 200);
  await proxy.called(1);
  // The call that has begun hangs for ever.
  proxy.fate = () => 'pass';
  await server.drain();
  const end = await server.said('data collection ends; nothing was lost');
  assert.deepEqual([end['queued'], end['sent']], [100, 100]);
});

test('undelivered records are on disk after SIGTERM, and the next server delivers them', async (t) => {
  const { azurite, proxy } = await refusing(t);
  const env = {
    MDC_BLOB_CONNECTION_STRING: azurite.connectionString(proxy.port),
    MDC_COLLECTIONS: 'model_outputs',
    MDC_SPILL_DIR: folder(),
    MDC_FLUSH_TIMEOUT_MS: '2000',
  };
  const first = await serve(t, 'collects.ts', env);
  assert.equal((await first.score({ many: 10_000 })).status, 200);
  await first.drain();
  proxy.fate = () => 'pass';
  const second = await serve(t, 'collects.ts', env);
  await until(async () => (await second.metric('mdc_records_total{collection="model_outputs",result="sent"}')) === 10_000);
  await second.drain();
  const arrived = eventsOf(await azurite.blobs(), 'model_outputs').map(({ data }) => Number(data[0]?.['n']));
  assert.deepEqual(
    arrived.toSorted((a, b) => a - b),
    numbers(10_000),
  );
  assert.deepEqual(readdirSync(env.MDC_SPILL_DIR), []);
});

test('records that a killed server had spilled are delivered once by the next one', async (t) => {
  const { azurite, proxy } = await refusing(t);
  const env = {
    MDC_BLOB_CONNECTION_STRING: azurite.connectionString(proxy.port),
    MDC_COLLECTIONS: 'model_outputs',
    MDC_SPILL_DIR: folder(),
  };
  const first = await serve(t, 'collects.ts', env);
  await first.score({ many: 1 }, { 'x-request-id': 'in the call that fails' });
  await first.said('cannot be delivered');
  await first.score({ many: 500 }, { 'x-request-id': 'killed' });
  await until(async () => (await first.metric('mdc_records_total{collection="model_outputs",result="spilled"}')) === 500);
  await first.stop();
  proxy.fate = () => 'pass';
  const second = await serve(t, 'collects.ts', env);
  await until(async () => (await second.metric('mdc_records_total{collection="model_outputs",result="sent"}')) === 500);
  await second.drain();
  const ids = eventsOf(await azurite.blobs(), 'model_outputs').map(({ correlationid }) => correlationid);
  assert.deepEqual(
    ids.toSorted(),
    numbers(500)
      .map((n) => `killed-${n}`)
      .toSorted(),
  );
});

test('the last lines of the log account for collected data, when nobody can scrape any more', async (t) => {
  const delivered = await serve(t, 'collects.ts', { MDC_DIR: folder(), MDC_COLLECTIONS: 'request,response' });
  await delivered.score({});
  await delivered.drain();
  const { queued, adopted, sent, spooled, dropped, level } = await delivered.said('data collection ends; nothing was lost');
  assert.deepEqual({ queued, adopted, sent, spooled, dropped }, { queued: 2, adopted: 0, sent: 2, spooled: 0, dropped: {} });
  assert.equal(level, 'info');
  const lost = await serve(t, 'collects.ts', { MDC_HTTP_URL: 'http://127.0.0.1:1/', MDC_FLUSH_TIMEOUT_MS: '200' });
  await lost.score({ wrong: true });
  await lost.drain();
  const end = await lost.said('data collection ends; not all of it was delivered');
  assert.deepEqual(
    { queued: end['queued'], sent: end['sent'], dropped: end['dropped'], level: end['level'] },
    { queued: 3, sent: 0, dropped: { invalid_data: 1, flush_timeout: 2 }, level: 'warn' },
  );
});

test('nothing of collection is loaded where it is off', async (t) => {
  const server = await serve(t, 'collects.ts', {});
  assert.equal((await server.score({})).status, 200);
  const text = await server.metrics();
  assert.ok(!text.includes('mdc_'));
  assert.ok(!threads(server.pid).includes('collection'));
  assert.ok(threads((await serve(t, 'collects.ts', { MDC_DIR: folder() })).pid).includes('collection'));
});
