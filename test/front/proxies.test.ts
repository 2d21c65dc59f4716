import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { Agent, request, type IncomingMessage } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { freePort } from '../e2e/free-port.ts';
import { hold } from '../e2e/hold.ts';
import { ServerProcess, withServer } from '../e2e/start-server.ts';
import { GrpcClient } from '../grpc/client.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { type Change, kinds, missing, Proxy } from './proxies.ts';

/** The documented configuration, and with uploads that are passed on as they arrive. */
const UNBUFFERED: readonly Change[] = [['proxy_buffering off;', 'proxy_buffering off; proxy_request_buffering off;']];
const fronts = [
  { name: 'nginx', kind: 'nginx', changes: [] },
  { name: 'nginx without request buffering', kind: 'nginx', changes: UNBUFFERED },
  { name: 'haproxy', kind: 'haproxy', changes: [] },
] as const;

const JSON_TYPE = { 'content-type': 'application/json' };

/** POSTs over a connection of the agent. Resolves with the head of the answer. */
function post(
  url: string,
  body: string | Buffer,
  headers: Record<string, string | number> = {},
  // A proxy that answers before the end of an upload closes the connection, whatever it says.
  agent: Agent | false = false,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const upload = request(url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, agent });
    upload.once('response', resolve);
    upload.on('error', reject);
    if (headers['expect'] === undefined) upload.end(body);
    else upload.once('continue', () => upload.end(body)).flushHeaders();
  });
}

/** An array whose JSON has so many megabytes. */
const numbers = (megabytes: number): string => JSON.stringify(Array.from({ length: megabytes * 100_000 }, (_, i) => 1_000_000_00 + i));

for (const { name, kind, changes } of fronts)
  describe(`behind ${name}`, { skip: missing(kind) }, () => {
    let server: ServerProcess;
    let proxy: Proxy;
    const ends: (() => Promise<void>)[] = [];
    before(async () => {
      server = await new ServerProcess(['--entry-script', 'events.ts'], {
        env: { ACCESS_LOG_FIELDS: 'client', TRUSTED_PROXIES: '127.0.0.1/32', BODY_LIMIT_BYTES: '30000000' },
      }).ready();
      const suite = { after: (end: () => Promise<void>): void => void ends.push(end) };
      proxy = await Proxy.start(suite, kind, { servers: [await server.port()], changes });
    });
    after(async () => {
      for (const end of ends) await end();
      await server.stop();
    });

    it('requests over one kept connection are scored, and the log has the address of the client', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let i = 0; i < 50; i++) {
        const headers = { 'x-request-id': `plain-${i}`, 'x-forwarded-for': `203.0.113.${i}` };
        const answer = await post(proxy.url('/score'), `{"i":${i}}`, headers, agent);
        assert.deepEqual([answer.statusCode, await text(answer), answer.headers['x-request-id']], [200, `{"i":${i}}`, `plain-${i}`]);
        const line = await server.line(({ requestId }) => requestId === `plain-${i}`);
        assert.equal(line['client'], `203.0.113.${i}`);
      }
      agent.destroy();
    });

    for (const megabytes of [1, 5, 20])
      it(`a body of ${megabytes} MB arrives and comes back, also in chunks, compressed, and after 100 Continue`, async () => {
        const body = numbers(megabytes);
        const length = { 'content-length': body.length };
        const forms: [string | Buffer, Record<string, string | number>][] = [
          [body, length],
          [body, { 'transfer-encoding': 'chunked' }],
          [gzipSync(body, { level: 1 }), { 'content-encoding': 'gzip' }],
          [body, { ...length, expect: '100-continue' }],
        ];
        for (const [bytes, headers] of forms) {
          const answer = await post(proxy.url('/score'), bytes, headers);
          assert.equal(answer.statusCode, 200);
          assert.ok((await text(answer)) === body, JSON.stringify(headers));
        }
      });

    it('an answer is compressed for a client that takes it', async () => {
      const body = numbers(1);
      const answer = await post(proxy.url('/score'), body, { 'accept-encoding': 'gzip' });
      assert.equal(answer.headers['content-encoding'], 'gzip');
      assert.ok(gunzipSync(await buffer(answer)).toString() === body);
    });

    it('a stream arrives piece by piece', async () => {
      const events = folder();
      const answer = await post(proxy.url('/score'), JSON.stringify({ events }));
      const pieces = answer.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
      assert.equal((await pieces.next()).value, 'data: first\n\n');
      writeFileSync(join(events, 'released'), '');
      assert.equal((await pieces.next()).value, 'data: second\n\n');
      assert.equal((await pieces.next()).done, true);
    });

    it('HEAD has no body, and its connection goes on', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (const [path, expected] of [
        ['/', 200],
        ['/readyz', 200],
        ['/score', 405],
        ['/none', 404],
        ['/swagger.json', 200],
      ] as const) {
        const head = await new Promise<IncomingMessage>((resolve, reject) => {
          request(proxy.url(path), { method: 'HEAD', agent }).once('response', resolve).once('error', reject).end();
        });
        assert.deepEqual([head.statusCode, await text(head)], [expected, '']);
        const next = await post(proxy.url('/score'), '[1]', {}, agent);
        assert.equal(await text(next), '[1]');
      }
      agent.destroy();
    });

    for (const [form, headers] of [
      ['declared', { 'content-length': 40_000_000 }],
      ['in chunks', { 'transfer-encoding': 'chunked' }],
    ] as const)
      it(`413 in the middle of an upload reaches the client, ${form}`, async () => {
        const answer = await post(proxy.url('/score'), Buffer.alloc(40_000_000, '1'), headers);
        assert.equal(answer.statusCode, 413);
        assert.match(await text(answer), /^\{"message": "The request body must not exceed 30000000 bytes"\}$/);
        assert.equal((await server.score([2])).status, 200);
      });
  });

