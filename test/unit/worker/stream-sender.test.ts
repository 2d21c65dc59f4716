import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import test from 'node:test';
import type { HeaderPairs } from '../../../server/ipc/header-fields.ts';
import { STREAM_WINDOW } from '../../../server/ipc/limits.ts';
import type { ToHost } from '../../../server/ipc/to-host.ts';
import { sourceOf } from '../../../server/worker/chunk-source.ts';
import { type Beginning, StreamSender } from '../../../server/worker/stream-sender.ts';

type Chunks = Parameters<typeof sourceOf>[0];

class Sent {
  readonly frames: unknown[][] = [];
  readonly toHost = {
    chunk: (id: number, bytes: Buffer) => void this.frames.push(['chunk', id, String(bytes)]),
    end: (id: number) => void this.frames.push(['end', id]),
  } as unknown as ToHost;
  readonly begin: Beginning = {
    stream: (headers) => void this.frames.push(['stream', ...headers.flat()]),
    whole: (headers, body) => void this.frames.push(['whole', ...headers.flat(), String(body)]),
  };
  readonly sender: StreamSender;

  constructor(chunks: Chunks, limitBytes?: number) {
    this.sender = new StreamSender(this.toHost, 7, sourceOf(chunks), { encode: (chunk) => JSON.stringify(chunk), limitBytes });
  }

  items(): Promise<void> {
    return this.sender.sendItems(this.begin);
  }

  body(headers: HeaderPairs = [['x-a', 'b']], encoding?: string): Promise<void> {
    return this.sender.sendBody(this.begin, headers, encoding);
  }
}

test('the head goes with the first chunk, which decides the content type where there are no headers', async () => {
  const cases: [chunks: unknown[], type: string, texts: string[]][] = [
    [['a', 'b'], 'text/plain; charset=utf-8', ['a', 'b']],
    [[Buffer.from('a'), 'b'], 'application/octet-stream', ['a', 'b']],
    [[{ a: 1 }, 2], 'application/x-ndjson', ['{"a":1}\n', '2\n']],
    [[Float32Array.of(1)], 'application/x-ndjson', ['{"0":1}\n']],
    [[new Uint8Array([97]).buffer, new DataView(new Uint8Array([98]).buffer)], 'application/octet-stream', ['a', 'b']],
    [[null], 'application/x-ndjson', ['null\n']],
    [[], 'text/plain; charset=utf-8', []],
  ];
  for (const [chunks, type, texts] of cases) {
    const sent = new Sent(chunks.values());
    await sent.items();
    assert.deepEqual(sent.frames, [['stream', 'content-type', type], ...texts.map((text) => ['chunk', 7, text]), ['end', 7]]);
  }
});

test('in a body every view and buffer is bytes, empty chunks are left out, and headers stay as they are', async () => {
  const shared = new SharedArrayBuffer(1);
  new Uint8Array(shared)[0] = 0x62;
  const sent = new Sent(slowly(new Uint8Array(), new Uint16Array([0x6161]), '', shared, new Float32Array(2)));
  await sent.body();
  assert.deepEqual(sent.frames, [
    ['stream', 'x-a', 'b'],
    ['chunk', 7, 'aa'],
    ['chunk', 7, 'b'],
    ['chunk', 7, '\0'.repeat(8)],
    ['end', 7],
  ]);
});

test('a body that is complete is answered as a whole', async () => {
  for (const [chunks, text] of [
    [['one'], 'one'],
    [['', 'one'], 'one'],
    [[], ''],
  ] as const) {
    const sent = new Sent(ReadableStream.from(chunks));
    await sent.body();
    assert.deepEqual(sent.frames, [['whole', 'x-a', 'b', text]]);
  }
});

test('a chunk of a body without bytes is refused by its number and kind, and its source is ended', async () => {
  for (const [chunk, kind] of [
    [{ a: 1 }, 'an object'],
    [5, 'a number'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1], 'an array'],
    [() => 1, 'a function'],
  ] as const) {
    for (const before of [[], ['a', 'b']]) {
      let ended: unknown;
      const sent = new Sent(slowly(...before, chunk, 'c').onEnd((reason) => (ended = reason)));
      const message = new RegExp(
        `^chunk ${before.length + 1} of the body of a Response is ${kind}: expected text or bytes .*JSON.stringify`,
      );
      await assert.rejects(sent.body(), { name: 'TypeError', message });
      assert.match(String(ended), /^TypeError: chunk/);
      assert.equal(sent.sender.started, before.length > 0);
    }
  }
});

test('nothing is sent when the iterator fails before its first chunk', async () => {
  const sent = new Sent({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('early')) }) });
  await assert.rejects(sent.items(), /early/);
  assert.deepEqual([sent.frames, sent.sender.started], [[], false]);
});

for (const how of ['items', 'body'] as const) {
  for (const size of [1, 50_000]) {
    test(`a buffer of ${size} bytes that its source fills again keeps the bytes of each time: ${how}`, async () => {
      const kept: (Uint8Array | string)[] = [];
      const toHost = { chunk: (_id: number, bytes: Buffer) => void kept.push(bytes), end: () => undefined } as unknown as ToHost;
      const shared = Buffer.alloc(size);
      const chunks = (function* () {
        for (const digit of ['1', '2', '3']) yield shared.fill(digit);
      })();
      const sender = new StreamSender(toHost, 7, sourceOf(chunks), { encode: String });
      const begin: Beginning = { stream: () => undefined, whole: () => undefined };
      await (how === 'items' ? sender.sendItems(begin) : sender.sendBody(begin, [], undefined));
      assert.deepEqual(
        kept.map((bytes) => String(bytes)),
        ['1', '2', '3'].map((digit) => digit.repeat(size)),
      );
    });
  }
}

