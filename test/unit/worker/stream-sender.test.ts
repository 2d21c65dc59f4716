import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import test from 'node:test';
import type { HeaderPairs } from '../../../server/ipc/header-fields.ts';
import { STREAM_WINDOW } from '../../../server/ipc/limits.ts';
import type { ToHost } from '../../../server/ipc/to-host.ts';
import { StreamSender } from '../../../server/worker/stream-sender.ts';
import type { Outcome } from '../../../server/worker/outcome.ts';

class Sent {
  readonly frames: unknown[][] = [];
  readonly toHost = {
    chunk: (id: number, bytes: Buffer) => void this.frames.push(['chunk', id, String(bytes)]),
    end: (id: number) => void this.frames.push(['end', id]),
  } as unknown as ToHost;
  readonly begin = (headers: HeaderPairs): void => void this.frames.push(['stream', ...headers.flat()]);
  readonly sender: StreamSender;

  constructor(limitBytes?: number) {
    this.sender = new StreamSender(this.toHost, 7, (chunk) => JSON.stringify(chunk), limitBytes);
  }

  send(chunks: Outcome['chunks'], headers?: HeaderPairs): Promise<void> {
    return this.sender.send({ status: 200, headers, ...(chunks !== undefined && { chunks }) }, this.begin);
  }
}

test('the head goes with the first chunk, which decides the content type where there are no headers', async () => {
  const cases: [chunks: unknown[], type: string, texts: string[]][] = [
    [['a', 'b'], 'text/plain; charset=utf-8', ['a', 'b']],
    [[Buffer.from('a'), 'b'], 'application/octet-stream', ['a', 'b']],
    [[{ a: 1 }, 2], 'application/x-ndjson', ['{"a":1}\n', '2\n']],
    [[Float32Array.of(1)], 'application/x-ndjson', ['{"0":1}\n']],
    [[], 'text/plain; charset=utf-8', []],
  ];
  for (const [chunks, type, texts] of cases) {
    const sent = new Sent();
    await sent.send(chunks);
    assert.deepEqual(sent.frames, [['stream', 'content-type', type], ...texts.map((text) => ['chunk', 7, text]), ['end', 7]]);
  }
});

test('in a body every view is bytes, empty chunks are left out, and headers stay as they are', async () => {
  const sent = new Sent();
  await sent.send([new Uint8Array(), new Uint16Array([0x6161]), ''], [['x-a', 'b']]);
  assert.deepEqual(sent.frames, [
    ['stream', 'x-a', 'b'],
    ['chunk', 7, 'aa'],
    ['end', 7],
  ]);
});

test('nothing is sent when the iterator fails before its first chunk', async () => {
  const sent = new Sent();
  const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('early')) }) };
  await assert.rejects(sent.send(failing), /early/);
  assert.deepEqual([sent.frames, sent.sender.started], [[], false]);
});

test('a chunk that one buffer is filled for again keeps its bytes', async () => {
  const kept: Buffer[] = [];
  const toHost = { chunk: (_id: number, bytes: Buffer) => void kept.push(bytes), end: () => undefined } as unknown as ToHost;
  const shared = Buffer.from('1');
  const chunks = (function* () {
    for (const digit of ['1', '2']) {
      shared.write(digit);
      yield shared;
    }
  })();
  await new StreamSender(toHost, 7, String).send({ status: 200, headers: undefined, chunks }, () => undefined);
  assert.deepEqual(kept.map(String), ['1', '2']);
});

/** Endless chunks of a quarter of the window, and how many have been taken. */
function endless(): { readonly chunks: AsyncGenerator<Buffer>; readonly state: { taken: number; ended: boolean } } {
  const state = { taken: 0, ended: false };
  const chunks = (async function* () {
    try {
      for (;;) {
        state.taken++;
        yield Buffer.alloc(STREAM_WINDOW / 4);
      }
    } finally {
      state.ended = true;
    }
  })();
  return { chunks, state };
}

/** More turns of the loop than the sender needs for a full window. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await setImmediate();
}

test('the window is filled and no more; credit lets the rest through, and a cancel ends the iterator', async () => {
  const sent = new Sent();
  const { chunks, state } = endless();
  const done = sent.send(chunks);
  await settle();
  assert.equal(state.taken, 5, 'the chunk that fills the window is the last');
  sent.sender.credit(STREAM_WINDOW / 2);
  await settle();
  assert.equal(state.taken, 7);
  sent.sender.cancel();
  await done;
  assert.equal(state.ended, true);
  assert.deepEqual(sent.frames.at(-1), ['end', 7]);
});

test('a cancel before the first chunk sends an empty stream', async () => {
  const sent = new Sent();
  sent.sender.cancel();
  await sent.send(['a']);
  assert.deepEqual(sent.frames, [
    ['stream', 'content-type', 'text/plain; charset=utf-8'],
    ['end', 7],
  ]);
});

test('a chunk above the limit is refused before it is sent', async () => {
  const sent = new Sent(3);
  await assert.rejects(sent.send(['abc', 'abcd']), { code: 'answer_too_large' });
  assert.deepEqual(sent.frames.at(-1), ['chunk', 7, 'abc']);
});
