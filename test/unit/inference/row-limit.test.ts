import assert from 'node:assert/strict';
import test from 'node:test';
import { RowLimit } from '../../../server/inference/row-limit.ts';

/** Milliseconds of an inference of so many rows. */
type Cost = (rows: number) => number;

/** The limits after so many inferences that are as full as the limit allows. */
function limits(cost: Cost, inferences: number, limit = new RowLimit(128, 5)): number[] {
  return Array.from({ length: inferences }, () => {
    limit.took(limit.rows, cost(limit.rows));
    return limit.rows;
  });
}

const last = (values: readonly number[]): number => values.at(-1) ?? Number.NaN;

test('the limit doubles with each full inference of a fast model, up to the most rows', () => {
  assert.deepEqual(
    limits((rows) => 0.01 + rows * 0.008, 9),
    [2, 4, 8, 16, 32, 64, 128, 128, 128],
  );
});

test('rows that take long, and gain nothing from each other, run alone but for rare attempts', () => {
  for (const ms of [5.1, 8, 30, 300]) {
    const seen = limits((rows) => rows * ms, 2000);
    const merged = seen.filter((rows) => rows > 1).length;
    assert.ok(merged < 20, `${ms} ms: ${merged} of 2000`);
    assert.ok(Math.max(...seen) <= 2, `${ms} ms`);
  }
});

test('a batch of quick rows that gain nothing stays near the time limit', () => {
  const seen = limits((rows) => rows * 1, 2000);
  assert.ok(Math.max(...seen) <= 8);
  assert.ok(seen.filter((rows) => rows === 4).length > 1800);
});

test('an inference beyond the time limit that pays is no reason to halve', () => {
  // Its fixed cost is beyond the limit, and a row costs almost nothing.
  assert.equal(last(limits((rows) => 6 + rows * 0.01, 3000)), 128);
  assert.equal(last(limits((rows) => 4 + rows * 0.01, 20)), 128);
});

test('one slow inference changes nothing, because another process may have held the core', () => {
  const limit = new RowLimit(128, 5);
  limits((rows) => 0.01 * rows, 10, limit);
  for (let round = 0; round < 50; round++) {
    limit.took(100, 40);
    limit.took(100, 1);
  }
  assert.equal(limit.rows, 128);
});

test('the limit halves from the rows that were slow, and grows again after a rest', () => {
  const limit = new RowLimit(128, 5);
  limits((rows) => 0.01 * rows, 10, limit);
  limit.took(32, 300);
  limit.took(32, 300);
  assert.equal(limit.rows, 16);
  assert.equal(last(limits((rows) => 0.01 * rows, 255, limit)), 16);
  assert.equal(last(limits((rows) => 0.01 * rows, 4, limit)), 128);
});

test('inferences below the limit let it stay as it is', () => {
  const limit = new RowLimit(128, 5);
  limits((rows) => 0.01 * rows, 3, limit);
  assert.equal(limit.rows, 8);
  for (let count = 0; count < 100; count++) limit.took(3, 0.1);
  assert.equal(limit.rows, 8);
});

test('without a time limit the limit is the most rows from the start', () => {
  const limit = new RowLimit(16, Number.POSITIVE_INFINITY);
  limit.took(16, 1000);
  limit.took(16, 1000);
  assert.equal(limit.rows, 16);
});