test('a body that is answered as a whole keeps its bytes when its source fills the buffer behind it', async () => {
  const shared = Buffer.from('first');
  const chunks = (function* () {
    yield shared;
    shared.fill('x');
  })();
  const sent = new Sent(chunks);
  await sent.body();
  assert.deepEqual(sent.frames, [['whole', 'x-a', 'b', 'first']]);
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
  const { chunks, state } = endless();
  const sent = new Sent(chunks);
  const done = assert.rejects(sent.items(), { code: 'client_gone' });
  await settle();
  assert.equal(state.taken, 5, 'the chunk that fills the window is the last');
  sent.sender.credit(STREAM_WINDOW / 2);
  await settle();
  assert.equal(state.taken, 7);
  sent.sender.cancel(new Error('gone'));
  await done;
  assert.equal(state.ended, true);
});

test('a cancel before the first chunk ends the source, and sends nothing', async () => {
  for (const how of ['items', 'body'] as const) {
    let ended = '';
    const sent = new Sent(slowly('a').onEnd((reason) => (ended = String(reason))));
    sent.sender.cancel(new Error('gone'));
    await assert.rejects(sent[how](), { code: 'client_gone' });
    assert.deepEqual([sent.frames, ended], [[], 'Error: gone']);
  }
});

test('a cancel ends a wait for a chunk that never comes, whatever the source makes of it', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const sources: Record<string, () => Chunks> = {
    'a ReadableStream': () => new ReadableStream({ pull: never }),
    'one whose cancel() never settles': () => new ReadableStream({ pull: never, cancel: never }),
    'one whose cancel() rejects': () => new ReadableStream({ pull: never, cancel: () => Promise.reject(new Error('no')) }),
    'a Readable': () => new Readable({ read: () => undefined }),
    'a Readable whose destroy() fails': () => new Readable({ read: () => undefined, destroy: (_error, done) => done(new Error('no')) }),
    'an async generator': () =>
      (async function* () {
        yield await never();
      })(),
    'an iterator without return()': () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
    'an iterator whose return() throws': () => ({
      [Symbol.asyncIterator]: () => ({
        next: never,
        return: () => {
          throw new Error('no');
        },
      }),
    }),
    'an iterator whose next() fails later': () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>((_resolve, reject) => void setImmediate().then(() => reject(new Error('late')))),
      }),
    }),
  };
  for (const [name, source] of Object.entries(sources)) {
    for (const how of ['items', 'body'] as const) {
      const sent = new Sent(source());
      const done = assert.rejects(sent[how](), { code: 'client_gone' }, name);
      sent.sender.cancel(new Error('gone'));
      await done;
      assert.deepEqual(sent.frames, []);
    }
  }
  // An unhandled rejection or an error event would end this process.
  await settle();
});

test('a cancel while the client owes credit ends the source, also where a chunk is awaited behind it', async () => {
  const state = { cancelled: '' };
  let pulled = false;
  const sent = new Sent(
    new ReadableStream({
      pull(controller) {
        if (pulled) return new Promise(() => undefined);
        pulled = true;
        controller.enqueue(Buffer.alloc(STREAM_WINDOW + 1));
        return undefined;
      },
      cancel: (reason) => void (state.cancelled = String(reason)),
    }),
  );
  const done = assert.rejects(sent.body(), { code: 'client_gone' });
  await settle();
  assert.equal(sent.frames.length, 2);
  sent.sender.cancel(new Error('gone'));
  await done;
  assert.equal(state.cancelled, 'Error: gone');
});

test('a chunk above the limit is refused before it is sent, and ends the source', async () => {
  for (const how of ['items', 'body'] as const) {
    let ended = '';
    const sent = new Sent(
      slowly('abc', 'abcd').onEnd((reason) => (ended = String(reason))),
      3,
    );
    await assert.rejects(sent[how](), { code: 'answer_too_large' });
    assert.deepEqual(sent.frames.at(-1), ['chunk', 7, 'abc']);
    assert.match(ended, /more than 3 bytes/);
  }
});

/** A web stream whose chunks come a few turns apart, and which reports how it is cancelled. */
class Slow extends ReadableStream<unknown> {
  onEnd: (report: (reason: unknown) => void) => this;

  constructor(chunks: readonly unknown[]) {
    const waiting = [...chunks];
    let report: (reason: unknown) => void = () => undefined;
    super(
      {
        async pull(controller) {
          for (let turn = 0; turn < 3; turn++) await setImmediate();
          if (waiting.length === 0) controller.close();
          else controller.enqueue(waiting.shift());
        },
        cancel: (reason) => report(reason),
      },
      { highWaterMark: 0 },
    );
    this.onEnd = (to) => {
      report = to;
      return this;
    };
  }
}

function slowly(...chunks: unknown[]): Slow {
  return new Slow(chunks);
}
