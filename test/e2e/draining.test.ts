import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { alive } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { closed } from './closed.ts';
import { hold } from './hold.ts';
import { withServer } from './start-server.ts';

/** Longer than any test: a drain must not wait for it. */
const LONG = { DRAIN_DELAY_MS: '60000', DRAIN_TIMEOUT_MS: '120000' };

test('SIGTERM: readiness is 503 at once, scoring goes on through the delay, admitted requests finish, exit 0', () =>
  withServer(
    ['--entry-script', 'held.ts'],
    async (server) => {
      await server.ready();
      const { workers } = server;
      const slow = await hold(server);
      server.child.kill('SIGTERM');
      await server.said('draining');
      const ready = await fetch(await server.url('/health/ready'));
      assert.deepEqual([ready.status, ready.headers.get('connection')], [503, 'close']);
      assert.equal(await server.status('/health/live'), 200);
      const during = await server.score('');
      assert.deepEqual([during.status, during.headers.get('connection')], [200, 'close']);
      await closed(await server.port());
      slow.release();
      assert.equal((await slow.answer).status, 200);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.deepEqual(workers.filter(alive), []);
      assert.ok(server.lines.some(({ msg }) => msg === 'drained'));
    },
    { env: { DRAIN_DELAY_MS: '3000', DRAIN_TIMEOUT_MS: '60000' } },
  ));

test('a body that is still being uploaded when the signal comes is read to its end and answered', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const upload = request(await server.url('/score'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 9, expect: '100-continue' },
      });
      const answered = new Promise<[number | undefined, string]>((resolve, reject) => {
        upload.once('error', reject);
        upload.once('response', (response) => {
          void text(response).then((body) => resolve([response.statusCode, body]), reject);
        });
      });
      // It is admitted when the server asks for its body.
      await once(upload, 'continue');
      upload.write('[1, 2,');
      server.child.kill('SIGTERM');
      await server.said('draining');
      await closed(await server.port());
      upload.end(' 3]');
      assert.deepEqual(await answered, [200, '[1,2,3]']);
      assert.equal((await server.exited).code, 0);
    },
    { env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' } },
  ));

test('a drain that takes too long answers the rest with 503, and ends', () =>
  withServer(
    ['--entry-script', 'held.ts'],
    async (server) => {
      await server.ready();
      const slow = await hold(server);
      server.child.kill('SIGTERM');
      assert.equal((await slow.answer).status, 503);
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
      assert.ok(performance.now() - began < Number(LONG.DRAIN_DELAY_MS) / 2);
    },
    { env: LONG },
  ));

test('a second signal ends the server at once with 1, and no worker stays behind', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      const { workers } = server;
      server.child.kill('SIGTERM');
      await server.said('draining');
      // Within 250 ms of the first it would count as the same signal.
      await delay(400);
      server.child.kill('SIGTERM');
      assert.equal((await server.exited).code, 1);
      await until(() => !workers.some(alive));
    },
    { env: LONG },
  ));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: a stream under way ends, then close() is awaited, and the server exits with 0`, () =>
    withServer(
      ['--entry-script', 'closes.ts'],
      async (server) => {
        await server.ready();
        const { workers } = server;
        const streaming = await server.score('stream');
        server.child.kill(signal);
        assert.equal(await streaming.text(), '01234');
        assert.deepEqual(await server.exited, { code: 0, signal: null });
        const order = server.lines.map(({ msg }) => msg).filter((msg) => /^(?:draining|streamed|clos(?:ing|ed) .*|drained)$/.test(msg));
        assert.deepEqual(order, ['draining', 'streamed', `closing ${workers[0]}`, `closed ${workers[0]}`, 'drained']);
        assert.deepEqual(workers.filter(alive), []);
      },
      { env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '60000' } },
    ));
}

for (const script of ['close-hangs.ts', 'close-spins.ts', 'close-throws.ts']) {
  test(`${script}: a close() that fails costs no more than the drain, and the server exits with 0`, () =>
    withServer(
      ['--entry-script', script],
      async (server) => {
        await server.ready();
        const { workers } = server;
        await server.drain();
        const [line] = server.linesWith('close() of');
        const [, ms] = /did not finish within (\d+) ms/.exec(line?.msg ?? '') ?? [];
        if (script === 'close-throws.ts') assert.match(line?.msg ?? '', /the pool is closed already/);
        else assert.ok(Number(ms) >= 500 && Number(ms) <= 3000, line?.msg);
        assert.deepEqual(workers.filter(alive), []);
      },
      { env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '3000' } },
    ));
}

test('a second signal does not wait for close()', () =>
  withServer(
    ['--entry-script', 'close-hangs.ts'],
    async (server) => {
      await server.ready();
      const { workers } = server;
      server.child.kill('SIGINT');
      await server.said('close() begins');
      // Within 250 ms of the first it would count as the same signal.
      await delay(400);
      server.child.kill('SIGINT');
      assert.equal((await server.exited).code, 1);
      await until(() => !workers.some(alive));
    },
    { env: LONG },
  ));

test('a worker inside close() ends with a host that is killed', () =>
  withServer(
    ['--entry-script', 'close-hangs.ts'],
    async (server) => {
      await server.ready();
      const { workers } = server;
      server.child.kill('SIGINT');
      await server.said('close() begins');
      await server.stop();
      await until(() => !workers.some(alive));
    },
    { env: LONG },
  ));

test('SIGTERM during init() ends the server with 0', () =>
  withServer(['--entry-script', 'init-hangs.ts'], async (server) => {
    await server.url();
    server.child.kill('SIGTERM');
    assert.equal((await server.exited).code, 0);
  }));

test('workers end with a host that is killed, even one in an endless loop', () =>
  withServer(['--entry-script', 'run-spins.ts'], async (server) => {
    await server.ready();
    const { workers } = server;
    const lost = server.score('spin').catch(() => undefined);
    await server.inFlight(1);
    await server.stop();
    await until(() => !workers.some(alive));
    await lost;
  }));
