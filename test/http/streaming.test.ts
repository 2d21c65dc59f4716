import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { ServerError } from '../../server/errors.ts';
import { served, streamed } from './fake-scorer.ts';
import { open, parse, raw, until } from './raw-client.ts';
import { start } from './start.ts';

const GET = 'GET /score HTTP/1.1\r\nHost: x\r\n\r\n';

describe('a streamed reply', () => {
  it('leaves piece by piece as it is made, the head first', async (t) => {
    const { port, scorer } = await start(t);
    const source = new PassThrough();
    scorer.outcome = () => streamed(source);
    const socket = await open(port);
    socket.write(GET);
    const head = await until(socket, '\r\n\r\n');
    assert.match(head, /transfer-encoding: chunked/i);
    assert.match(head, /x-ms-run-fn-exec-ms: 1\.500/);
    source.write('data: 1\n\n');
    assert.equal(await until(socket, '1\n\n\r\n'), '9\r\ndata: 1\n\n\r\n');
    source.end('data: 2\n\n');
    assert.equal(await until(socket, '0\r\n\r\n'), '9\r\ndata: 2\n\n\r\n0\r\n\r\n');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(await until(socket, 'Healthy'), /200 OK/);
    socket.destroy();
  });

  it('pauses while the client does not read', async (t) => {
    const { port, scorer, line } = await start(t);
    let made = 0;
    const piece = Buffer.alloc(64 * 1024, 'x');
    const total = 64 * 1024 * 1024;
    const source = new Readable({
      read() {
        made += piece.length;
        this.push(made > total ? null : piece);
      },
    });
    const paused = once(source, 'pause');
    scorer.outcome = () => streamed(source);
    const socket = await open(port);
    socket.write(GET);
    await paused;
    socket.pause();
    assert.ok(made < total / 2, `${made} bytes were made before the source paused`);
    socket.resume();
    let received = 0;
    socket.on('data', (bytes: Buffer) => (received += bytes.length));
    const logged = await line(({ msg }) => msg === 'request');
    assert.equal(logged['bytesOut'], total);
    assert.equal(logged['status'], 200);
    socket.destroy();
    assert.ok(received > 0);
  });

  it('is cancelled when the client leaves', async (t) => {
    const { port, scorer, line } = await start(t);
    const source = new PassThrough();
    scorer.outcome = () => streamed(source);
    const socket = await open(port);
    socket.write(GET);
    await until(socket, '\r\n\r\n');
    const closed = once(source, 'close');
    socket.destroy();
    await closed;
    assert.equal((await line(({ msg }) => msg === 'request'))['status'], 499);
  });

  it('that fails is cut off, so that the client cannot take it for whole', async (t) => {
    const { port, scorer, line } = await start(t);
    const source = new PassThrough();
    scorer.outcome = () => streamed(source);
    const socket = await open(port);
    const answer = until(socket, 'part').then(async (text) => {
      source.destroy(new ServerError('worker_lost', 'the worker died'));
      await once(socket, 'close');
      return text;
    });
    socket.on('error', () => undefined);
    socket.write(GET);
    source.write('part');
    assert.doesNotMatch(await answer, /\r\n0\r\n\r\n/);
    assert.equal((await line(({ msg }) => msg === 'request'))['status'], 503);
    assert.equal((await line(({ code }) => code === 'worker_lost')).level, 'error');
  });

  it('that is destroyed without a reason is cut off too', async (t) => {
    const { port, scorer } = await start(t);
    const source = new PassThrough();
    scorer.outcome = () => streamed(source);
    const socket = await open(port);
    socket.on('error', () => undefined);
    socket.write(GET);
    await until(socket, '\r\n\r\n');
    const closed = once(socket, 'close');
    source.destroy();
    await closed;
  });

  it('is not started when there is no room for a body', async (t) => {
    const { port, scorer } = await start(t);
    scorer.served = { ...served, rawHttp: true };
    const sources = [new PassThrough(), new PassThrough()];
    scorer.outcome = (request) =>
      streamed(request.method === 'HEAD' ? sources[0]! : sources[1]!, { status: request.method === 'HEAD' ? 200 : 204 });
    for (const method of ['HEAD', 'GET']) {
      const { body } = parse(await raw(port, `${method} /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
      assert.equal(body, '');
    }
    assert.ok(sources.every((source) => source.destroyed));
  });

  it('ends the connection of an HTTP/1.0 client with the body', async (t) => {
    const { port, scorer } = await start(t);
    scorer.outcome = () => streamed(Readable.from(['a', 'b']));
    assert.equal(parse(await raw(port, 'GET /score HTTP/1.0\r\n\r\n')).body, 'ab');
  });
});
