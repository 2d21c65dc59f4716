import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { modelBytes, writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { Workers, withWorkers } from './start-workers.ts';

/** Workers report some time after the answer. */
async function shown(workers: Workers, sample: RegExp): Promise<string> {
  let text = '';
  await until(async () => sample.test((text = await workers.metrics.registry.metrics())));
  return text;
}

const ROW = { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };

/** Workers of a script that opens a model, and the file of it. */
function withModel(use: (workers: Workers, modelFile: string) => Promise<void>): Promise<void> {
  const modelFile = writeModel('ridge', folder());
  return withWorkers('opens-model.ts', (workers) => use(workers, modelFile), { start: { modelFile, maxBatchSize: 32 } });
}

test("a script's own metrics are added up over the workers, and survive a worker that dies", () =>
  withWorkers(
    'own-metrics.ts',
    async (workers) => {
      await Promise.all(Array.from({ length: 20 }, () => workers.score('abc')));
      const text = await shown(workers, /^tokens_total\{kind="in"\} 60$/m);
      assert.match(text, /^text_characters_bucket\{le="10"\} 20$/m);
      const gauges = [...text.matchAll(/^cache_entries\{worker="\d"\} (\d+)$/gm)].map(([, value]) => Number(value));
      assert.deepEqual([gauges.length, gauges.reduce((sum, value) => sum + value, 0)], [2, 20]);
      await assert.rejects(workers.score('exit'), { code: 'worker_lost' });
      assert.match(await shown(workers, /worker_restarts_total\{cause="exit"\} 1/), /^tokens_total\{kind="in"\} 60$/m);
      await Promise.all(Array.from({ length: 10 }, () => workers.score('abc')));
      await shown(workers, /^tokens_total\{kind="in"\} 90$/m);
    },
    { workers: 2, start: { concurrency: 2 } },
  ));

test('what a script defines is shown before the first request', () =>
  withWorkers('own-metrics.ts', async (workers) => {
    assert.match(await workers.metrics.registry.metrics(), /^# TYPE tokens_total counter$/m);
  }));

test("a metric with the name of one of the server's own is why init() fails", async () => {
  const workers = new Workers('bad-metric.ts');
  const error = await workers.failure;
  assert.equal(error.code, 'init_failed');
  assert.match(error.message, /metrics\.counter\("scoring_requests_total"\): names that begin with scoring_ are the server's own/);
  await workers.stop();
});

test('inferences are measured, with their rows and why they began', () =>
  withModel(async (workers) => {
    await Promise.all(Array.from({ length: 16 }, () => workers.score(ROW)));
    // Every row is counted once, in whatever batches they went.
    const text = await shown(workers, /^inference_batch_rows_sum\{model="ridge",release="idle"\} 16$/m);
    const count = Number(/^inference_batch_rows_count\{model="ridge",release="idle"\} (\d+)$/m.exec(text)?.[1]);
    assert.ok(count >= 1 && count < 16, `${count} inferences`);
    assert.match(text, new RegExp(`^inference_duration_seconds_count\\{model="ridge"\\} ${count}$`, 'm'));
  }));

test('a worker that replaces another is shown as it has loaded the model, in metrics and metadata', () =>
  withModel(async (workers, modelFile) => {
    await workers.score(ROW);
    const [before] = workers.scorer.served!.models;
    // The next worker finds another model in the file.
    writeFileSync(modelFile, modelBytes('batchmean'));
    process.kill(Number(workers.pids.at(-1)), 'SIGKILL');
    await workers.lineWith('a worker ended unexpectedly');
    assert.doesNotMatch(await workers.metrics.registry.metrics(), /^session_info\{/m);
    await assert.rejects(workers.score(ROW), { code: 'invalid_input' });
    const sessions = (await workers.metrics.registry.metrics()).match(/^session_info\{.*/gm) ?? [];
    assert.equal(sessions.length, 1);
    assert.match(sessions[0], /model="ridge".*batching="off"/);
    const [after] = workers.scorer.served!.models;
    assert.deepEqual([before?.batching.merges, after?.batching.merges], [true, false]);
  }));
