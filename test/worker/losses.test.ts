import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
import { held } from '../set-up/held.ts';
import { alive } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { read, Workers, withWorkers } from './start-workers.ts';

/** Above every deadline below, and far below the time of what would be waited for. */
const LONGEST_MS = 15_000;

for (const [script, data, how] of [
  ['run-exits.ts', 'exit', 'exit code 5'],
  ['run-aborts.ts', 'abort', 'signal SIGABRT'],
  ['uncaught-exception.ts', 'throw later', 'exit code 1'],
] as const) {
  test(`${script}: a worker that dies is replaced, what it held is answered, what waits is scored`, () =>
    withWorkers(
      script,
      async (workers) => {
        if (script === 'uncaught-exception.ts') {
          await workers.score(data);
          await workers.line(({ signal, code }) => signal !== undefined || code !== undefined);
        } else {
          const lost = workers.begin(data);
          const waits = Array.from({ length: 3 }, () => workers.begin('ok'));
          await assert.rejects(lost.reply, { code: 'worker_lost', message: new RegExp(how) });
          for (const waiting of waits) assert.equal((await read(await waiting.reply)).json, 'fine');
        }
        assert.equal((await workers.score('ok')).json, 'fine');
        assert.equal(workers.scorer.ready, true);
      },
      { limits: {}, start: { concurrency: 1 } },
    ));
}

test('no client can shut the server down: a script that dies at every request is replaced at every request', () =>
  withWorkers('run-exits.ts', async (workers) => {
    for (let round = 0; round < 7; round++) await assert.rejects(workers.score('exit'), { code: 'worker_lost' });
    assert.equal((await workers.score('ok')).json, 'fine');
  }));

test('while the only worker is replaced the server is healthy but not ready', () =>
  withWorkers('run-exits.ts', async (workers) => {
    await assert.rejects(workers.score('exit'), { code: 'worker_lost' });
    assert.deepEqual([workers.scorer.ready, workers.scorer.healthy], [false, true]);
    assert.equal((await workers.score('ok')).json, 'fine');
    assert.equal(workers.scorer.ready, true);
  }));

test('a run() that blocks its thread past the deadline is answered in time and its worker killed', () =>
  withWorkers(
    'run-spins.ts',
    async (workers) => {
      const began = performance.now();
      await assert.rejects(workers.score('spin'), { code: 'deadline_exceeded', message: 'Scoring timeout after 5000 ms' });
      assert.ok(performance.now() - began < LONGEST_MS);
      const before = workers.pids.at(-1);
      assert.equal((await workers.score('next', {})).json, 'fine');
      assert.notEqual(workers.pids.at(-1), before);
      assert.match(await workers.metrics.registry.metrics(), /worker_restarts_total\{cause="deadline"\} 1/);
    },
    { limits: { scoringTimeoutMs: 5000, cancelGraceMs: 100 } },
  ));

test('a run() that never settles costs its worker nothing but that place: others finish, then it is replaced', () =>
  withWorkers(
    'run-never-ends.ts',
    async (workers) => {
      const first = (await workers.score('pid')).json;
      await assert.rejects(workers.score('never'), { code: 'deadline_exceeded' });
      await workers.lineWith('did not end after its cancel');
      const answer = await workers.score('pid');
      assert.notEqual(answer.json, first);
    },
    { limits: { scoringTimeoutMs: 5000, cancelGraceMs: 2500 } },
  ));

test('replacements that die before they are ready end in failure, and only they', async () => {
  const workers = new Workers('init-fails-second-time.ts', { env: { STARTED_FILE: join(folder(), 'started') } });
  try {
    await workers.started;
    await assert.rejects(workers.score(1), { code: 'worker_lost' });
    const error = await workers.failure;
    assert.deepEqual([error.code, error.message.includes('only once')], ['init_failed', true]);
    assert.equal(workers.lines.filter(({ msg }) => String(msg).includes('a replacement did not start')).length, 5);
  } finally {
    await workers.stop();
  }
});

test('a replacement that cannot start is ended, also where its exit does not end', async () => {
  const file = join(folder(), 'started');
  const workers = new Workers('init-fails-for-ever.ts', { env: { STARTED_FILE: file } });
  try {
    await workers.started;
    await assert.rejects(workers.score(1), { code: 'worker_lost' });
    await workers.failure;
    const pids = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    assert.equal(pids.length, 5);
    try {
      await until(() => !pids.some(alive));
    } finally {
      for (const pid of pids.filter(alive)) process.kill(pid, 'SIGKILL');
    }
  } finally {
    await workers.stop();
  }
});

