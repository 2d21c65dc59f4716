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