for (const { name, kind, changes } of fronts)
  it(`behind ${name}, 429 in the middle of an upload reaches the client`, { skip: missing(kind) }, (t) =>
    withServer(
      ['--entry-script', 'held.ts'],
      async (server) => {
        await server.ready();
        const proxy = await Proxy.start(t, kind, { servers: [await server.port()], changes });
        const [one, two] = [await hold(server), server.score('')];
        await until(async () => (await server.metric('scoring_requests_queued')) === 1);
        for (const bytes of [100_000, 5_000_000, 25_000_000]) {
          const answer = await post(proxy.url('/score'), Buffer.alloc(bytes, '1'), { 'content-length': bytes });
          assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [429, '1']);
          await text(answer);
        }
        one.release();
        assert.deepEqual([(await one.answer).status, (await two).status], [200, 200]);
      },
      { env: { WORKER_CONCURRENCY: '1', QUEUE_MAX_REQUESTS: '1' } },
    ),
  );

for (const { name, kind, changes } of fronts)
  it(`behind ${name}, 401 in the middle of an upload reaches the client`, { skip: missing(kind) }, (t) =>
    withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        const proxy = await Proxy.start(t, kind, { servers: [await server.port()], changes });
        for (const [bytes, headers] of [
          [100_000, {}],
          [25_000_000, { authorization: 'Bearer not-the-key-of-this-test' }],
          [25_000_000, { 'transfer-encoding': 'chunked' }],
        ] as const) {
          const length = 'transfer-encoding' in headers ? {} : { 'content-length': bytes };
          const answer = await post(proxy.url('/score'), Buffer.alloc(bytes, '1'), { ...length, ...headers });
          assert.equal(answer.statusCode, 401);
          assert.match(await text(answer), /^\{"message": "Access denied/);
        }
        const right = await post(proxy.url('/score'), '[1]', { authorization: 'Bearer the-key-of-this-test' });
        assert.deepEqual([right.statusCode, await text(right)], [200, '[1]']);
      },
      { env: { SCORING_KEYS: 'test:the-key-of-this-test' } },
    ),
  );

for (const kind of kinds)
  describe(`behind ${kind}`, { skip: missing(kind) }, () => {
    it('gRPC is passed on: health, inference, large tensors and errors', async (t) => {
      const grpc = await freePort();
      await withServer(['--entry-script', 'tensors.ts', '--grpc-port', String(grpc)], async (server) => {
        await server.ready();
        const proxy = await Proxy.start(t, kind, { servers: [await server.port()], grpc });
        const client = new GrpcClient(proxy.grpcPort);
        t.after(() => client.close());
        assert.deepEqual((await client.call('ServerReady')).message, { ready: true });
        for (const size of [1, 1000, 1_000_000]) {
          const input = {
            name: 'x',
            datatype: 'FP32',
            shape: [size],
            contents: { fp32_contents: Array.from({ length: size }, (_, i) => i % 100) },
          };
          const { message } = await client.call('ModelInfer', { model_name: 'tensors', inputs: [input] });
          const [doubled] = message['outputs'] as { name: string; contents: { fp32_contents: number[] } }[];
          assert.deepEqual([doubled?.name, doubled?.contents.fp32_contents.length], ['doubled', size]);
        }
        assert.equal((await client.error('ModelReady', { name: 'none' })).code, status.NOT_FOUND);
        const broken = { name: 'x', datatype: 'FP32', shape: [3], contents: { fp32_contents: [1] } };
        assert.equal((await client.error('ModelInfer', { model_name: 'tensors', inputs: [broken] })).code, status.INVALID_ARGUMENT);
      });
    });

    it('the address that a client claims counts only where the proxy is trusted', (t) =>
      withServer(
        ['--entry-script', 'echo.ts'],
        async (server) => {
          await server.ready();
          const proxy = await Proxy.start(t, kind, { servers: [await server.port()] });
          await text(await post(proxy.url('/score'), '[1]', { 'x-request-id': 'claimed', 'x-forwarded-for': '203.0.113.9' }));
          assert.equal((await server.line(({ requestId }) => requestId === 'claimed'))['client'], '127.0.0.1');
        },
        { env: { ACCESS_LOG_FIELDS: 'client' } },
      ));

    it('idle connections that are used again at the moment of their end lose no request', (t) =>
      withServer(
        ['--entry-script', 'echo.ts'],
        async (server) => {
          await server.ready();
          // As documented, the proxy ends them first: a second before the server.
          const change: Change =
            kind === 'nginx' ? ['keepalive_timeout 60s', 'keepalive_timeout 1s'] : ['pool-purge-delay 60s', 'pool-purge-delay 1s'];
          const proxy = await Proxy.start(t, kind, { servers: [await server.port()], changes: [change] });
          const agent = new Agent({ keepAlive: true });
          const client = async (number: number): Promise<void> => {
            for (let round = 0; round < 4; round++) {
              const answer = await post(proxy.url('/score'), `[${number}]`, {}, agent);
              assert.deepEqual([answer.statusCode, await text(answer)], [200, `[${number}]`]);
              // Idle for about as long as the proxy keeps its connections: that time is tested.
              await new Promise((resolve) => setTimeout(resolve, 970 + 2 * number));
            }
          };
          await Promise.all(Array.from({ length: 30 }, (_, number) => client(number)));
          agent.destroy();
        },
        { env: { KEEP_ALIVE_TIMEOUT_MS: '2000' } },
      ));
  });
