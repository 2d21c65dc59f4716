import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Tensor } from '../../../server/entry-script.ts';
import { Batcher, merge, split, type Infer, type Tensors } from '../../../server/inference/batcher.ts';

const row = (...values: number[]): Tensors => ({ x: { type: 'float32', dims: [1, values.length], data: Float32Array.from(values) } });
const valuesOf = (outputs: Tensors): number[] => Array.from((outputs['y'] as Tensor).data as Float32Array);

/** Adds one, and counts the rows of each inference. Refuses rows that start with 13. */
function stub(): { infer: Infer; batches: number[] } {
  const batches: number[] = [];
  const infer: Infer = async ({ x }) => {
    const { dims, data } = x as Tensor;
    batches.push(dims[0]!);
    await new Promise(setImmediate);
    const numbers = data as Float32Array;
    for (let at = 0; at < numbers.length; at += dims[1]!) if (numbers[at] === 13) throw new Error('unlucky');
    return { y: { type: 'float32', dims, data: numbers.map((value) => value + 1) } };
  };
  return { infer, batches };
}

test('calls that wait together run together, and each gets its own rows', async () => {
  const { infer, batches } = stub();
  const batcher = new Batcher(infer, { maxRows: 100, maxDelayMs: 0 });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => batcher.run(row(index, 0), ['y'])));
  assert.deepEqual(
    answers.map(valuesOf),
    Array.from({ length: 10 }, (_, index) => [index + 1, 1]),
  );
  assert.deepEqual(batches, [10]);
});

test('the buffer of an answer holds the rows of its call and no others', async () => {
  const { infer, batches } = stub();
  const batcher = new Batcher(infer, { maxRows: 100, maxDelayMs: 0 });
  const answers = await Promise.all([1, 2, 3].map((value) => batcher.run(row(value, 0), ['y'])));
  assert.deepEqual(batches, [3]);
  assert.deepEqual(
    answers.map(({ y }) => Array.from(new Float32Array((y!.data as Float32Array).buffer))),
    [
      [2, 1],
      [3, 1],
      [4, 1],
    ],
  );
});

test('calls that arrive while an inference runs join the next', async () => {
  const { infer, batches } = stub();
  const batcher = new Batcher(infer, { maxRows: 100, maxDelayMs: 0 });
  const first = batcher.run(row(1), ['y']);
  await new Promise(setImmediate);
  const later = [2, 3, 4].map((value) => batcher.run(row(value), ['y']));
  assert.deepEqual((await Promise.all([first, ...later])).map(valuesOf), [[2], [3], [4], [5]]);
  assert.deepEqual(batches, [1, 3]);
});

test('rows are counted, not calls', async () => {
  const { infer, batches } = stub();
  const batcher = new Batcher(infer, { maxRows: 4, maxDelayMs: 0 });
  const rows = (count: number): Tensors => ({ x: { type: 'float32', dims: [count, 1], data: new Float32Array(count) } });
  await Promise.all([3, 1, 2, 2, 1].map((count) => batcher.run(rows(count), ['y'])));
  assert.deepEqual(batches, [4, 4, 1]);
  batches.length = 0;
  await batcher.run(rows(9), ['y']);
  assert.deepEqual(batches, [9]);
});

test('unlike calls never merge: shapes, dtypes, wanted outputs, rows that disagree, no rows', async () => {
  const batches: string[] = [];
  const infer: Infer = async (feeds, outputs) => {
    batches.push(
      `${Object.values(feeds)
        .map(({ type, dims }) => `${type}[${dims.join(',')}]`)
        .join('+')}->${outputs.join()}`,
    );
    return {};
  };
  const batcher = new Batcher(infer, { maxRows: 100, maxDelayMs: 0 });
  const of = (dims: number[], type: 'float32' | 'int8' = 'float32'): Tensor => ({
    type,
    dims,
    data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
  });
  await Promise.all([
    batcher.run({ x: of([1, 2]) }, ['y']),
    batcher.run({ x: of([1, 3]) }, ['y']),
    batcher.run({ x: of([1, 2], 'int8') }, ['y']),
    batcher.run({ x: of([1, 2]) }, ['z']),
    batcher.run({ x: of([1, 2]), w: of([2, 2]) }, ['y']),
    batcher.run({ x: of([]) }, ['y']),
    batcher.run({ x: of([0, 2]) }, ['y']),
  ]);
  assert.deepEqual(batches.toSorted(), [
    'float32[0,2]->y',
    'float32[1,2]+float32[2,2]->y',
    'float32[1,2]->y',
    'float32[1,2]->z',
    'float32[1,3]->y',
    'float32[]->y',
    'int8[1,2]->y',
  ]);
});

test('one bad row fails alone', async () => {
  const { infer, batches } = stub();
  const batcher = new Batcher(infer, { maxRows: 100, maxDelayMs: 0 });
  const settled = await Promise.allSettled([1, 13, 3].map((value) => batcher.run(row(value), ['y'])));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(batches, [3, 1, 1, 1]);
  assert.deepEqual(valuesOf(await batcher.run(row(5), ['y'])), [6]);
});

