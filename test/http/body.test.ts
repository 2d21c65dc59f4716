import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { ServerError } from '../../server/errors.ts';
import { open, parse, raw, rest, until } from './raw-client.ts';
import { start } from './start.ts';

const TEXT = '{"data": [1, 2, 3]}';

/** Posts bytes and answers the status and the parsed body. */
function post(port: number, headers: Record<string, string | number>, body: Buffer): Promise<{ status: number; message: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/score', headers }, (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        const { message = '' } = JSON.parse(Buffer.concat(pieces).toString()) as { message?: string };
        resolve({ status: response.statusCode ?? 0, message });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('an encoded body', () => {
  const encodings = {
    gzip: gzipSync(TEXT),
    'X-GZIP': gzipSync(TEXT),
    deflate: deflateSync(TEXT),
    Deflate: deflateRawSync(TEXT),
    identity: Buffer.from(TEXT),
  };
  for (const [encoding, bytes] of Object.entries(encodings)) {
    it(`in ${encoding} is inflated`, async (t) => {
      const { port, scorer } = await start(t);
      assert.equal((await post(port, { 'Content-Encoding': encoding, 'Content-Length': bytes.length }, bytes)).status, 200);
      assert.equal((await post(port, { 'Content-Encoding': encoding, 'Transfer-Encoding': 'chunked' }, bytes)).status, 200);
      for (const request of scorer.requests) {
        assert.equal(Buffer.concat([...request.body]).toString(), TEXT);
        assert.equal(request.bodyBytes, TEXT.length);
      }
      assert.equal(scorer.reserved, 0);
    });
  }

  it('that is corrupt or cut short is a 400', async (t) => {
    const { port, scorer } = await start(t);
    for (const [encoding, bytes] of [
      ['gzip', Buffer.from('nonsense')],
      ['gzip', gzipSync(TEXT).subarray(0, 20)],
      ['deflate', Buffer.from('\x78nonsense')],
      ['deflate', Buffer.from('nonsense')],
    ] as const) {
      const answer = await post(port, { 'Content-Encoding': encoding, 'Content-Length': bytes.length }, bytes);
      assert.deepEqual(answer, { status: 400, message: `The request body is not valid ${encoding}` });
    }
    assert.equal(scorer.reserved, 0);
    assert.equal(scorer.requests.length, 0);
  });

  it('stops to be inflated at the limit', async (t) => {
    const { port, scorer } = await start(t, { bodyLimitBytes: 100_000 });
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const answer = await post(port, { 'Content-Encoding': 'gzip', 'Content-Length': bomb.length }, bomb);
    assert.deepEqual(answer, { status: 413, message: 'The request body must not exceed 100000 bytes' });
    const grown = scorer.calls.filter((call) => call.startsWith('grow')).map((call) => Number(call.split(' ')[1]));
    assert.ok(grown.reduce((sum, bytes) => sum + bytes, 0) <= 100_000 + bomb.length);
    assert.equal(scorer.reserved, 0);
    assert.equal(scorer.calls.filter((call) => call.startsWith('release')).length, 1);
  });

  it('is refused by name when the encoding is unknown', async (t) => {
    const { port } = await start(t);
    const { status, message } = await post(port, { 'Content-Encoding': 'br' }, Buffer.from('x'));
    assert.deepEqual([status, message], [415, 'Content-Encoding: expected gzip, deflate or identity, got br']);
  });
});

describe('the limit of a body', () => {
  it('counts the last byte, declared or chunked', async (t) => {
    const { port, scorer } = await start(t, { bodyLimitBytes: 10 });
    const chunked = { 'Transfer-Encoding': 'chunked' };
    assert.equal((await post(port, { 'Content-Length': 10 }, Buffer.alloc(10))).status, 200);
    assert.equal((await post(port, chunked, Buffer.alloc(10))).status, 200);
    assert.equal((await post(port, { 'Content-Length': 11 }, Buffer.alloc(11))).status, 413);
    assert.equal((await post(port, chunked, Buffer.alloc(11))).status, 413);
    assert.deepEqual(scorer.calls, ['admit 0', 'grow 10', 'score 10', 'admit 0', 'grow 10', 'score 10', 'admit 0', 'release 0']);
  });

  it('answers a long upload early, without a reset', async (t) => {
    const { port, scorer } = await start(t, { bodyLimitBytes: 1000 });
    assert.equal((await post(port, { 'Content-Length': 20_000_000 }, Buffer.alloc(20_000_000))).status, 413);
    assert.equal((await post(port, { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(20_000_000))).status, 413);
    assert.equal(scorer.reserved, 0);
    const socket = await open(port);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\nabc');
    assert.match(await until(socket, 'bytes"}'), /Connection: close/);
    socket.destroy();
  });
});

describe('admission', () => {
  it('comes before the body is read', async (t) => {
    const { port, scorer } = await start(t);
    scorer.refuseAdmit = new ServerError('queue_full', 'full');
    const socket = await open(port);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n');
    const { status, headers } = parse(await until(socket, 'full"}'));
    assert.equal(status, 429);
    assert.equal(headers['connection'], 'close');
    assert.equal(headers['retry-after'], '1');
    socket.destroy();
    assert.deepEqual(scorer.calls, []);
  });

  it('is released when the upload outgrows the queue', async (t) => {
    const { port, scorer } = await start(t);
    scorer.refuseGrow = new ServerError('queue_full', 'full');
    const { status } = await post(port, { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(10));
    assert.equal(status, 429);
    assert.deepEqual(scorer.calls, ['admit 0', 'release 0']);
  });

  for (const [name, head] of [
    ['declared', 'Content-Length: 1000\r\n\r\nsome bytes'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n3e8\r\nsome bytes'],
    ['compressed', `Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n${gzipSync(TEXT).toString('latin1').slice(0, 20)}`],
  ] as const) {
    it(`is released once when the client leaves while it uploads (${name})`, async (t) => {
      const { port, scorer, line } = await start(t);
      const admitted = scorer.called('admit');
      const released = scorer.called('release');
      const socket = await open(port);
      socket.write(`POST /score HTTP/1.1\r\nHost: x\r\n${head}`, 'latin1');
      await admitted;
      socket.destroy();
      await released;
      const { status, bytesIn, bytesOut } = await line(({ msg }) => msg === 'request');
      assert.deepEqual([status, bytesIn, bytesOut], [499, name === 'compressed' ? bytesIn : 10, 0]);
      assert.equal(scorer.reserved, 0);
      assert.equal(scorer.requests.length, 0);
      assert.equal(scorer.calls.filter((call) => call.startsWith('release')).length, 1);
    });
  }

  for (const [name, limit] of [
    ['above the limit', 1_000_000],
    ['below the limit', 100_000_000],
  ] as const) {
    it(`is released once when the client leaves after its last byte, while the body is inflated (${name})`, async (t) => {
      const { port, scorer, line } = await start(t, { bodyLimitBytes: limit });
      const body = gzipSync(Buffer.alloc(20_000_000));
      const grown = scorer.called('grow');
      const socket = await open(port);
      socket.write(`POST /score HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
      await grown;
      socket.resetAndDestroy();
      await line(({ msg }) => msg === 'request');
      // The inflater has finished its last piece after a few turns of the event loop.
      for (let turn = 0; turn < 50; turn++) await setImmediate();
      assert.equal(scorer.reserved, 0);
      assert.equal(scorer.requests.length, 0);
      assert.equal(scorer.calls.filter((call) => call.startsWith('release')).length, 1);
    });
  }

  it('ends when an upload is too slow, however much of it there is already', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { port, scorer } = await start(t);
    const socket = await open(port);
    const admitted = scorer.called('admit');
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n');
    await admitted;
    const grown = scorer.called('grow');
    socket.write('x'.repeat(30_000));
    await grown;
    t.mock.timers.tick(20_000);
    const more = scorer.called('grow');
    socket.write('x');
    await more;
    t.mock.timers.tick(20_000);
    const { status, body } = parse(await rest(socket));
    assert.equal(status, 408);
    assert.match(body, /expected at least 20 KiB in 20 s/);
    assert.equal(scorer.reserved, 0);
  });

  it('goes on while an upload keeps the least rate, and ends it where it has stopped', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { port, scorer } = await start(t);
    const socket = await open(port);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    await scorer.called('admit');
    for (let window = 0; window < 3; window++) {
      const grown = scorer.called('grow');
      socket.write(`5000\r\n${'x'.repeat(20_480)}\r\n`);
      await grown;
      t.mock.timers.tick(20_000);
    }
    t.mock.timers.tick(20_000);
    assert.equal(parse(await rest(socket)).status, 408);
    assert.equal(scorer.reserved, 0);
  });
});

describe('an upload', () => {
  it('in many pieces arrives whole, in few buffers, and what it holds is reserved', async (t) => {
    const { port, scorer } = await start(t);
    const socket = await open(port);
    socket.setNoDelay(true);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    let grown = scorer.called('grow');
    for (const piece of ['{"a"', ': ']) {
      socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      await grown;
      grown = scorer.called('grow');
    }
    const last = `[${'1,'.repeat(3000)}1]}`;
    for (const byte of last) socket.write(`1\r\n${byte}\r\n`);
    socket.write('0\r\n\r\n');
    assert.equal(parse(await rest(socket)).status, 200);
    assert.equal(scorer.body, `{"a": ${last}`);
    assert.equal(scorer.reserved, 0);
    assert.deepEqual(scorer.calls.slice(0, 3), ['admit 0', 'grow 4', 'grow 4096']);
    const buffers = scorer.requests[0]?.body.length ?? 0;
    assert.ok(buffers <= 4, `${buffers} buffers`);
  });

  it('of 30 MB is reserved as it arrives, and nothing of it twice', async (t) => {
    const { port, scorer } = await start(t);
    assert.equal((await post(port, { 'Content-Length': 30_000_000 }, Buffer.alloc(30_000_000, 1))).status, 200);
    const grown = scorer.calls.filter((call) => call.startsWith('grow')).map((call) => Number(call.split(' ')[1]));
    const sum = grown.reduce((total, bytes) => total + bytes, 0);
    assert.ok(sum >= 30_000_000 && sum < 30_100_000, `${sum} bytes`);
    assert.equal(scorer.reserved, 0);
    assert.equal(Buffer.concat([...(scorer.requests[0]?.body ?? [])]).equals(Buffer.alloc(30_000_000, 1)), true);
  });
});

describe('Expect: 100-continue', () => {
  const head = 'POST /score HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n';

  it('asks for the body once it is admitted', async (t) => {
    const { port, scorer } = await start(t);
    const socket = await open(port);
    socket.write(`${head}Content-Length: 2\r\n\r\n`);
    assert.equal(await until(socket, '\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    assert.deepEqual(scorer.calls, ['admit 0']);
    socket.write('{}');
    assert.match(await until(socket, '{"ok":true}'), /^HTTP\/1\.1 200/);
    socket.destroy();
  });

  it('refuses without asking for it', async (t) => {
    const { port, scorer } = await start(t, { bodyLimitBytes: 10 });
    assert.match(await raw(port, `${head}Content-Length: 11\r\n\r\n`), /^HTTP\/1\.1 413/);
    scorer.refuseAdmit = new ServerError('queue_full', 'full');
    assert.match(await raw(port, `${head}Content-Length: 5\r\n\r\n`), /^HTTP\/1\.1 429/);
  });

  it('of another kind is ignored', async (t) => {
    const { port } = await start(t);
    const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200/);
  });
});
