import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { type ServerProcess, withServer } from './start-server.ts';

/** A stream of events that never ends, and whether its reader is there. */
async function events(t: TestContext): Promise<{ readonly url: string; readonly state: { open: number } }> {
  const state = { open: 0 };
  const server = createServer((request, response) => {
    state.open++;
    request.socket.once('close', () => state.open--);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?first`, state };
}

/** The head of an answer has arrived, and its body is not read yet. */
async function answerTo(server: ServerProcess, data: unknown): Promise<IncomingMessage> {
  const request = httpRequest(await server.url('/score'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    agent: false,
  });
  request.end(JSON.stringify(data));
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return answer;
}

const failures = (server: ServerProcess, code: string): Promise<number> => server.metric(`scoring_failures_total{code="${code}"}`);

test('a client that leaves a stream closes the upstream of it, and counts as gone', async (t) => {
  const up = await events(t);
  const file = join(folder(), 'events');
  await withServer(['--entry-script', 'upstreams.ts'], async (server) => {
    await server.ready();
    const answer = await answerTo(server, { how: 'fetch', url: up.url, file });
    assert.deepEqual([answer.statusCode, answer.headers['content-type'], up.state.open], [200, 'text/event-stream', 1]);
    await once(answer, 'data');
    answer.destroy();
    await until(() => up.state.open === 0);
    assert.equal(readFileSync(file, 'utf8'), 'aborted fetch\n');
    assert.equal((await server.line(({ msg }) => msg === 'request'))['status'], 499);
    assert.deepEqual([await failures(server, 'client_gone'), await failures(server, 'internal')], [1, 0]);
    await server.inFlight(0);
    assert.equal(server.workers.length, 1);
  });
});

test('a source that stalls is a timeout of the script, and its upstream is closed', async (t) => {
  const up = await events(t);
  const file = join(folder(), 'events');
  await withServer(
    ['--entry-script', 'upstreams.ts'],
    async (server) => {
      await server.ready();
      const answer = await answerTo(server, { how: 'new Response', url: up.url, file });
      await new Promise((resolve) => answer.resume().once('close', resolve));
      assert.equal(answer.complete, false);
      await until(() => up.state.open === 0);
      const line = await server.line(({ msg }) => msg === 'request');
      assert.equal(line['status'], 504);
      assert.equal((await server.line(({ code }) => code === 'deadline_exceeded'))['level'], 'error');
      assert.deepEqual([await failures(server, 'deadline_exceeded'), await failures(server, 'internal')], [1, 0]);
      await server.inFlight(0);
      assert.equal(server.workers.length, 1);
    },
    { env: { STREAM_IDLE_TIMEOUT_MS: '1000' } },
  );
});

test('a reader that stalls counts as gone, and its generator is ended', async () => {
  const progress = join(folder(), 'progress');
  await withServer(
    ['--entry-script', 'stream-endless.ts'],
    async (server) => {
      await server.ready();
      const answer = await answerTo(server, { progress });
      assert.equal((await server.line(({ msg }) => msg === 'request'))['status'], 499);
      answer.destroy();
      await until(() => existsSync(progress) && readFileSync(progress, 'utf8').startsWith('ended after'));
      assert.deepEqual([await failures(server, 'client_gone'), await failures(server, 'internal')], [1, 0]);
      assert.equal(server.workers.length, 1);
    },
    { env: { STREAM_IDLE_TIMEOUT_MS: '1000' } },
  );
});
