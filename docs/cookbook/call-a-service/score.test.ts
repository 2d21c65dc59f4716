import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import test, { type TestContext } from 'node:test';
import { loadScript, type ScriptUnderTest } from 'scoring-server/testing';

/** The script, with a service of its own. */
async function withService(t: TestContext, listener: RequestListener): Promise<ScriptUnderTest> {
  const service = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => service.close());
  await once(service, 'listening');
  const address = service.address();
  assert.ok(typeof address === 'object' && address !== null);
  process.env['FEATURES_URL'] = `http://127.0.0.1:${address.port}`;
  return loadScript(new URL('score.ts', import.meta.url));
}

test('a temporary failure is tried again, in the same trace', async (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const traces: unknown[] = [];
  const script = await withService(t, (request, response) => {
    traces.push(request.headers['traceparent']);
    response.writeHead(traces.length === 1 ? 503 : 200).end('{"visits": 12}');
  });
  assert.deepEqual(await script.run({ customer: 'ada' }, { traceparent }), { regular: true });
  assert.deepEqual(traces, [traceparent, traceparent]);
});

test('a call without an answer is given up, and tried again', async (t) => {
  let calls = 0;
  const script = await withService(t, (_request, response) => {
    if (++calls > 1) response.end('{"visits": 3}');
  });
  assert.deepEqual(await script.run({ customer: 'bob' }), { regular: false });
});

test('a customer that is not there is not asked for again', async (t) => {
  let calls = 0;
  const script = await withService(t, (_request, response) => {
    calls++;
    response.writeHead(404).end();
  });
  await assert.rejects(script.run({ customer: 'eve' }), { status: 404 });
  assert.equal(calls, 1);
});

test('a service that stays down is a 503', async (t) => {
  const script = await withService(t, (_request, response) => response.writeHead(500).end());
  await assert.rejects(script.run({ customer: 'ada' }), { status: 503 });
});

test('the call ends with its request', async (t) => {
  const client = new AbortController();
  const script = await withService(t, () => client.abort());
  await assert.rejects(script.run({ customer: 'ada' }, { signal: client.signal }), { name: 'AbortError' });
});
