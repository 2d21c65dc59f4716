import assert from 'node:assert/strict';
import test from 'node:test';
import { median, percentile, ratio, spread } from '../../../bench/statistics.ts';

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([]), undefined);
  assert.equal(median([7]), 7);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('a percentile is one of the values', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile([], 0.99), undefined);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0), 1);
  assert.equal(percentile([3, 1, 2], 1), 3);
});

test('the spread is the distance of the outermost values over the median', () => {
  assert.equal(spread([]), undefined);
  assert.equal(spread([90, 100, 120]), 0.3);
});

test('a ratio with a side that was not measured is not measured', () => {
  assert.equal(ratio(3, 2), 1.5);
  assert.equal(ratio(undefined, 2), undefined);
  assert.equal(ratio(3, undefined), undefined);
  assert.equal(ratio(3, 0), undefined);
});
