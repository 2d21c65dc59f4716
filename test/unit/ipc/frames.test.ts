import fc from 'fast-check';
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { FrameReader } from '../../../server/ipc/frame-reader.ts';
import { FrameError, FrameWriter, MOST_FRAME_BYTES } from '../../../server/ipc/frames.ts';

interface Frame {
  readonly id: number;
  readonly kind: number;
  readonly payload: string;
}

class Pipe extends Duplex {
  readonly writes: Buffer[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    done();
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }
  override _read(): void {}
}

function collect(): { reader: FrameReader; frames: Frame[] } {
  const frames: Frame[] = [];
  return {
    frames,
    reader: new FrameReader((id, kind, payload) => frames.push({ id, kind, payload: payload.toString('latin1') }), MOST_FRAME_BYTES),
  };
}

const noFrame = (): void => assert.fail('no frame has come');

const size = fc.oneof(fc.nat(100), fc.constantFrom(0, 16383, 16384, 65535, 65536, 200_000));
const parts = fc.array(
  fc.oneof(
    size.map((length) => Buffer.alloc(length, 7)),
    fc.string({ unit: 'grapheme', maxLength: 50 }),
  ),
  { maxLength: 3 },
);
const frame = fc.record({ id: fc.nat(), kind: fc.nat(255), parts });

