import assert from 'node:assert/strict';
import { test } from '../python-test.ts';
import { until } from '../../set-up/until.ts';
import type { Workers } from '../../worker/start-workers.ts';
import { pythonWorkers, withPython } from '../worker/python-workers.ts';

/** Workers report some time after the answer. */
async function shown(workers: Workers, sample: RegExp): Promise<string> {
  let text = '';
  await until(async () => sample.test((text = await workers.metrics.registry.metrics())));
  return text;
}

test("a script's own metrics are added up over the workers, and survive a worker that dies", () =>
  withPython(
    'own_metrics.py',
    async (workers) => {
      assert.match(await workers.metrics.registry.metrics(), /^# TYPE tokens_total counter$/m, 'before the first request');
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
    { workers: 2, start: { concurrency: 2, concurrencyIsDefault: false } },
  ));

test('what was counted last arrives before a worker ends', async (t) => {
  const workers = pythonWorkers('own_metrics.py');
  t.after(() => workers.stop());
  await workers.started;
  await workers.score('abc');
  await workers.stop();
  assert.match(await workers.metrics.registry.metrics(), /^tokens_total\{kind="in"\} 3$/m);
});

test("a metric with the name of one of the server's own is why init() fails", async (t) => {
  const workers = pythonWorkers('bad_metric.py');
  t.after(() => workers.stop());
  const error = await workers.failure;
  assert.equal(error.code, 'init_failed');
  assert.match(error.message, /metrics\.counter\("scoring_requests_total"\): names that begin with scoring_ are the server's own/);
});
