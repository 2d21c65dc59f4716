import assert from 'node:assert/strict';
import test from 'node:test';
import { held } from '../set-up/held.ts';
import { read, withWorkers } from './start-workers.ts';

test('requests beyond the queue are refused at once, those in it are scored', () =>
  withWorkers(
    'sleeps.ts',
    async (workers) => {
      const accepted = Array.from({ length: 3 }, () => workers.begin(20));
      assert.throws(() => workers.begin(0), { code: 'queue_full', message: /2 requests are waiting/ });
      for (const { reply } of accepted) assert.equal((await reply).status, 200);
      assert.equal((await workers.score(0)).status, 200);
    },
    { start: { concurrency: 1 }, limits: { queueMaxRequests: 2 } },
  ));

test('bytes are bounded too, and given back', () =>
  withWorkers(
    'sleeps.ts',
    async (workers) => {
      const body = Buffer.from(' '.repeat(449) + '5');
      const busy = workers.begin(body);
      const waits = workers.begin(body);
      assert.throws(() => workers.begin(body), { code: 'queue_full', message: /limit of 1000/ });
      await Promise.all([busy.reply, waits.reply]);
      assert.equal((await workers.score(body)).status, 200);
    },
    { start: { concurrency: 1 }, limits: { queueMaxBytes: 1000 } },
  ));

test('a queue-wait limit answers 503 without disturbing the worker', () =>
  withWorkers(
    'held.ts',
    async (workers) => {
      const slow = held();
      const busy = workers.begin(slow.data);
      await assert.rejects(workers.score(''), { code: 'queue_timeout' });
      slow.release();
      assert.equal((await busy.reply).status, 200);
    },
    { start: { concurrency: 1 }, limits: { queueWaitTimeoutMs: 50 } },
  ));

test('the deadline counts the wait in the queue', () =>
  withWorkers(
    'sleeps.ts',
    async (workers) => {
      const first = workers.begin(2500);
      // Shorter than the deadline, and too long after the wait.
      const late = workers.begin(4900);
      assert.equal((await first.reply).status, 200);
      await assert.rejects(late.reply, { code: 'deadline_exceeded' });
    },
    { start: { concurrency: 1 }, limits: { scoringTimeoutMs: 5000 } },
  ));

test('a client that leaves while it waits is dropped from the queue and never run', () =>
  withWorkers(
    'sleeps.ts',
    async (workers) => {
      const busy = workers.begin(30);
      const leaves = workers.begin(0);
      leaves.cancel();
      await assert.rejects(leaves.reply, { code: 'client_gone' });
      assert.equal(workers.scorer.load.queued, 0);
      await busy.reply;
    },
    { start: { concurrency: 1 } },
  ));

test('several workers share the load', () =>
  withWorkers(
    'sleeps.ts',
    async (workers) => {
      const pids = await Promise.all(Array.from({ length: 4 }, async () => (await workers.score(50)).json));
      assert.equal(new Set(pids).size, 2);
    },
    { workers: 2 },
  ));

test('large bodies arrive whole, many at a time, and small ones in between', () =>
  withWorkers('echo.ts', async (workers) => {
    const large = 'x'.repeat(3_000_000);
    const answers = await Promise.all([
      workers.score(large),
      workers.score('small'),
      workers.score(large),
      workers.score({ a: 'ü'.repeat(40_000) }),
    ]);
    assert.deepEqual(
      answers.map(({ json }) => json),
      [large, 'small', large, { a: 'ü'.repeat(40_000) }],
    );
  }));

test('a request goes to the worker that holds the least', () =>
  withWorkers(
    'held.ts',
    async (workers) => {
      const slow = held();
      const busy = workers.begin(slow.data);
      const one = await workers.score('');
      // The first worker holds a request, so everything short goes to the other.
      for (let round = 0; round < 5; round++) assert.equal((await workers.score('')).json, one.json);
      slow.release();
      assert.notEqual((await read(await busy.reply)).json, one.json);
    },
    { workers: 2 },
  ));
