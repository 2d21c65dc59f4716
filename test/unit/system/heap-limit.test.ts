import assert from 'node:assert/strict';
import test from 'node:test';
import { workerHeapMb, workersMemoryBytes } from '../../../server/system/heap-limit.ts';

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

test('workers leave the host an eighth of the memory, at least 96 MiB and at most 1 GiB, and never more than a half', () => {
  const MiB = 2 ** 20;
  assert.equal(workersMemoryBytes(GB, 64 * GB), 896 * MiB);
  assert.equal(workersMemoryBytes(GB / 2, 64 * GB), 416 * MiB);
  assert.equal(workersMemoryBytes(GB / 8, 64 * GB), 64 * MiB);
  assert.equal(workersMemoryBytes(64 * GB, 64 * GB), 63 * GB);
  assert.equal(workersMemoryBytes(0, 8 * GB), 7 * GB);
  assert.equal(workersMemoryBytes(2 ** 63, 8 * GB), 7 * GB);
});
