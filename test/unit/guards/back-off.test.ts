import assert from 'node:assert/strict';
import test from 'node:test';
import { backOffMs } from '../../../server/guards/back-off.ts';

const bounds = { firstMs: 100, longestMs: 3000 };

test('nothing is waited for before a first attempt, then twice as long each time, up to the longest', () =>
  assert.deepEqual(
    Array.from({ length: 9 }, (_, attempt) => backOffMs(attempt, bounds)),
    [0, 100, 200, 400, 800, 1600, 3000, 3000, 3000],
  ));

test('no number of attempts overflows', () => {
  assert.equal(backOffMs(5000, bounds), 3000);
  assert.equal(backOffMs(5000, { firstMs: 0.001, longestMs: Infinity }), 0.001 * 2 ** 30);
});

test('a jitter changes each wait but the one before a first attempt', () => {
  const half = (ms: number): number => ms / 2;
  assert.deepEqual([backOffMs(0, bounds, () => 1), backOffMs(2, bounds, half), backOffMs(99, bounds, half)], [0, 100, 1500]);
});
