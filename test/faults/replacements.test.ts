import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';

function database(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'database-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'there');
  writeFileSync(file, '');
  return file;
}

const workers = (server: ServerProcess): number[] => server.lines.filter(({ msg }) => msg === 'worker ready').map(({ pid }) => Number(pid));

test('requests that wait when replacements keep failing get their 503 before the server ends, and each attempt is in the log', (t) => {
  const file = database(t);
  return withServer(
    ['--entry-script', 'starts-once.ts'],
    async (server) => {
      await server.ready();
      rmSync(file);
      process.kill(workers(server)[0] ?? 0, 'SIGKILL');
      await server.said('a worker ended unexpectedly');
      const answers = await Promise.all(
        Array.from({ length: 32 }, async () => {
          const answer = await server.score('wait');
          return [answer.status, answer.headers.get('connection'), await answer.text().then((text) => text.length > 0)];
        }),
      );
      assert.deepEqual(
        answers,
        Array.from({ length: 32 }, () => [503, 'close', true]),
      );
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      const attempts = server.lines.filter(({ msg }) => msg.includes('a replacement did not start'));
      assert.deepEqual(
        attempts.map(({ attempt, attempts: of, nextMs }) => [attempt, of, nextMs]),
        [
          [1, 4, 100],
          [2, 4, 200],
          [3, 4, 200],
          [4, 4, undefined],
        ],
      );
      assert.ok(attempts.every(({ msg }) => msg.includes('no database')));
    },
    { env: { DATABASE_FILE: file, REPLACEMENT_ATTEMPTS: '4', REPLACEMENT_BACKOFF_MS: '200' } },
  );
});

test('a database that is away for a while costs the server nothing but that time, and probes say so', (t) => {
  const file = database(t);
  return withServer(
    ['--entry-script', 'starts-once.ts'],
    async (server) => {
      await server.ready();
      rmSync(file);
      process.kill(workers(server)[0] ?? 0, 'SIGKILL');
      await server.line(({ attempt }) => attempt === 5);
      assert.equal((await fetch(await server.url('/health/ready'))).status, 503);
      assert.equal((await fetch(await server.url('/health/live'))).status, 200);
      const waits = server.score('wait');
      writeFileSync(file, '');
      assert.equal((await waits).status, 200);
      assert.equal((await fetch(await server.url('/health/ready'))).status, 200);
    },
    { env: { DATABASE_FILE: file, REPLACEMENT_BACKOFF_MS: '300' } },
  );
});

test('a place that cannot be filled does not cost the server, while another worker serves', (t) => {
  const file = database(t);
  return withServer(
    ['--entry-script', 'starts-once.ts', '--worker-count', '2'],
    async (server) => {
      await server.ready();
      rmSync(file);
      process.kill(workers(server)[0] ?? 0, 'SIGKILL');
      await server.line(({ attempt }) => attempt === 6);
      assert.equal((await server.score('ok')).status, 200);
      writeFileSync(file, '');
      while (workers(server).length < 3) await server.line(() => workers(server).length > 2);
    },
    { env: { DATABASE_FILE: file, REPLACEMENT_ATTEMPTS: '2', REPLACEMENT_BACKOFF_MS: '100' } },
  );
});

test('a first start that fails is not tried again', () =>
  withServer(
    ['--entry-script', 'starts-once.ts'],
    async (server) => {
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      assert.ok(!server.lines.some(({ msg }) => msg.includes('a replacement')));
    },
    { env: { DATABASE_FILE: '/nowhere' } },
  ));
