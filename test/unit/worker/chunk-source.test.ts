import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { isStreamed, sourceOf } from '../../../server/worker/chunk-source.ts';

test('iterators and streams stream; lists, maps, texts and promises are values', () => {
  const yes = [
    [1].values(),
    new Map().entries(),
    (function* () {})(),
    (async function* () {})(),
    { [Symbol.asyncIterator]: 1 },
    new ReadableStream(),
    Readable.from([]),
  ];
  for (const value of yes) assert.equal(isStreamed(value), true);
  for (const value of [[1], new Map(), new Set(), 'text', Promise.resolve(), null, undefined, { next: () => 1 }, () => 1])
    assert.equal(isStreamed(value), false);
});

test('a source of any kind gives its chunks in order, and then its end', async () => {
  const generator = function* (): Generator {
    yield 'a';
    yield Promise.resolve('b');
    return 'not a chunk';
  };
  const sources = [
    generator(),
    (async function* () {
      yield* generator();
    })(),
    ReadableStream.from(['a', 'b']),
    Readable.from(['a', 'b']),
    Readable.from(['a', 'b']).setEncoding('utf8'),
  ];
  for (const value of sources) {
    const source = sourceOf(value);
    const chunks = [];
    for (let step = await source.next(); step.done !== true; step = await source.next()) chunks.push(String(step.value));
    assert.deepEqual([chunks, (await source.next()).done], [['a', 'b'], true]);
  }
});

test('an iterator whose steps are no objects is refused', async () => {
  for (const step of [5, null, 'x', undefined])
    await assert.rejects(sourceOf({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(step) as never }) }).next(), {
      name: 'TypeError',
      message: /whose next\(\) gave .*: expected an object/,
    });
});

test('a source that has not begun is ended, too', async () => {
  const ended: string[] = [];
  const readable = new Readable({ read: () => undefined, destroy: (_error, done) => (ended.push('readable'), done(new Error('no'))) });
  const iterator = { next: () => ({ done: false, value: 1 }), return: () => (ended.push('iterator'), { done: true, value: 1 }) };
  const stream = new ReadableStream({ cancel: (reason) => void ended.push(`stream: ${String(reason)}`) });
  for (const value of [readable, { [Symbol.iterator]: () => iterator }, stream]) sourceOf(value).end('why');
  await new Promise(setImmediate);
  assert.deepEqual(ended, ['readable', 'iterator', 'stream: why']);
});
