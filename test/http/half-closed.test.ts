import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { open, parse, rest } from './raw-client.ts';
import { streamed } from './fake-scorer.ts';
import { start } from './start.ts';

const POST = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
/** The server probes a client 100 and 400 ms after it closed its side. */
const PROBED_MS = 500;
/** Digits of the longest chunk size that net/http of Go reads. */
const LONGEST_CHUNK_SIZE = 16;

/** Starts a client that sends its request and closes its side. */
async function halfClose(port: number, text: string): Promise<Promise<string>> {
  const socket = await open(port);
  socket.end(text);
  return rest(socket);
}

describe('a client that closes its side after its request', () => {
  it('gets its answer, and the connection is closed', async (t) => {
    const { port } = await start(t);
    for (const text of [POST, POST.replace('1.1', '1.0'), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const { status } = parse(await halfClose(port, text));
      assert.equal(status, 200);
    }
  });

  it('gets each answer of a pipeline', async (t) => {
    const { port } = await start(t);
    const answers = await halfClose(port, POST.repeat(3));
    assert.equal(answers.split('HTTP/1.1 200').length, 4);
  });

  it('gets one that takes long behind interim answers, and a stream whole', async (t) => {
    const { port, scorer } = await start(t);
    const late = Promise.withResolvers<object>();
    scorer.outcome = () => late.promise;
    setTimeout(() => late.resolve({}), PROBED_MS);
    const answer = await halfClose(port, POST);
    assert.match(answer, /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)+HTTP\/1\.1 200 /);

    const source = new PassThrough();
    scorer.outcome = () => streamed(source);
    source.write('one');
    setTimeout(() => source.write('two'), PROBED_MS);
    setTimeout(() => source.end(), 2 * PROBED_MS);
    const { body } = parse(await halfClose(port, POST));
    const chunks = [...body.matchAll(/^0*([0-9a-f]+)\r\n(.*)\r\n/gm)].map(([, size = '', text]) => [Number.parseInt(size, 16), text]);
    assert.deepEqual(chunks, [
      [3, 'one'],
      [3, 'two'],
      [0, ''],
    ]);
  });

  it('gets chunk sizes that every client can read, however long a stream is silent', async (t) => {
    const { port, scorer } = await start(t);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const source = new PassThrough();
    scorer.outcome = () => streamed(source);
    const socket = await open(port);
    const closed = once(socket, 'end');
    let received = '';
    socket.on('data', (piece) => (received += String(piece)));
    socket.end(POST);
    await once(socket, 'data');
    for (let hour = 0; hour < 20; hour++) {
      await setImmediate();
      t.mock.timers.tick(3_600_000);
    }
    source.end('x');
    await closed;
    const [, size = ''] = /\r\n\r\n([0-9a-f]+)\r\nx\r\n/.exec(received) ?? [];
    assert.ok(size.length > 1 && size.length + '10000000'.length - 1 <= LONGEST_CHUNK_SIZE, received);
  });

  for (const [name, outcome] of [
    ['waits for its answer', () => new Promise<object>(() => undefined)],
    ['reads a stream', () => streamed(new PassThrough())],
  ] as const) {
    it(`and leaves while it ${name} is noticed`, async (t) => {
      const { port, scorer, line } = await start(t);
      scorer.outcome = outcome;
      const socket = await open(port);
      const scored = scorer.called('score');
      socket.write(POST);
      await scored;
      socket.destroy();
      assert.equal((await line(({ msg }) => msg === 'request'))['status'], 499);
    });
  }
});
