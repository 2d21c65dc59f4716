import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { SinkError, type Batch, type Sink } from '../../../../server/collection/deliver/sink.ts';
import { TestWriter } from '../../../collection/start-writer.ts';
import type { Storage } from '../../../../server/collection/deliver/append-sink.ts';
import { copyAlone, type Block } from '../../../../server/collection/encode/block.ts';
import { block, folder } from '../blocks.ts';

/** A row of so many characters makes a batch leave at once. */
const FULL = 'x'.repeat(1024 * 1024);
const busy = (): SinkError => new SinkError('busy', 'not now');

/**
 * A sink whose answers the test chooses: `answer` for each call, or `take` where it is undefined.
 */
class Answering implements Sink {
  readonly name = 'answering';
  readonly appends = false;
  readonly largestInline = Infinity;
  readonly taken: number[] = [];
  calls = 0;
  answer: ((batch: Batch, signal: AbortSignal) => Promise<void>) | undefined;
  reference = (): undefined => undefined;
  close = (): Promise<void> => Promise.resolve();

  write(batch: Batch, signal: AbortSignal): Promise<void> {
    this.calls++;
    return this.answer === undefined ? this.take(batch) : this.answer(batch, signal);
  }

  /** Takes the first lines of a batch, or all. */
  take({ blocks }: Batch, count = blocks.length): Promise<void> {
    for (const { data } of blocks.splice(0, count)) this.taken.push(Number(/\[\{"n":(\d+)/.exec(data.toString())?.[1]));
    return Promise.resolve();
  }
}

const outcomes = ({ counts }: TestWriter): Record<string, unknown> => {
  const { sent, spilled, dropped } = counts.of('model_inputs');
  return { sent, spilled, dropped, reasons: counts.totals().droppedFor, open: counts.records };
};

test('batches leave one at a time, and lines that come meanwhile leave together', async () => {
  const sink = new Answering();
  const [began, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  sink.answer = async (batch) => {
    sink.answer = undefined;
    began.resolve();
    await go.promise;
    await sink.take(batch);
  };
  const writer = new TestWriter(sink);
  writer.collect(0, 1, 'model_inputs', FULL);
  await began.promise;
  writer.collect(1, 4, 'model_inputs', FULL);
  assert.equal(sink.calls, 1);
  go.resolve();
  await writer.sent(4);
  assert.deepEqual([sink.taken, sink.calls], [[0, 1, 2, 3], 2]);
  await writer.close();
});

test('a batch that fails is tried again, without the lines that were sent, and the log says so once', async () => {
  const sink = new Answering();
  sink.answer = async (batch) => {
    if (sink.calls === 3) sink.answer = undefined;
    await sink.take(batch, 1);
    throw busy();
  };
  const writer = new TestWriter(sink);
  writer.collect(0, 4, 'model_inputs', FULL);
  await writer.sent(4);
  await writer.close();
  assert.deepEqual(sink.taken, [0, 1, 2, 3]);
  assert.equal(writer.counts.errors.get('busy'), 3);
  assert.deepEqual(outcomes(writer), { sent: 4, spilled: 0, dropped: 0, reasons: {}, open: 0 });
  assert.equal(writer.lines.length, 2);
  assert.match(writer.lines[0] ?? '', /cannot be delivered to answering \(busy: not now\); it waits somewhere/);
  assert.match(writer.lines[1] ?? '', /is delivered to answering again/);
});

test('an error that no sink throws counts as a failure, and is tried again', async () => {
  const sink = new Answering();
  sink.answer = async () => {
    sink.answer = undefined;
    throw new TypeError('a mistake');
  };
  const writer = new TestWriter(sink);
  writer.collect(0, 1, 'model_inputs', FULL);
  await writer.sent(1);
  await writer.close();
  assert.deepEqual([sink.taken, writer.counts.errors.get('unknown')], [[0], 1]);
});

test('refused lines are dropped, and kept as dead letters where there is a disk; the others are sent', async (t) => {
  const root = folder(t);
  const sink = new Answering();
  sink.answer = async ({ blocks }) => {
    sink.answer = undefined;
    throw new SinkError('422', 'not this', { retriable: false, rejected: blocks.splice(1, 1) });
  };
  const writer = new TestWriter(sink, { spillDir: root });
  writer.collect(0, 3, 'model_inputs', FULL);
  await writer.sent(2);
  await writer.close();
  assert.deepEqual(sink.taken, [0, 2]);
  assert.deepEqual(outcomes(writer), { sent: 2, spilled: 0, dropped: 1, reasons: { rejected: 1 }, open: 0 });
  const letters = join(root, 'dead-letters');
  assert.match(readFileSync(join(letters, readdirSync(letters)[0]!), 'utf8'), /"data":\[\{"n":1,/);
  assert.match(writer.lines.join(), /answering refuses collected data for good: 1 records are dropped \(422: not this\)/);
});

test('while the sink fails lines go to disk, and come back in their order, once each', async (t) => {
  const root = folder(t);
  const sink = new Answering();
  const failed = Promise.withResolvers<void>();
  sink.answer = () => {
    failed.resolve();
    return Promise.reject(busy());
  };
  const writer = new TestWriter(sink, { spillDir: root });
  writer.collect(0, 1, 'model_inputs', FULL);
  await failed.promise;
  await writer.until(() => writer.counts.errors.has('busy'));
  writer.collect(1, 4);
  await writer.until((counts) => counts.of('model_inputs').spilled === 3);
  assert.deepEqual(sink.taken, []);
  sink.answer = undefined;
  await writer.sent(4);
  await writer.close();
  assert.deepEqual(sink.taken, [0, 1, 2, 3]);
  assert.deepEqual(readdirSync(root), [], 'the folder of a process that ends with nothing left');
});

test('at the end a sink that does not answer is left alone: lines are dropped, or stay on disk', async (t) => {
  for (const spillDir of [undefined, folder(t)]) {
    const sink = new Answering();
    const aborted = Promise.withResolvers<void>();
    sink.answer = (_, signal) => {
      signal.addEventListener('abort', () => aborted.resolve());
      return new Promise(() => undefined);
    };
    const writer = new TestWriter(sink, spillDir === undefined ? {} : { spillDir });
    writer.collect(0, 3, 'model_inputs', FULL);
    await writer.close(1);
    await aborted.promise;
    assert.deepEqual(
      outcomes(writer),
      spillDir === undefined
        ? { sent: 0, spilled: 0, dropped: 3, reasons: { flush_timeout: 3 }, open: 0 }
        : { sent: 0, spilled: 3, dropped: 0, reasons: {}, open: 0 },
    );
  }
});

test('at the end a call that hangs leaves time for the others: they are sent, and it is tried again', async () => {
  const sink = new Answering();
  const began = Promise.withResolvers<void>();
  sink.answer = (batch) => {
    if (!batch.blocks.some(({ data }) => data.includes('"n":0'))) return sink.take(batch);
    began.resolve();
    return new Promise(() => undefined);
  };
  const writer = new TestWriter(sink);
  writer.collect(0, 1, 'model_inputs', FULL);
  await began.promise;
  writer.collect(1, 4);
  await writer.close(4000);
  assert.deepEqual(sink.taken, [1, 2, 3]);
  assert.deepEqual(outcomes(writer), { sent: 3, spilled: 0, dropped: 1, reasons: { flush_timeout: 1 }, open: 0 });
  assert.ok(sink.calls > 2, 'it was tried again');
});

test('at the end a call that hangs once is tried again, and nothing is lost', async () => {
  const sink = new Answering();
  const began = Promise.withResolvers<void>();
  sink.answer = () => {
    sink.answer = undefined;
    began.resolve();
    return new Promise(() => undefined);
  };
  const writer = new TestWriter(sink);
  writer.collect(0, 1, 'model_inputs', FULL);
  await began.promise;
  writer.collect(1, 4);
  await writer.close(3000);
  assert.deepEqual(sink.taken, [1, 2, 3, 0]);
  assert.deepEqual(outcomes(writer), { sent: 4, spilled: 0, dropped: 0, reasons: {}, open: 0 });
});

test('a block that grew beyond the memory there is finds no room: it is dropped, by the reason of the disk', async (t) => {
  const none = { bytes: 0, deadLetterBytes: 0 };
  for (const [reason, options] of Object.entries({
    queue_full: {},
    spill_full: { spillDir: folder(t), spoolLimits: none },
    spill_failed: { spillDir: '/proc/spool' },
  })) {
    const sink = new Answering();
    sink.answer = () => Promise.reject(busy());
    const writer = new TestWriter(sink, options);
    const big = 'x'.repeat(20 * 1024 * 1024);
    for (let n = 0; n < 5; n++) writer.collect(n, n + 1, 'model_inputs', big);
    await writer.until((counts) => counts.totals().dropped > 0);
    assert.deepEqual(writer.counts.totals().droppedFor, { [reason]: 2 });
    assert.equal(writer.counts.overflow, reason, 'the host drops for the same reason');
    assert.ok(writer.counts.bytes <= 64 * 1024 * 1024);
    await writer.close(0);
  }
});

test('a line that stays in memory while its neighbours leave does not keep theirs', () => {
  const memory = Buffer.alloc(1024 * 1024);
  const shared = { ...block(1), data: memory.subarray(0, 300) };
  assert.equal(copyAlone(shared).data.buffer.byteLength, 300);
  assert.equal(copyAlone({ ...shared, data: memory }).data.buffer, memory.buffer);
});

test('at the end a sink that fails is tried once more, then lines stay on disk at once', async (t) => {
  const sink = new Answering();
  sink.answer = () => Promise.reject(busy());
  const writer = new TestWriter(sink, { spillDir: folder(t) });
  writer.collect(0, 2);
  await writer.close(3_600_000);
  assert.equal(sink.calls, 1);
  assert.deepEqual(outcomes(writer), { sent: 0, spilled: 2, dropped: 0, reasons: {}, open: 0 });
});

/** A line with a payload, as the encoder emits it. */
const image = (n: number, bytes: number): Block => ({
  ...block(n, { name: `ep/${n}.bin`, contentType: 'image/png', body: Buffer.alloc(bytes) }),
  counted: true,
});

test('payloads that find no room hold up nothing else, however many they are: they go to disk, or are dropped', async (t) => {
  for (const spillDir of [folder(t), undefined]) {
    const sink = new Answering();
    let room = false;
    sink.answer = async (batch) => {
      const apart = room ? undefined : batch.blocks.find(({ payloads }) => payloads.length > 0);
      if (apart !== undefined) throw new SinkError('ENOSPC', 'no room', { apart });
      await sink.take(batch);
    };
    const writer = new TestWriter(sink, spillDir === undefined ? {} : { spillDir });
    const images = 20;
    for (let n = 0; n < images; n++) {
      writer.add(image(n, 4 * 1024 * 1024));
      await writer.until(({ errors }) => (errors.get('ENOSPC') ?? 0) > n);
    }
    writer.collect(0, 100);
    await writer.sent(100);
    const { spilled, dropped } = writer.counts.of('rows');
    assert.ok(writer.counts.bytes <= 24 * 1024 * 1024, `${writer.counts.bytes}`);
    assert.ok((spillDir === undefined ? dropped : spilled) >= images - 5, `${spilled} spilled, ${dropped} dropped`);
    assert.deepEqual(writer.counts.totals().droppedFor, spillDir === undefined ? { queue_full: dropped } : {});
    room = true;
    await writer.until(({ records, spoolRecords }) => records + spoolRecords === 0);
    await writer.close();
    assert.equal(writer.counts.of('rows').sent, images - dropped);
    assert.deepEqual([writer.counts.bytes, writer.counts.spoolBytes], [0, 0]);
  }
});

test('at the end an append that hangs leaves time for other files, and its file keeps its order', async () => {
  const began = Promise.withResolvers<void>();
  const written: string[] = [];
  let hangs = true;
  const storage: Storage = {
    name: 'hanging',
    reference: (name) => name,
    put: () => Promise.resolve(),
    create: (name) => {
      const [, , collection = ''] = name.split('/');
      const append = async (pieces: readonly Buffer[]): Promise<void> => {
        if (collection === 'stuck' && hangs) {
          began.resolve();
          await new Promise(() => undefined);
        }
        if (collection === 'c') hangs = false;
        for (const [, n = ''] of Buffer.concat(pieces)
          .toString()
          .matchAll(/"data":\[\{"n":(\d+)/g))
          written.push(`${collection} ${n}`);
      };
      return Promise.resolve({ offset: 0, blocks: 0, append, close: () => Promise.resolve() });
    },
  };
  const writer = new TestWriter(storage);
  writer.collect(0, 1, 'stuck', FULL);
  await began.promise;
  writer.collect(1, 2, 'stuck');
  for (const collection of ['a', 'b', 'c']) writer.collect(0, 1, collection);
  await writer.close(4000);
  assert.deepEqual(written, ['a 0', 'b 0', 'c 0', 'stuck 0', 'stuck 1']);
  assert.deepEqual(writer.counts.totals().droppedFor, {});
});
