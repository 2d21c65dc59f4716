import assert from 'node:assert/strict';
import test from 'node:test';
import { nearNames } from '../../../server/guards/near-names.ts';

test('a name is near with a letter missing, added, wrong or swapped, the nearest first', () => {
  const names = ['crypto', 'cluster', 'fs', 'fs/promises', 'price.ts', 'Prices.ts'];
  for (const typed of ['crypt', 'crpyto', 'cryptoo', 'krypto', 'Crypto']) assert.deepEqual(nearNames(typed, names), ['crypto'], typed);
  assert.deepEqual(nearNames('prices.ts', names), ['Prices.ts', 'price.ts']);
  assert.deepEqual(nearNames('fs/promise', names), ['fs/promises']);
  for (const typed of ['', 'ws', 'express', 'a'.repeat(1000)]) assert.deepEqual(nearNames(typed, names), [], typed);
});