test('the signal of a request fires when its client leaves', async () => {
  const file = join(folder(), 'state');
  await withWorkers('signal.ts', async (workers) => {
    const scoring = workers.begin({ file });
    // A run that is cancelled before it began never begins.
    await until(() => existsSync(file));
    scoring.cancel();
    await assert.rejects(scoring.reply, { code: 'client_gone' });
    await workers.scorer.idle();
    assert.equal(readFileSync(file, 'utf8'), 'cancelled');
  });
});

test('the signal of a request fires at the deadline, and a run() that obeys keeps its worker', async () => {
  const file = join(folder(), 'state');
  await withWorkers(
    'signal.ts',
    async (workers) => {
      const before = workers.pids;
      await assert.rejects(workers.score({ file }), { code: 'deadline_exceeded' });
      await workers.scorer.idle();
      assert.deepEqual([readFileSync(file, 'utf8'), workers.pids], ['cancelled', before]);
    },
    { limits: { scoringTimeoutMs: 2500 } },
  );
});

test('stopping answers what workers hold and what waits', () =>
  withWorkers(
    'run-never-ends.ts',
    async (workers) => {
      const never = workers.begin('never');
      const waiting = workers.begin('pid');
      const both = Promise.all([assert.rejects(never.reply, { code: 'stopping' }), assert.rejects(waiting.reply, { code: 'stopping' })]);
      await workers.stop();
      await both;
      assert.throws(() => workers.begin('pid'), { code: 'stopping' });
    },
    { start: { concurrency: 1 } },
  ));

test('a worker is lost when it ends, even if a child of its own holds its output', () =>
  withWorkers('child-holds-output.ts', async (workers) => {
    const began = performance.now();
    await assert.rejects(workers.score('exit'), { code: 'worker_lost' });
    assert.ok(performance.now() - began < LONGEST_MS);
    assert.equal(typeof (await workers.score('pid')).json, 'number');
    const stopping = performance.now();
    await workers.stop();
    assert.ok(performance.now() - stopping < LONGEST_MS);
  }));

test('a worker that retires finishes what others wait for', () =>
  withWorkers(
    'held.ts',
    async (workers) => {
      await assert.rejects(workers.score(held().data), { code: 'deadline_exceeded' });
      // Begins before its worker retires, and ends after that.
      const slow = held();
      const neighbour = workers.score(slow.data);
      await slow.running();
      await workers.lineWith('did not end after its cancel');
      slow.release();
      const before = workers.pids.at(0);
      assert.equal((await neighbour).json, before);
      assert.notEqual((await workers.score('')).json, before);
    },
    { limits: { scoringTimeoutMs: 5000, cancelGraceMs: 2500 } },
  ));

test('a worker that is killed for a stuck run says so in the log', () =>
  withWorkers(
    'run-spins.ts',
    async (workers) => {
      await assert.rejects(workers.score('spin', { id: 'stuck' }), { code: 'deadline_exceeded' });
      const line = await workers.lineWith('did not react to a cancel within 100 ms');
      assert.deepEqual([line['requestId'], line['pid'], line['level']], ['stuck', workers.pids.at(0), 'warn']);
      assert.equal((await workers.score('next')).json, 'fine');
    },
    { limits: { scoringTimeoutMs: 5000, cancelGraceMs: 100 } },
  ));

test('a client that leaves a stream costs its neighbours nothing', () =>
  withWorkers(
    'stream-slow.ts',
    async (workers) => {
      const left = (await workers.begin(600).reply).body as Readable;
      const neighbour = workers.score(100);
      left.destroy();
      assert.equal((await neighbour).text, '0123');
      await workers.scorer.idle();
      assert.equal(workers.pids.length, 1);
    },
    { limits: { cancelGraceMs: 2500 } },
  ));

test('without a worker the server is healthy for 60 s and no longer', () => {
  let now = 0;
  return withWorkers(
    'run-exits.ts',
    async (workers) => {
      // Long after the start: the minute counts from the loss.
      now = 1_000_000;
      await assert.rejects(workers.score('exit'), { code: 'worker_lost' });
      assert.deepEqual([workers.scorer.ready, workers.scorer.healthy], [false, true]);
      now += 59_000;
      assert.equal(workers.scorer.healthy, true);
      now += 2000;
      assert.equal(workers.scorer.healthy, workers.scorer.ready);
      await workers.score('ok');
      assert.equal(workers.scorer.healthy, true);
    },
    { now: () => now },
  );
});
