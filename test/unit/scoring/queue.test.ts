import assert from 'node:assert/strict';
import test from 'node:test';
import { Queue } from '../../../server/scoring/queue.ts';

test('the queue is first in, first out, also after removals', () => {
  const queue = new Queue<string>({ maxRequests: 3, maxBytes: 0, largestBody: 0 });
  for (const item of ['a', 'b', 'c']) queue.add(item);
  assert.throws(() => queue.add('d'), { code: 'queue_full' });
  assert.deepEqual([queue.remove('b'), queue.remove('b'), queue.length, queue.full], [true, false, 2, false]);
  queue.add('d');
  assert.deepEqual([queue.take(), queue.take(), queue.take(), queue.take()], ['a', 'c', 'd', undefined]);
});

test('bytes are reserved up to the limit and given back', () => {
  const queue = new Queue({ maxRequests: 1, maxBytes: 10, largestBody: 10 });
  queue.reserve(6);
  assert.throws(() => queue.reserve(5), { code: 'queue_full' });
  queue.reserve(4);
  queue.release(10);
  assert.equal(queue.bytes, 0);
});

test('large bodies leave a quarter of the room to small ones, and those that are uploaded half of that to those that are here', () => {
  const queue = new Queue({ maxRequests: 1, maxBytes: 800, largestBody: 100 });
  queue.reserve(600, 'large');
  assert.throws(() => queue.reserve(1, 'large'), { code: 'queue_full', message: /limit of 600/ });
  queue.reserve(100, 'small');
  assert.throws(() => queue.reserve(1, 'small'), { code: 'queue_full', message: /limit of 700/ });
  queue.reserve(100);
  assert.throws(() => queue.reserve(1), { code: 'queue_full', message: /limit of 800/ });
  assert.equal(queue.bytes, 800);
});

test('the largest body finds room in an empty queue, whatever is kept for others', () => {
  const queue = new Queue({ maxRequests: 1, maxBytes: 800, largestBody: 750 });
  queue.reserve(750, 'large');
  queue.reserve(25, 'small');
  queue.reserve(25);
  assert.throws(() => queue.check(1), { code: 'queue_full' });
});

test('a request that is alone may hold its compressed and its inflated bytes; beside another it may not', () => {
  const MiB = 2 ** 20;
  const queue = new Queue({ maxRequests: 1, maxBytes: 10 * MiB, largestBody: 10 * MiB });
  queue.reserve(10 * MiB, 'large', 0);
  queue.reserve(10 * MiB, 'large', 10 * MiB);
  assert.throws(() => queue.reserve(5 * MiB, 'large', 20 * MiB), { code: 'queue_full' });
  queue.release(11 * MiB);
  assert.throws(() => queue.reserve(2 * MiB, 'large', 0), { code: 'queue_full', message: /limit of 10485760/ });
});