test('frames are read as they were written, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
      (written, cuts) => {
        const pipe = new Pipe();
        const writer = new FrameWriter(pipe, () => undefined);
        for (const each of written) writer.write(each.id, each.kind, each.parts);
        writer.flush();
        const bytes = Buffer.concat(pipe.writes);
        const { reader, frames } = collect();
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const next = at + (cuts[cut % cuts.length] ?? 1);
          reader.feed(bytes.subarray(at, next));
          at = next;
        }
        const payload = (pieces: readonly (string | Buffer)[]): string =>
          Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))).toString('latin1');
        assert.deepEqual(
          frames,
          written.map((each) => ({ id: each.id, kind: each.kind, payload: payload(each.parts) })),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('a few frames of one tick leave in one write, many in bursts that do not wait for its end', async () => {
  const pipe = new Pipe();
  const writer = new FrameWriter(pipe, (flush) => process.nextTick(flush));
  const write = (count: number): void => {
    for (let id = 0; id < count; id++) writer.write(id, 1, ['text', Buffer.from('bytes')]);
  };
  write(15);
  assert.equal(pipe.writes.length, 0);
  await new Promise(setImmediate);
  assert.equal(pipe.writes.length, 1);
  write(40);
  assert.equal(pipe.writes.length, 3);
  await new Promise(setImmediate);
  assert.equal(pipe.writes.length, 4);
});

test('the callback of each frame of a burst runs when the kernel has the frame, the last one too', async () => {
  const pipe = new Pipe();
  const done: (() => void)[] = [];
  pipe._write = (_chunk, _encoding, taken) => void done.push(taken);
  const writer = new FrameWriter(pipe, (flush) => process.nextTick(flush));
  const written: number[] = [];
  for (let id = 0; id < 16; id++) writer.write(id, 1, ['x'], () => written.push(id));
  await new Promise(setImmediate);
  assert.deepEqual(written, []);
  done.forEach((taken) => taken());
  await new Promise(setImmediate);
  assert.equal(written.length, 16);
});

test('a large body is handed on without a copy', () => {
  const pipe = new Pipe();
  const seen: Buffer[] = [];
  pipe._writev = (chunks, done) => {
    seen.push(...chunks.map(({ chunk }) => chunk));
    done();
  };
  const body = Buffer.alloc(100_000);
  const writer = new FrameWriter(pipe, () => undefined);
  writer.write(1, 1, ['head', body]);
  writer.flush();
  assert.ok(seen.some((chunk) => chunk.buffer === body.buffer && chunk.length === body.length));
});

test('the callback of a write runs, also when the pipe is gone', async () => {
  const pipe = new Pipe();
  const writer = new FrameWriter(pipe, () => undefined);
  const written = new Promise<void>((resolve) => writer.write(1, 1, ['x'], resolve));
  writer.flush();
  await written;
  pipe.destroy();
  writer.write(2, 1, ['x']);
  await new Promise<void>((resolve) => writer.flush(resolve));
  assert.equal(pipe.writes.length, 1);
});

test('frames behind the end of a pipe are dropped, and its other direction stays open', async () => {
  const pipe = new Pipe();
  const writer = new FrameWriter(pipe, () => undefined);
  pipe.end();
  writer.write(1, 1, ['x']);
  await new Promise<void>((resolve) => writer.flush(resolve));
  assert.deepEqual([pipe.writes.length, pipe.destroyed, pipe.readable], [0, false, true]);
});

test('lengths are bytes: of views, of shared memory, and of texts', () => {
  const pipe = new Pipe();
  const writer = new FrameWriter(pipe, () => undefined);
  const floats = new Float32Array(5000).fill(1);
  const views = [
    floats,
    new Float32Array([1, 2]),
    new DataView(new ArrayBuffer(7)),
    new Uint8Array(new SharedArrayBuffer(20_000)),
  ] as unknown as Uint8Array[];
  views.forEach((view, id) => writer.write(id, 1, [view]));
  writer.write(9, 1, ['ü']);
  writer.flush();
  const { reader, frames } = collect();
  reader.feed(Buffer.concat(pipe.writes));
  assert.deepEqual(
    frames.map(({ id, payload }) => [id, payload.length]),
    [
      [0, 20_000],
      [1, 8],
      [2, 7],
      [3, 20_000],
      [9, 2],
    ],
  );
  assert.equal(frames[0]?.payload, Buffer.from(floats.buffer).toString('latin1'));
});

test('a part that is neither text nor bytes is refused, and nothing of its frame is written', () => {
  const pipe = new Pipe();
  const writer = new FrameWriter(pipe, () => undefined);
  for (const part of [undefined, null, 1, {}, [1, 2], new ArrayBuffer(4), Symbol('s')])
    assert.throws(() => writer.write(1, 1, ['text', part as never]), part === undefined || part === null ? TypeError : FrameError);
  writer.write(2, 3, ['x']);
  writer.flush();
  assert.deepEqual(Buffer.concat(pipe.writes), Buffer.from([6, 0, 0, 0, 2, 0, 0, 0, 3, 0x78]));
});

test('a length that is not one of a frame is an error at once', () => {
  for (const bytes of [
    [0, 0, 0, 0],
    [4, 0, 0, 0],
    [255, 255, 255, 255],
    [101, 0, 0, 0],
  ]) {
    assert.throws(() => new FrameReader(noFrame, 100).feed(Buffer.from(bytes)), FrameError);
    const reader = new FrameReader(noFrame, 100);
    assert.throws(() => bytes.forEach((byte) => reader.feed(Buffer.from([byte]))), FrameError);
  }
});

test('random bytes give frames within the limit or the one error, and never memory beyond it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(Uint8Array.of(5, 0, 0, 0)))),
      fc.integer({ min: 5, max: 300 }),
      (pieces, most) => {
        const reader = new FrameReader((_id, _kind, payload) => assert.ok(payload.length <= most - 5), most);
        try {
          for (const piece of pieces) reader.feed(Buffer.from(piece));
        } catch (error) {
          assert.ok(error instanceof FrameError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a frame takes the memory of the bytes that have arrived, not of its length', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 10 }, () => new FrameReader(noFrame, MOST_FRAME_BYTES));
  const head = Buffer.from([0, 0, 0, 240]);
  for (const reader of readers) reader.feed(head);
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 100 * 1024 * 1024, `${grown} bytes for 10 frames that have not come`);
});

test('a frame of many megabytes arrives whole', () => {
  const payload = Buffer.alloc(20 * 1024 * 1024, Buffer.from('0123456789abc'));
  const head = Buffer.from([0, 0, 0, 0, 7, 0, 0, 0, 9]);
  head.writeUInt32LE(payload.length + 5);
  const bytes = Buffer.concat([head, payload, head.subarray(0, 4), head.subarray(4), payload]);
  let count = 0;
  const reader = new FrameReader((id, kind, got) => {
    assert.deepEqual([id, kind], [7, 9]);
    assert.ok(got.equals(payload));
    count++;
  }, bytes.length);
  for (let at = 0; at < bytes.length; at += 65_536) reader.feed(bytes.subarray(at, at + 65_536));
  assert.equal(count, 2);
});
