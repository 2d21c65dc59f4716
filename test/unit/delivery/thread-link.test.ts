import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { ThreadLink } from '../../../server/delivery/thread-link.ts';

/** A link to the thread beside this file. Emits `received`, `lost` and `printed`. */
function open(t: TestContext, firstMs = 1): { readonly link: ThreadLink<string, string>; readonly events: EventEmitter } {
  const events = new EventEmitter();
  const file = new URL('delivering-thread.ts', import.meta.url);
  const link = new ThreadLink<string, string>(
    { name: 'test', file, data: 'thread', env: {}, restarts: { firstMs, longestMs: 4 * firstMs, jitter: 0 } },
    {
      received: (message) => events.emit('received', message),
      lost: (thrown, restartMs) => events.emit('lost', thrown, restartMs),
      printed: (line) => events.emit('printed', line),
    },
  );
  link.start();
  // The thread itself keeps no process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(async () => {
    clearInterval(alive);
    await link.end();
  });
  return { link, events };
}

/** Resolves when the next thread takes messages. */
async function restarted(link: ThreadLink<string, string>): Promise<void> {
  while (!link.running) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('messages go both ways, and lines that the thread prints reach the owner', async (t) => {
  const { link, events } = open(t);
  const [received, printed] = [once(events, 'received'), once(events, 'printed')];
  assert.equal(link.post('print'), true);
  assert.deepEqual(await received, ['thread: print']);
  assert.deepEqual(await printed, ['a line of a library']);
});

test('a buffer moves to the thread', async (t) => {
  const { link, events } = open(t);
  const buffer = new ArrayBuffer(8);
  const received = once(events, 'received');
  link.post('take', [buffer]);
  await received;
  assert.equal(buffer.byteLength, 0);
});

test('a lost thread is started anew, after longer waits while it is lost again, until it succeeds', async (t) => {
  const { link, events } = open(t);
  const waits: unknown[] = [];
  for (const message of ['fail', 'exit', 'fail', 'fail']) {
    const lost = once(events, 'lost');
    await restarted(link);
    link.post(message);
    const [thrown, restartMs] = await lost;
    assert.equal(thrown instanceof Error ? thrown.message : thrown, message === 'fail' ? 'as it was asked' : undefined);
    assert.equal(link.running, false);
    assert.equal(link.post('nobody takes it'), false);
    waits.push(restartMs);
  }
  link.succeeded();
  const lost = once(events, 'lost');
  await restarted(link);
  link.post('exit');
  waits.push((await lost)[1]);
  assert.deepEqual(waits, [1, 2, 4, 4, 1]);
  await restarted(link);
  const received = once(events, 'received');
  link.post('again');
  assert.deepEqual(await received, ['thread: again']);
});

test('the end waits for the last message, for the exit, or for its limit', async (t) => {
  const answered = open(t);
  answered.events.on('received', () => answered.link.finished());
  await answered.link.finish('last', 60_000);
  assert.equal(await answered.link.end(), true);

  const exited = open(t);
  const lost = once(exited.events, 'lost');
  await exited.link.finish('exit', 60_000);
  assert.deepEqual(await lost, [undefined, undefined]);
  assert.equal(await exited.link.end(), true);

  const silent = open(t);
  const began = performance.now();
  await silent.link.finish('silence', 50);
  assert.ok(performance.now() - began >= 49);
  assert.equal(await silent.link.end(), true);
});

test('a link that ends while its thread is lost waits for nothing and starts nothing', async (t) => {
  const { link, events } = open(t, 60_000);
  const lost = once(events, 'lost');
  link.post('exit');
  await lost;
  await link.finish('last', 60_000);
  assert.equal(await link.end(), true);
  assert.equal(link.running, false);
});

test('a thread that cannot be started is lost, and is tried again', async () => {
  const losses: unknown[] = [];
  // Data that cannot be copied stands for a system without a thread to give.
  const link: ThreadLink<string, string> = new ThreadLink(
    {
      name: 'test',
      file: new URL('delivering-thread.ts', import.meta.url),
      data: () => undefined,
      env: {},
      restarts: { firstMs: 60_000, longestMs: 60_000, jitter: 0 },
    },
    { received: () => undefined, lost: (thrown, restartMs) => losses.push([thrown instanceof Error && thrown.name, restartMs]) },
  );
  link.start();
  assert.deepEqual(losses, [['DataCloneError', 60_000]]);
  assert.equal(await link.end(), true);
});
