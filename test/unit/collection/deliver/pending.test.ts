import assert from 'node:assert/strict';
import test from 'node:test';
import { Pending } from '../../../../server/collection/deliver/pending.ts';
import { memoryOf } from '../../../../server/collection/encode/block.ts';
import { Layout } from '../../../../server/collection/encode/layout.ts';
import { settings } from '../../../collection/start-writer.ts';
import { block, idsOf, rowsBlock } from '../blocks.ts';

const withFiles = (): Pending => new Pending(new Layout(settings, 'host'));

test('blocks are appended in their order; those that follow each other in memory as one piece, without a copy', () => {
  const memory = Buffer.from(new TextEncoder().encode('a\nb\nc\nd\n').buffer);
  // Where the second one of `memory` ends, but in other memory.
  const elsewhere = Buffer.from(new TextEncoder().encode('1234e\n').buffer).subarray(4);
  const pending = withFiles();
  for (const data of [memory.subarray(0, 2), memory.subarray(2, 4), elsewhere, memory.subarray(6, 8), memory.subarray(4, 6)])
    pending.add({ collection: 'request', hour: '2026-03-05T18', v1: false, data, records: 1, counted: true, payloads: [] });
  const pieces = pending.take(0, 0, 0)?.pieces ?? [];
  assert.deepEqual(pieces.map(String), ['a\nb\n', 'e\n', 'd\n', 'c\n']);
  assert.equal(pieces[0]?.buffer, memory.buffer);
});

test('each file has a batch of its own, the oldest first, once it has waited or is large enough', () => {
  const pending = withFiles();
  const first = block(1);
  assert.equal(pending.add(first), first.data.length);
  pending.add(block(2, undefined, '2026-03-05T19'));
  assert.equal(pending.add(block(3)), 2 * first.data.length);
  assert.deepEqual([pending.records, pending.bytes], [3, 3 * memoryOf(first)]);
  const now = performance.now();
  assert.equal(pending.take(now, 60_000, 1_000_000), undefined);
  const large = pending.take(now, 60_000, 2 * first.data.length);
  assert.deepEqual(
    large?.blocks.flatMap(({ data }) => idsOf(data)),
    ['1', '3'],
  );
  assert.equal(large?.stream?.folder, 'ep/blue/rows/2026/03/05/18');
  const late = pending.take(now + 60_000, 60_000, 1_000_000);
  assert.deepEqual(
    late?.blocks.flatMap(({ data }) => idsOf(data)),
    ['2'],
  );
  assert.deepEqual([pending.records, pending.bytes, pending.take(now, 0, 0)], [0, 0, undefined]);
});

test('the next delivery is due when the oldest block has waited', () => {
  const pending = withFiles();
  assert.equal(pending.dueIn(0, 1000), undefined);
  const before = performance.now();
  pending.add(block(1));
  const after = performance.now();
  const due = pending.dueIn(after, 1000) ?? Number.NaN;
  assert.ok(due <= 1000 && due >= 1000 - (after - before));
  assert.equal(pending.dueIn(after + 5000, 1000), 0);
});

test('a batch has at most 4 MiB, and at least one block', () => {
  const pending = withFiles();
  const sized = (mebibytes: number) => ({ ...block(1), data: Buffer.alloc(mebibytes * 1024 * 1024, 'x') });
  for (const mebibytes of [2, 2, 1, 5, 1]) pending.add(sized(mebibytes));
  const sizes: number[] = [];
  for (let batch = pending.take(0, 0, 0); batch !== undefined; batch = pending.take(0, 0, 0))
    sizes.push(batch.pieces.reduce((sum, { length }) => sum + length, 0) / 1024 / 1024);
  assert.deepEqual(sizes, [4, 1, 5, 1]);
});

test('rows of several days are one record of several files', () => {
  const pending = withFiles();
  const row = (day: string) => ({ a: 1, $aml_dc_scoring_timestamp: `${day}T00:00:00Z` });
  pending.add(rowsBlock([row('2026-03-05'), row('2026-03-06')]));
  assert.equal(pending.records, 1);
  const batches = [pending.take(0, 0, 0), pending.take(0, 0, 0)];
  assert.deepEqual(
    batches.map((batch) => [batch?.stream?.folder.slice(-10), batch?.blocks[0]?.records]),
    [
      ['2026/03/05', 1],
      ['2026/03/06', 0],
    ],
  );
  assert.equal(pending.records, 0);
});

test('lines of the v1 API that have no rows go to the file of lines', () => {
  for (const wrong of [{ a: 1 }, [1], 'text']) {
    const pending = withFiles();
    const given = rowsBlock(wrong);
    pending.add(given);
    const batch = pending.take(0, 0, 0);
    assert.equal(batch?.stream?.folder, 'ep/blue/inputs/2026/03/05/18');
    assert.deepEqual(Buffer.concat([...(batch?.pieces ?? [])]), given.data);
  }
});

test('without files each line is a block of its own', () => {
  const pending = new Pending(undefined);
  const [one, two] = [block(1), block(2)];
  pending.add({ ...one, data: Buffer.concat([one.data, two.data]), records: 2 });
  const batch = pending.take(0, 0, 0);
  assert.deepEqual([batch?.stream, batch?.pieces], [undefined, []]);
  assert.deepEqual(
    batch?.blocks.map(({ data, records }) => [idsOf(data).join(), records]),
    [
      ['1', 1],
      ['2', 1],
    ],
  );
});

test('all blocks leave at once, without parts that are counted elsewhere', () => {
  const pending = withFiles();
  const row = (day: string) => ({ a: 1, $aml_dc_scoring_timestamp: `${day}T00:00:00Z` });
  pending.add(rowsBlock([row('2026-03-05'), row('2026-03-06')]));
  pending.add(block(2));
  const left = pending.takeAll();
  assert.deepEqual(
    left.map(({ collection, records }) => [collection, records]),
    [
      ['inputs', 1],
      ['rows', 1],
    ],
  );
  assert.deepEqual([pending.records, pending.bytes, pending.takeAll()], [0, 0, []]);
});

test('payloads count for the size of a batch, so that one that fails does not keep all memory', () => {
  const pending = new Pending(new Layout(settings, 'instance'));
  const image = (n: number) => block(n, { name: `${n}.bin`, contentType: 'image/png', body: Buffer.alloc(1.5 * 1024 * 1024) });
  for (let n = 0; n < 5; n++) assert.ok(pending.add(image(n)) > (n + 1) * 1.5 * 1024 * 1024);
  const sizes: number[] = [];
  for (let batch = pending.take(performance.now(), 0, 0); batch !== undefined; batch = pending.take(performance.now(), 0, 0))
    sizes.push(batch.blocks.length);
  assert.deepEqual([sizes, pending.bytes], [[2, 2, 1], 0]);
});
