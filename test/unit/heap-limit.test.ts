import assert from 'node:assert/strict';
import test from 'node:test';
import { workerHeapMb } from '../../server/heap-limit.ts';

const GB = 2 ** 30;

test('workers share half of the memory of the container, within reason; a single one is left to V8', () => {
  assert.equal(workerHeapMb(2 * GB, 1), undefined);
  assert.equal(workerHeapMb(2 * GB, 2, 64 * GB), 512);
  assert.equal(workerHeapMb(2 * GB, 4, 64 * GB), 256);
  assert.equal(workerHeapMb(GB / 4, 8, 64 * GB), 64);
  assert.equal(workerHeapMb(0, 2, 8 * GB), 2048);
  assert.equal(workerHeapMb(2 ** 63, 2, 8 * GB), 2048);
  assert.equal(workerHeapMb(2 ** 63, 2, 256 * GB), 4096);
});
