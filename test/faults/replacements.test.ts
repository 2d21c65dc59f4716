import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';

/**
 * A server of workers that start while a file is there, as a database might be, and that loses one
 * when it is gone.
 */
function withoutDatabase(
  args: readonly string[],
  env: Record<string, string>,
  use: (server: ServerProcess, database: string) => Promise<void>,
): Promise<void> {
  const database = join(folder(), 'there');
  writeFileSync(database, '');
  return withServer(
    ['--entry-script', 'starts-once.ts', ...args],
    async (server) => {
      await server.ready();
      rmSync(database);
      process.kill(server.workers[0]!, 'SIGKILL');
      await use(server, database);
    },
    { env: { DATABASE_FILE: database, ...env } },
  );
}

test('requests that wait when replacements keep failing get their 503 before the server ends, and each attempt is in the log', () =>
  withoutDatabase([], { REPLACEMENT_ATTEMPTS: '7', REPLACEMENT_BACKOFF_MS: '1000' }, async (server) => {
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
    const attempts = server.linesWith('a replacement did not start');
    assert.deepEqual(
      attempts.map(({ attempt, attempts: of, nextMs }) => [attempt, of, nextMs]),
      [100, 200, 400, 800, 1000, 1000, undefined].map((nextMs, at) => [at + 1, 7, nextMs]),
    );
    assert.ok(attempts.every(({ msg }) => msg.includes('no database')));
  }));

test('a database that is away for a while delays requests only, and probes report it', () =>
  withoutDatabase([], { REPLACEMENT_BACKOFF_MS: '300' }, async (server, database) => {
    await server.line(({ attempt }) => attempt === 5);
    assert.equal(await server.status('/health/ready'), 503);
    assert.equal(await server.status('/health/live'), 200);
    const waits = server.score('wait');
    writeFileSync(database, '');
    assert.equal((await waits).status, 200);
    assert.equal(await server.status('/health/ready'), 200);
  }));

test('a worker that cannot be replaced does not end the server, while another serves', () =>
  withoutDatabase(['--worker-count', '2'], { REPLACEMENT_ATTEMPTS: '2', REPLACEMENT_BACKOFF_MS: '100' }, async (server, database) => {
    await server.line(({ attempt }) => attempt === 6);
    assert.equal((await server.score('ok')).status, 200);
    writeFileSync(database, '');
    await server.line(() => server.workers.length === 3);
  }));

test('a first start that fails is not tried again', () =>
  withServer(
    ['--entry-script', 'starts-once.ts'],
    async (server) => {
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      assert.deepEqual(server.linesWith('a replacement'), []);
    },
    { env: { DATABASE_FILE: '/nowhere' } },
  ));
