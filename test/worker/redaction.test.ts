import assert from 'node:assert/strict';
import test from 'node:test';
import type { RedactableBody } from '../../server/ipc/redaction.ts';
import { until } from '../set-up/until.ts';
import { Workers } from './start-workers.ts';

const body = (data: unknown): RedactableBody[] => [
  { collection: 'request', contentType: 'application/json', body: [Buffer.from(JSON.stringify(data))] },
];
const LIMIT_MS = 1000;

const restarts = async (workers: Workers): Promise<string[]> =>
  Array.from(
    (await workers.metrics.registry.metrics()).matchAll(/^worker_restarts_total\{cause="(\w+)"\} ([1-9]\d*)$/gm),
    ([, cause, count]) => `${cause} ${count}`,
  );

test('a redaction hook that loops costs its own bodies: requests around it wait for its limit, and the job is not repeated', async (t) => {
  const workers = new Workers('redacts.ts', { limits: { redactTimeoutMs: LIMIT_MS } });
  t.after(() => workers.stop());
  await workers.started;
  const { redactions } = workers.scorer;
  const state = { loops: true };
  const looping = redactions.redact('loops', body({ loop: true, secret: 'x' })).finally(() => (state.loops = false));
  const fine = redactions.redact('fine', body({ name: 'a', secret: 'x' }));
  let longest = 0;
  // One after the other, until the worker is lost: one of them waits for that.
  while (state.loops || longest < LIMIT_MS / 2) {
    const from = performance.now();
    assert.equal((await workers.score({ name: 'b' })).status, 200);
    longest = Math.max(longest, performance.now() - from);
  }
  assert.ok(longest < LIMIT_MS + 5000, `answered after ${longest} ms`);
  assert.deepEqual(await looping, ['hook_timeout']);
  const [kept] = await fine;
  assert.deepEqual(typeof kept === 'object' && JSON.parse(kept.body.toString()), { name: 'a', secret: 'request' });
  assert.deepEqual(await restarts(workers), ['redaction 1']);
  assert.equal(workers.pids.length, 2);
});

test('requests go to another worker while a hook has the thread of one', async (t) => {
  const workers = new Workers('redacts.ts', { workers: 2, limits: { redactTimeoutMs: 3000 } });
  t.after(() => workers.stop());
  await workers.started;
  const looping = workers.scorer.redactions.redact('loops', body({ loop: true }));
  // Seen by the host.
  await until(async () => {
    const from = performance.now();
    await Promise.all([workers.score({ name: 'a' }), workers.score({ name: 'b' })]);
    return performance.now() - from < 1000;
  });
  assert.equal(workers.pids.length, 2, 'nobody was killed so far');
  assert.deepEqual(await looping, ['hook_timeout']);
});

test('a hook that awaits for ever costs its own bodies, and not its worker', async (t) => {
  const workers = new Workers('redacts.ts');
  t.after(() => workers.stop());
  await workers.started;
  const hanging = workers.scorer.redactions.redact('hangs', [...body({ hang: true }), ...body({ hang: true })]);
  assert.equal((await workers.score({ name: 'a' })).status, 200);
  assert.deepEqual(await hanging, ['hook_timeout', 'hook_timeout']);
  assert.deepEqual([await restarts(workers), workers.pids.length], [[], 1]);
});
