import assert from 'node:assert/strict';
import test from 'node:test';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { folder } from '../set-up/folder.ts';
import { IngestionServer } from '../telemetry/ingestion-server.ts';
import { startCollector } from '../telemetry/span-collector.ts';
import { eventsOf } from './azurite.ts';
import { files, serve } from './start-collecting.ts';

test('a redaction hook gets the query of a request without a body, and nothing of it passes by the hook', async (t) => {
  const dir = folder();
  const server = await serve(t, 'redacts.ts', { MDC_DIR: dir, MDC_CAPTURE_HEADERS: 'x-tenant' });
  const get = async (id: string, path: string, method = 'GET'): Promise<number> =>
    (await fetch(await server.url(path), { method, headers: { 'x-request-id': id, 'x-tenant': 't' } })).status;
  assert.equal(await get('redacted', '/score?name=a&secret=SECRET&x=[1]&x=2'), 200);
  await get('nobody', '/score?name=nobody&secret=SECRET');
  await get('broken', '/score?broken=true&secret=SECRET');
  await get('posted', '/score?secret=SECRET', 'POST');
  await get('none', '/score');
  const body = await server.score({ name: 'b' }, { 'x-request-id': 'body' });
  assert.equal(body.status, 200);
  await fetch(await server.url('/score?secret=SECRET'), { method: 'POST', body: '{"name":"c"}', headers: { 'x-request-id': 'both' } });
  await server.drain();
  const events = eventsOf(files(dir), 'request');
  assert.deepEqual(Object.fromEntries(events.map(({ correlationid, data, dataomitted }) => [correlationid, dataomitted ?? data])), {
    redacted: { name: 'a', secret: 'request', x: [[1], 2] },
    nobody: 'redaction',
    broken: 'redaction',
    posted: { secret: 'request' },
    none: undefined,
    body: { name: 'b', secret: 'request' },
    both: { name: 'c', secret: 'request' },
  });
  assert.deepEqual(new Set(events.map(({ path }) => path)), new Set(['/score']));
  assert.ok(![...files(dir).values()].some((data) => data.includes('SECRET')));
});

const SECRET = 'S3cretMark';
/** Also a hook that gets a text in place of an object shows the secret, by its characters. */
const CHARACTERS = Array.from(SECRET, (character) => `"\\d+":"${character}"`).join(',');
const MARKS = new RegExp(`${SECRET}|${CHARACTERS}`);

/** Bodies and queries that `redact()` must clean, cannot take, or fails on. */
const REQUESTS: readonly (readonly [contentType: string, body: string, query?: string])[] = [
  ['application/json', `{"name":"a","secret":"${SECRET}"}`],
  ['application/json', `\ufeff{"name":"a","secret":"${SECRET}"}`],
  ['application/json', `{"name":"a","secret":"${SECRET}"`],
  ['application/json', `{"name":"a","secret":"${SECRET}","broken":true}`],
  ['application/json', `{"name":"nobody","secret":"${SECRET}"}`],
  ['application/json', `{"name":"a","secret":"${SECRET}","exit":true}`],
  ['application/json', `{"name":"a","secret":"${SECRET}","hang":true}`],
  ['application/json', `{"die":true,"secret":"${SECRET}"}`],
  ['text/plain', SECRET],
  ['application/json', '{"name":"a"}', `?secret=${SECRET}`],
  ['', '', `?secret=${SECRET}`],
  ['', '', `?secret=${SECRET}&broken=true`],
];

const SINKS: Readonly<Record<string, (dir: string, refusing: string) => Record<string, string>>> = {
  file: (dir) => ({ MDC_DIR: dir }),
  'spill folder of a sink that is gone': (dir) => ({
    MDC_HTTP_URL: 'http://127.0.0.1:1/',
    MDC_SPILL_DIR: dir,
    MDC_FLUSH_TIMEOUT_MS: '500',
  }),
  'dead letters': (dir, refusing) => ({ MDC_HTTP_URL: refusing, MDC_SPILL_DIR: dir }),
  stdout: () => ({ MDC_SINK: 'stdout' }),
};

for (const [sink, env] of Object.entries(SINKS))
  test(`nothing of a body that is redacted is kept, whatever the hook does: ${sink}`, async (t) => {
    const refusing = createServer((request, response) => void request.resume().on('end', () => response.writeHead(400).end())).listen(0);
    await once(refusing, 'listening');
    t.after(() => refusing.close());
    const [dir, ingestion, collector] = [folder(), await IngestionServer.start(t), await startCollector(t)];
    const server = await serve(t, 'redacts.ts', {
      ...env(dir, `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/`),
      ...ingestion.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      AML_MDC_STORAGE_ENABLED: 'true',
      APP_INSIGHTS_LOG_RESPONSE_ENABLED: 'true',
      APP_INSIGHTS_LOG_OUTPUT_ENABLED: 'true',
      AZUREML_LOG_LEVEL: 'debug',
      DRAIN_TIMEOUT_MS: '2000',
    });
    for (const [contentType, body, query = ''] of REQUESTS) {
      const method = body === '' ? 'GET' : 'POST';
      await fetch(await server.url(`/score${query}`), { method, ...(body !== '' && { body, headers: { 'content-type': contentType } }) });
    }
    await server.drain();
    const written = [...files(dir).values()].map(String);
    // A line of the sink `stdout` has no message.
    const end = server.lines.find((line) => 'sent' in line);
    assert.equal(end?.['queued'], 2 * REQUESTS.length);
    if (sink !== 'stdout') assert.ok(written.join('').includes('"secret":"request"'), 'redacted bodies are kept');
    assert.ok(collector.spans.length > 0 && ingestion.accepted.length > 0);
    const logged = server.lines.map((line) => JSON.stringify(line));
    for (const text of [...written, ...logged, server.stderr, JSON.stringify(ingestion.accepted), JSON.stringify(collector.spans)])
      assert.doesNotMatch(text, MARKS);
  });
