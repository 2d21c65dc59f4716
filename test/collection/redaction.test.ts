import assert from 'node:assert/strict';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
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
