import assert from 'node:assert/strict';
import test from 'node:test';
import { LateBatches } from '../../../../server/collection/deliver/late-batches.ts';
import type { Batch } from '../../../../server/collection/deliver/sink.ts';

/** A batch of a file, or of a sink without files. */
function batch(file?: string): Batch {
  const stream = file === undefined ? undefined : { folder: file, name: 'n', ownName: 'n', extension: 'jsonl' as const, header: '' };
  return { stream, pieces: [], blocks: [] };
}

test('a batch that is late again lets other files go first, and stays before those of its own file', () => {
  const late = new LateBatches();
  const [first, second, other] = [batch('a'), batch('a'), batch('b')];
  const waiting = [second, batch('c'), batch()];
  const [, apart, none] = waiting;
  const take = (): Batch | undefined => waiting.shift();
  late.add(first);
  assert.deepEqual([late.next(take), late.next(take)], [apart, none]);
  late.add(other);
  assert.deepEqual(late.all, [first, second, other]);
  assert.equal(late.next(take), first);
  late.add(first);
  assert.deepEqual(late.all, [other, first, second]);
  assert.ok(late.has(second) && !late.has(batch('a')));
});

test('without files, each batch waits for all others', () => {
  const late = new LateBatches();
  const [one, two] = [batch(), batch()];
  late.add(one);
  late.add(two);
  assert.equal(
    late.next(() => undefined),
    one,
  );
  late.add(one);
  assert.deepEqual(late.all, [two, one]);
});
