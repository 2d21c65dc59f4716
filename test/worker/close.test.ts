import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import { loadScript } from 'scoring-server/testing';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { alive } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { SCRIPTS, Workers, withWorkers } from './start-workers.ts';

const texts = ({ lines }: Workers): string[] => lines.map(({ msg }) => String(msg));

test('close() of a script is awaited at a stop, and its log lines and metrics arrive', () =>
  withWorkers(
    'closes.ts',
    async (workers) => {
      const pids = workers.pids.map(String).toSorted();
      assert.equal(pids.length, 2);
      await workers.stop();
      const of = (word: string): string[] =>
        texts(workers)
          .filter((text) => text.startsWith(word))
          .map((text) => text.slice(word.length))
          .toSorted();
      assert.deepEqual([of('closing '), of('closed ')], [pids, pids]);
      assert.match(await workers.metrics.registry.metrics(), /^closed_total 2$/m);
    },
    { workers: 2 },
  ));

for (const script of ['closes.cjs', 'closes-default.js']) {
  test(`${script}: close() is found in every form of exports`, () =>
    withWorkers(script, async (workers) => {
      await workers.stop();
      assert.equal(texts(workers).filter((text) => text === 'closed').length, 1);
    }));
}

test('close() of a worker that is retired runs, though one of its runs never ends', () =>
  withWorkers(
    'closes.ts',
    async (workers) => {
      const { json: first } = await workers.score('pid');
      await assert.rejects(workers.score('never'), { code: 'deadline_exceeded' });
      await workers.lineWith(`closed ${String(first)}`);
      await until(() => !alive(Number(first)));
      assert.notEqual((await workers.score('pid')).json, first);
      // The old worker counts once its pipe has ended, too.
      await until(async () => /worker_restarts_total\{cause="deadline"\} 1/.test(await workers.metrics.registry.metrics()));
    },
    { limits: { scoringTimeoutMs: 5000, cancelGraceMs: 2500 } },
  ));

test('close() ends in its time beside a stream that the drain did not wait for', () =>
  withWorkers('closes.ts', async (workers) => {
    const { body } = await workers.begin('stream').reply;
    assert.ok(body instanceof Readable);
    await once(body, 'readable');
    // What the client takes is told to the worker, whose pipe has ended.
    body.on('error', () => undefined).resume();
    const [pid] = workers.pids.map(String);
    await workers.stop();
    assert.ok(texts(workers).includes(`closed ${pid}`), texts(workers).join('\n'));
  }));

test('close() that throws is a line of the log, and ends its worker', () =>
  withWorkers('close-throws.ts', async (workers) => {
    await workers.stop();
    const line = workers.lines.find(({ msg }) => String(msg).includes('close() of'));
    assert.equal(line?.['level'], 'error');
    assert.match(String(line?.['msg']), /close-throws\.ts raised an exception: Error: the pool is closed already/);
    assert.deepEqual(workers.pids.map(Number).filter(alive), []);
  }));

for (const script of ['close-hangs.ts', 'close-spins.ts']) {
  test(`${script}: close() that never ends costs its limit, and a line of the log`, () =>
    withWorkers(script, async (workers) => {
      await workers.scorer.stop(800);
      const line = workers.lines.find(({ msg }) => String(msg).includes('close() of the entry script did not finish within 800 ms'));
      assert.deepEqual([line?.['level'], line?.['worker'], line?.['pid']], ['warn', 0, workers.pids[0]]);
      assert.deepEqual(workers.pids.map(Number).filter(alive), []);
    }));
}

test('a worker without close() ends at once, whatever the limit is', () =>
  withWorkers('echo.ts', async (workers) => {
    await workers.scorer.stop(60_000);
    assert.ok(!texts(workers).some((text) => text.includes('close()')));
  }));

test('close() can run the models that init() has opened', async () => {
  const modelFile = writeModel('ridge', folder());
  await withWorkers(
    'closes-with-model.ts',
    async (workers) => {
      await workers.stop();
      assert.ok(texts(workers).includes('closed with 1'), texts(workers).join('\n'));
    },
    { start: { modelFile } },
  );
});

for (const [script, runs] of [
  ['close-without-init.ts', false],
  ['close-after-bad-sample.ts', true],
] as const) {
  test(`${script}: close() ${runs ? 'runs' : 'does not run'} where a start fails ${runs ? 'after' : 'in'} init()`, async () => {
    const workers = new Workers(script);
    try {
      assert.equal((await workers.failure).code, 'init_failed');
    } finally {
      await workers.stop();
    }
    if (runs) await workers.lineWith('close() begins');
    else assert.ok(!texts(workers).includes('close() begins'));
  });
}

test('a start that fails is reported before close() begins, which may never end', async () => {
  const workers = new Workers('close-spins-after-bad-sample.ts');
  try {
    assert.match((await workers.failure).message, /run\(\) failed on the sample.*no sample today/);
  } finally {
    await workers.stop();
  }
});

test('loadScript closes the script, and hands on what close() throws', async () => {
  const script = await loadScript(join(SCRIPTS, 'closes.ts'));
  await script.close();
  assert.equal(script.metric('closed_total'), 1);
  await assert.rejects((await loadScript(join(SCRIPTS, 'close-throws.ts'))).close(), /the pool is closed already/);
});
