import assert from 'node:assert/strict';
import test from 'node:test';
import { closest } from '../../../server/guards/closest.ts';

const names = ['crypto', 'cluster', 'fs', 'fs/promises', 'price.ts', 'Prices.ts', 'worker-count'];

test('a name is near with a letter missing, added, wrong or swapped', () => {
  for (const typed of ['crypt', 'crpyto', 'cryptoo', 'krypto', 'Crypto']) assert.equal(closest(typed, names), 'crypto', typed);
  assert.equal(closest('fs/promise', names), 'fs/promises');
});

test('the nearest name counts, whatever its case and the characters between words', () => {
  assert.equal(closest('prices.ts', names), 'Prices.ts');
  for (const typed of ['WORKER_COUNT', 'workerCount', 'worker count']) assert.equal(closest(typed, names), 'worker-count', typed);
});

test('another word, a short one and a long one are near to nothing', () => {
  for (const typed of ['', 'ws', 'express', 'a'.repeat(1e6)]) assert.equal(closest(typed, names), undefined, typed);
  assert.equal(closest('crypto', ['x'.repeat(1e6), '']), undefined);
});