test('an output without a row for each row makes the calls run alone', async () => {
  const infer: Infer = async () => ({ y: { type: 'float32', dims: [1], data: Float32Array.of(7) } });
  const batcher = new Batcher(infer, { maxRows: 100, maxDelayMs: 0 });
  assert.deepEqual((await Promise.all([1, 2].map((value) => batcher.run(row(value), ['y'])))).map(valuesOf), [[7], [7]]);
});

test('with a delay a call waits for others, but not longer, and not when the batch is full', async () => {
  const { infer, batches } = stub();
  const batcher = new Batcher(infer, { maxRows: 3, maxDelayMs: 2500 });
  const first = batcher.run(row(1), ['y']);
  await new Promise(setImmediate);
  const second = batcher.run(row(2), ['y']);
  const began = performance.now();
  await Promise.all([first, second]);
  assert.deepEqual(batches, [2]);
  const waited = performance.now();
  assert.ok(waited - began > 2000);
  await Promise.all([1, 2, 3].map((value) => batcher.run(row(value), ['y'])));
  assert.deepEqual(batches, [2, 3]);
  assert.ok(performance.now() - waited < 2000, 'a full batch waited');
});

test('an inference reports why it began, and the listener of each call gets the one that served it', async () => {
  const releases: string[] = [];
  const infer: Infer = async ({ x }, _outputs, release, told = []) => {
    releases.push(release);
    await new Promise(setImmediate);
    const { dims, data } = x as Tensor;
    if ((data as Float32Array).includes(13)) throw new Error('unlucky');
    for (const tell of told) tell?.(0, 1, dims[0]!);
    return { y: { type: 'float32', dims, data } };
  };
  const heard: number[] = [];
  const ask = (batcher: Batcher, values: readonly number[]): Promise<unknown> =>
    Promise.allSettled(values.map((value) => batcher.run(row(value), ['y'], (_at, _ms, rows) => heard.push(rows))));
  await ask(new Batcher(infer, { maxRows: 3, maxDelayMs: 0 }), [1, 2, 3, 4]);
  await ask(new Batcher(infer, { maxRows: 3, maxDelayMs: 5 }), [1]);
  await ask(new Batcher(infer, { maxRows: 1, maxDelayMs: 0 }), [1]);
  await ask(new Batcher(infer, { maxRows: 3, maxDelayMs: 0 }), [1, 13]);
  assert.deepEqual(releases, ['full', 'idle', 'delay', 'alone', 'idle', 'retry', 'retry']);
  assert.deepEqual(heard, [3, 3, 3, 1, 1, 1, 1]);
});

test('with a time limit batches grow from one row while they are quick, and rows that take long run alone', async () => {
  const batches: number[] = [];
  let msPerRow = 0.01;
  const infer: Infer = async ({ x }, _outputs, _release, listeners = []) => {
    const rows = x!.dims[0]!;
    batches.push(rows);
    await new Promise(setImmediate);
    for (const listener of listeners) listener?.(0, msPerRow * rows, rows);
    return { y: x! };
  };
  const batcher = new Batcher(infer, { maxRows: 16, maxDelayMs: 0, maxMs: 5 });
  const ask = (calls: number): Promise<unknown> => Promise.all(Array.from({ length: calls }, (_, value) => batcher.run(row(value), ['y'])));
  await ask(47);
  assert.deepEqual(batches, [1, 2, 4, 8, 16, 16]);
  msPerRow = 6;
  await ask(160);
  batches.length = 0;
  await ask(20);
  assert.deepEqual(new Set(batches), new Set([1]));
  assert.equal(batches.length, 20);
});

for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
  test(`split gives each call its rows of an output called ${name}`, () => {
    const outputs: Tensors = Object.fromEntries(
      [name, 'y'].map((each) => [each, { type: 'float32', dims: [3], data: Float32Array.of(1, 2, 3) }]),
    );
    const parts = split(outputs, [1, 2]);
    assert.deepEqual(
      parts.map((part) => Object.entries(part).map(([key, { data }]) => [key, ...Array.from<unknown>(data)])),
      [
        [
          [name, 1],
          ['y', 1],
        ],
        [
          [name, 2, 3],
          ['y', 2, 3],
        ],
      ],
    );
  });

test('split undoes merge, for any number of rows, width and class of data', () => {
  const part = fc.nat(4).map((rows) => rows + 1);
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.nat(3),
      fc.constantFrom('float32', 'int64', 'string'),
      (counts, width, type) => {
        let next = 0;
        const feeds = counts.map((count): Tensors => {
          const values = Array.from({ length: count * width }, () => next++);
          const data =
            type === 'string' ? values.map(String) : type === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
          return { x: { type, dims: [count, width], data } };
        });
        const parts = split(merge(feeds), counts);
        for (const [index, feed] of feeds.entries()) {
          assert.deepEqual(parts[index]!['x']!.dims, feed['x']!.dims);
          assert.deepEqual(Array.from<unknown>(parts[index]!['x']!.data), Array.from<unknown>(feed['x']!.data));
        }
      },
    ),
  );
});
