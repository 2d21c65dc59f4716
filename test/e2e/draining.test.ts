import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { withServer, type ServerProcess } from './start-server.ts';

const children = (server: ServerProcess): number[] =>
  server.lines.filter(({ msg }) => msg === 'worker ready').map(({ pid }) => Number(pid));

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('SIGTERM: readiness says no at once, scoring goes on through the delay, what was admitted is finished, exit 0', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      const workers = children(server);
      const slow = server.score(1200);
      await fetch(await server.url('/health/ready'));
      server.child.kill('SIGTERM');
      await server.said('draining');
      const ready = await fetch(await server.url('/health/ready'));
      assert.deepEqual([ready.status, ready.headers.get('connection')], [503, 'close']);
      assert.equal((await fetch(await server.url('/health/live'))).status, 200);
      const during = await server.score(0);
      assert.deepEqual([during.status, during.headers.get('connection')], [200, 'close']);
      assert.equal((await slow).status, 200);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.deepEqual(workers.filter(alive), []);
      assert.ok(server.lines.some(({ msg }) => msg === 'drained'));
    },
    { env: { DRAIN_DELAY_MS: '500' } },
  ));

test('a body that is still being uploaded when the signal comes is read to its end and answered', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const upload = request(await server.url('/score'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 9 },
      });
      const answered = new Promise<[number | undefined, string]>((resolve, reject) => {
        upload.once('error', reject);
        upload.once('response', (response) => {
          void text(response).then((body) => resolve([response.statusCode, body]), reject);
        });
      });
      upload.write('[1, 2,');
      await fetch(await server.url('/health/ready'));
      server.child.kill('SIGTERM');
      await server.said('draining');
      await new Promise((resolve) => setTimeout(resolve, 300));
      upload.end(' 3]');
      assert.deepEqual(await answered, [200, '[1,2,3]']);
      assert.equal((await server.exited).code, 0);
    },
    { env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '20000' } },
  ));

test('a drain that takes too long answers what is left with 503 and ends all the same', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      const slow = server.score(60_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      server.child.kill('SIGTERM');
      assert.equal((await slow).status, 503);
      assert.equal((await server.exited).code, 0);
    },
    { env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '600' } },
  ));

test('SIGINT drains without the delay', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const began = performance.now();
      server.child.kill('SIGINT');
      assert.equal((await server.exited).code, 0);
      assert.ok(performance.now() - began < 3000);
    },
    { env: { DRAIN_DELAY_MS: '30000', DRAIN_TIMEOUT_MS: '60000' } },
  ));

test('a second signal ends the server at once with 1, and no worker stays behind', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      const workers = children(server);
      server.child.kill('SIGTERM');
      await server.said('draining');
      // Within 250 ms it would be the same one.
      await new Promise((resolve) => setTimeout(resolve, 400));
      server.child.kill('SIGTERM');
      assert.equal((await server.exited).code, 1);
      await Promise.all(workers.map(gone));
    },
    { env: { DRAIN_DELAY_MS: '30000', DRAIN_TIMEOUT_MS: '60000' } },
  ));

test('SIGTERM during init() ends the server with 0', () =>
  withServer(['--entry-script', 'init-hangs.ts'], async (server) => {
    await server.url();
    server.child.kill('SIGTERM');
    assert.equal((await server.exited).code, 0);
  }));

test('a host that is killed takes its workers along, even one in an endless loop', () =>
  withServer(['--entry-script', 'run-spins.ts'], async (server) => {
    await server.ready();
    const workers = children(server);
    void server.score('spin').catch(() => undefined);
    await fetch(await server.url('/health/live'));
    server.child.kill('SIGKILL');
    await server.exited;
    await Promise.all(workers.map(gone));
  }));
