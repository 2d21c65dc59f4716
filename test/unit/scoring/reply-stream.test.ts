import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { pino } from 'pino';
import type { ServerError } from '../../../server/errors.ts';
import { FrameError } from '../../../server/ipc/frames.ts';
import { STREAM_WINDOW } from '../../../server/ipc/limits.ts';
import { AnswerMemory } from '../../../server/scoring/answer-memory.ts';
import { ReplyStream } from '../../../server/scoring/reply-stream.ts';

const IDLE_MS = 1000;

interface Opened {
  readonly stream: ReplyStream;
  readonly memory: AnswerMemory;
  /** Bytes that were credited. */
  readonly taken: number[];
  /** Whether it stalled, each time that it was abandoned. */
  readonly abandoned: boolean[];
}

/** Whether with an error or not. */
function closed(stream: ReplyStream): Promise<void> {
  return new Promise((resolve) => stream.once('close', resolve));
}

/** A stream whose timers the test moves. */
function open(t: TestContext, idleMs = IDLE_MS): Opened {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const memory = new AnswerMemory(2 ** 30, pino({ level: 'silent' }));
  const taken: number[] = [];
  const abandoned: boolean[] = [];
  const stream = new ReplyStream(idleMs, {
    taken: (bytes) => void taken.push(bytes),
    abandoned: (stalled) => void abandoned.push(stalled),
    held: memory.hold(0),
  });
  return { stream, memory, taken, abandoned };
}

test('bytes come as they were sent; they count until they are taken, and are credited then', async (t) => {
  const { stream, memory, taken, abandoned } = open(t);
  stream.add(Buffer.from('one '));
  stream.add(Buffer.from('two'));
  assert.deepEqual([memory.bytes, taken], [7, []]);
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([memory.bytes, taken.reduce((sum, bytes) => sum + bytes, 0)], [0, 7]);
  stream.finish();
  await closed(stream);
  assert.deepEqual([chunks.join(''), abandoned], ['one two', []]);
});

test('a worker that sends beyond its window breaks the protocol', (t) => {
  const { stream } = open(t);
  stream.add(Buffer.alloc(STREAM_WINDOW));
  stream.add(Buffer.alloc(1));
  assert.throws(
    () => stream.add(Buffer.alloc(1)),
    (thrown) => thrown instanceof FrameError && thrown.message.includes(`${STREAM_WINDOW + 1} are not taken`),
  );
});

test('a worker that is silent for too long has stalled', async (t) => {
  const { stream, abandoned } = open(t);
  stream.resume();
  t.mock.timers.tick(IDLE_MS - 1);
  stream.add(Buffer.from('x'));
  t.mock.timers.tick(IDLE_MS - 1);
  assert.equal(stream.destroyed, false);
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(IDLE_MS);
  const [error] = (await once(stream, 'error')) as [ServerError];
  assert.match(error.message, /idle for 1000 ms \(STREAM_IDLE_TIMEOUT_MS\): run\(\) sent nothing/);
  assert.deepEqual([error.code, abandoned], ['deadline_exceeded', [true]]);
});

test('a client that takes nothing for too long ends the stream, and its worker has not stalled', async (t) => {
  const { stream, memory, abandoned } = open(t);
  stream.add(Buffer.from('x'));
  const broke = once(stream, 'error') as Promise<[ServerError]>;
  t.mock.timers.tick(IDLE_MS);
  const [error] = await broke;
  assert.deepEqual([error.code, abandoned, memory.bytes], ['client_gone', [false], 0]);
});

test('0 is no limit', (t) => {
  const { stream } = open(t, 0);
  t.mock.timers.tick(2 ** 31 - 1);
  assert.equal(stream.destroyed, false);
});

test('a client that leaves abandons the stream; chunks that come after that are dropped', async (t) => {
  const { stream, memory, abandoned } = open(t);
  stream.add(Buffer.from('x'));
  stream.destroy();
  await closed(stream);
  assert.deepEqual([abandoned, memory.bytes], [[false], 0]);
  stream.add(Buffer.from('late'));
  stream.finish();
  assert.deepEqual([abandoned, memory.bytes], [[false], 0]);
});

test('a stream that its worker breaks off is not abandoned', async (t) => {
  const { stream, abandoned } = open(t);
  stream.fail(new Error('it broke'));
  const [error] = await once(stream, 'error');
  assert.match(String(error), /it broke/);
  assert.deepEqual(abandoned, []);
});
