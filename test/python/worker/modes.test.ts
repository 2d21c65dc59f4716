import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from '../python-test.ts';
import { folder } from '../../set-up/folder.ts';
import { until } from '../../set-up/until.ts';
import { withPython } from './python-workers.ts';

const pool = { start: { concurrency: 4, concurrencyIsDefault: false } };

test('init() and run() have the main thread where a script says nothing else', () =>
  withPython('main_thread.py', async (workers) => {
    assert.deepEqual((await workers.score('where')).json, [true, true, workers.pids[0]]);
    assert.equal((await workers.score('alarm')).status, 200);
    assert.equal((await workers.score('asyncio.run')).json, 'awaited');
  }));

test('runs of a pool have threads of their own, as many as the host allows', () =>
  withPython(
    'main_thread.py',
    async (workers) => {
      const answers = await Promise.all(Array.from({ length: 4 }, () => workers.score({ meet: 4 })));
      assert.deepEqual(
        answers.map(({ json }) => json),
        [4, 4, 4, 4],
      );
    },
    pool,
  ));

for (const settings of [{}, pool]) {
  const mode = settings === pool ? 'pool' : 'main thread';
  test(`an awaitable that run() returns is awaited (${mode})`, () =>
    withPython('main_thread.py', async (workers) => assert.equal((await workers.score('awaitable')).json, 'awaited'), settings));

  test(`an awaitable of a client that leaves is cancelled, and the worker goes on (${mode})`, async () => {
    const notes = folder();
    await withPython(
      'main_thread.py',
      async (workers) => {
        const scoring = workers.begin('sleeps');
        await until(() => workers.lines.length > 0);
        // Begins, or is dropped: either way it ends.
        setTimeout(() => scoring.cancel(), 200);
        await assert.rejects(scoring.reply, { code: 'client_gone' });
        await workers.scorer.idle();
        assert.ok(existsSync(join(notes, 'cancelled')));
        assert.equal((await workers.score('awaitable')).json, 'awaited');
        assert.equal(workers.pids.length, 1);
      },
      { ...settings, env: { NOTES: notes } },
    );
  });
}

test('an async run() has one event loop, that of init(), on the main thread, and runs interleave', () =>
  withPython('on_event_loop.py', async (workers) => {
    assert.deepEqual((await workers.score('loop')).json, [true, true]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => workers.score({ meet: 8 })));
    assert.ok(answers.every(({ json }) => json === 8));
    const stream = await workers.score('stream');
    assert.deepEqual([stream.headers['content-type'], stream.text], ['application/x-ndjson', '{"n":0}\n{"n":1}\n{"n":2}\n']);
  }));

test('lines of tasks and threads of an async run() have the ids of its request', () =>
  withPython('on_event_loop.py', async (workers) => {
    await Promise.all([workers.score('log', { id: 'first' }), workers.score('log', { id: 'second' })]);
    for (const id of ['first', 'second'])
      assert.deepEqual(
        workers.lines.filter(({ requestId }) => requestId === id).map(({ msg }) => msg),
        ['before', 'in a task', 'in a thread'],
      );
  }));

test('an async run() is cancelled with its client, and at its deadline', async () => {
  const notes = folder();
  await withPython(
    'on_event_loop.py',
    async (workers) => {
      await assert.rejects(workers.score('sleep'), { code: 'deadline_exceeded' });
      await until(() => existsSync(join(notes, 'cancelled')));
      await workers.scorer.idle();
      assert.equal((await workers.score('pid')).json, workers.pids[0]);
      assert.equal(workers.pids.length, 1);
    },
    { env: { NOTES: notes }, limits: { scoringTimeoutMs: 1500 } },
  );
});

test('a client that leaves an async stream closes its generator', async () => {
  const notes = folder();
  await withPython(
    'on_event_loop.py',
    async (workers) => {
      const { body } = await workers.begin('endless').reply;
      assert.ok(body instanceof Readable);
      await once(body, 'readable');
      body.destroy();
      await until(() => existsSync(join(notes, 'closed')));
      await workers.scorer.idle();
      assert.equal(workers.pids.length, 1);
    },
    { env: { NOTES: notes } },
  );
});

test('sys.exit() in an async run() is a lost worker, and an exception that nobody awaits is logged', () =>
  withPython('on_event_loop.py', async (workers) => {
    await workers.score('forget');
    await workers.lineWith('nobody awaits it');
    await assert.rejects(workers.score('exit'), { code: 'worker_lost', message: /exit code 4/ });
    await workers.score('pid');
    await workers.stop();
    await workers.lineWith('closed on True');
  }));
