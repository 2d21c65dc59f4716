import assert from 'node:assert/strict';
import test from 'node:test';
import { within } from '../../../server/guards/within.ts';

test('work that is done in time is told so, whether it succeeds or fails', async () => {
  assert.deepEqual(await Promise.all([within(60_000, Promise.resolve(1)), within(60_000, Promise.reject(new Error('no')))]), [true, true]);
  assert.equal(await within(0, undefined), true);
});

test('work that never ends is given up after the limit', async () => {
  const began = performance.now();
  assert.equal(await within(50, new Promise(() => undefined)), false);
  assert.ok(performance.now() - began < 5000);
});

test('a limit that is not needed any more holds no process', async () => {
  await within(60_000, Promise.resolve());
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'));
});
