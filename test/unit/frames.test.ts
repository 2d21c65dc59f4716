import fc from 'fast-check';
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { FrameReader } from '../../server/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../server/frames.ts';

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

const size = fc.oneof(fc.nat(100), fc.constantFrom(0, 16383, 16384, 65535, 65536, 200_000));
const parts = fc.array(
  fc.oneof(
    size.map((length) => Buffer.alloc(length, 7)),
    fc.string({ unit: 'grapheme', maxLength: 50 }),
  ),
  { maxLength: 3 },
);
const frame = fc.record({ id: fc.nat(), kind: fc.nat(255), parts });

test('what is written is read, however the bytes are cut', () => {
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

test('each frame of a burst is told of when the kernel has it, the last one too', async () => {
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

test('whoever waits for the write hears of it, also when the pipe is gone', async () => {
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
