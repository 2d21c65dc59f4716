import assert from 'node:assert/strict';
import test from 'node:test';
import { BackOff } from '../../../server/scoring/back-off.ts';

test('a first loss is replaced at once, later ones after twice as long each, and old ones are forgotten', () => {
  const backOff = new BackOff(30_000);
  assert.deepEqual(
    Array.from({ length: 9 }, () => backOff.afterLoss(0)),
    [0, 100, 200, 400, 800, 1600, 3000, 3000, 3000],
  );
  assert.equal(backOff.afterLoss(61_000), 0);
});

test('replacements that fail are tried for minutes with the defaults, and the wait stays within its limit', () => {
  const backOff = new BackOff(30_000);
  const waits = Array.from({ length: 20 }, () => backOff.afterFailure());
  assert.deepEqual(waits.slice(0, 11), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  const minutes = waits.slice(0, 19).reduce((sum, ms) => sum + ms, 0) / 60_000;
  assert.ok(minutes > 5 && minutes < 7, String(minutes));
  for (let more = 0; more < 2000; more++) assert.equal(backOff.afterFailure(), 30_000);
});

test('a replacement that serves makes the next failure a first one, and losses do not count as failures', () => {
  const backOff = new BackOff(30_000);
  backOff.afterFailure();
  backOff.afterLoss(0);
  assert.equal(backOff.failures, 1);
  backOff.started();
  assert.deepEqual([backOff.failures, backOff.afterFailure()], [0, 100]);
});
