import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect as connectTls, type ConnectionOptions, createServer, type Server } from 'node:tls';
import { type HandshakeFailure, type HandshakeOptions, HandshakeStage } from '../../../server/access/handshakes.ts';
import { folder } from '../../set-up/folder.ts';
import { makePair } from '../../set-up/tls-files.ts';
import { until } from '../../set-up/until.ts';

const { certificate, key } = makePair(folder(), 'server');
/** A first message of the right form. */
const HELLO = Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 9]);

/** The first message of a client of Node. */
function firstMessage(options: ConnectionOptions = {}): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (bytes: Buffer) => resolve(bytes) });
    connectTls({ socket: wire, rejectUnauthorized: false, ...options }).on('error', () => undefined);
  });
}

const record = (content: Buffer): Buffer => Buffer.concat([Buffer.from([0x16, 3, 1, content.length >> 8, content.length & 255]), content]);

/** Holds the event loop, as a signature does. */
function spend(ms: number): void {
  const ends = performance.now() + ms;
  while (performance.now() < ends);
}

interface Staged {
  readonly server: Server;
  readonly stage: HandshakeStage;
  readonly failures: HandshakeFailure[];
  /** A client that is connected, and its end. */
  readonly client: () => Promise<{ readonly socket: Socket; readonly closed: Promise<unknown> }>;
}

/** @param begin in place of Node's own listener */
async function stage(t: TestContext, options: Partial<HandshakeOptions> = {}, begin?: (socket: Socket) => void): Promise<Staged> {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  if (begin !== undefined) server.removeAllListeners('connection').on('connection', begin);
  const failures: HandshakeFailure[] = [];
  const made = new HandshakeStage(server, { failed: (reason) => failures.push(reason), ...options });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    made.closePending();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const client = async (): ReturnType<Staged['client']> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    // A reset is an end, too.
    return { socket, closed: new Promise((resolve) => socket.resume().once('close', resolve)) };
  };
  return { server, stage: made, failures, client };
}

describe('the stage before TLS', () => {
  it('closes clients whose first message does not become whole in time: silent ones, and slow ones', async (t) => {
    const { failures, client } = await stage(t, { limitMs: 300 });
    const silent = await client();
    const part = await client();
    part.socket.write(HELLO.subarray(0, 8));
    const slow = await client();
    const drip = setInterval(() => slow.socket.write(Buffer.of(0x16)), 5);
    t.after(() => clearInterval(drip));
    slow.socket.write(Buffer.from([0x16, 3, 1, 0x40, 0]));
    await Promise.all([silent.closed, part.closed, slow.closed]);
    assert.deepEqual(failures, ['timeout', 'timeout', 'timeout']);
  });

  it('closes clients that close their side first, and counts no failure', async (t) => {
    const { failures, client } = await stage(t);
    for (const bytes of [HELLO.subarray(0, 0), HELLO.subarray(0, 3)]) {
      const { socket, closed } = await client();
      socket.end(bytes);
      await closed;
    }
    assert.deepEqual(failures, []);
  });

  it('begins as many handshakes in a turn of the event loop as its time allows', async (t) => {
    let turn = 0;
    const turns: number[] = [];
    const { client } = await stage(t, {}, () => {
      turns.push(turn);
      spend(3);
    });
    let counting = true;
    const count = (): void => {
      turn++;
      if (counting) setImmediate(count);
    };
    count();
    const clients = await Promise.all(Array.from({ length: 20 }, client));
    for (const { socket } of clients) socket.write(HELLO);
    await until(() => turns.length === 20);
    counting = false;
    assert.equal(new Set(turns).size, 20, `turns: ${turns.join(' ')}`);
    for (const { socket } of clients) socket.destroy();
  });

  it('closes clients beyond those that may wait', async (t) => {
    let begun = 0;
    const { server, failures, client } = await stage(t, { waiting: 2 }, () => {
      begun++;
      spend(5);
    });
    let accepted = 0;
    server.on('connection', () => accepted++);
    const clients = await Promise.all(Array.from({ length: 40 }, client));
    await until(() => accepted === 40);
    for (const { socket } of clients) socket.write(HELLO);
    await until(() => begun + failures.length === 40);
    assert.ok(failures.length > 0);
    assert.ok(failures.every((reason) => reason === 'busy'));
    for (const { socket } of clients) socket.destroy();
  });

  it('ends the connections that have no TLS yet, on request', async (t) => {
    const { stage: made, client } = await stage(t);
    const clients = await Promise.all(Array.from({ length: 3 }, client));
    clients[1]!.socket.write(HELLO.subarray(0, 2));
    await until(async () => {
      made.closePending();
      return clients.every(({ socket }) => socket.destroyed);
    });
  });

  it('begins once a first message in several records is whole, however it is cut', async (t) => {
    const message = (await firstMessage()).subarray(5);
    for (const cuts of [[1], [3, 4, 5], [40, 41], [message.length - 1], Array.from({ length: 200 }, (_, at) => at + 1)]) {
      let begun = 0;
      const { client, failures } = await stage(t, {}, () => begun++);
      const { socket } = await client();
      const records = [0, ...cuts].map((from, at) => record(message.subarray(from, cuts[at])));
      socket.write(Buffer.concat(records.slice(0, -1)));
      const { socket: whole } = await client();
      whole.write(record(message));
      await until(() => begun === 1);
      socket.write(records.at(-1)!);
      await until(() => begun === 2);
      assert.deepEqual(failures, []);
      for (const each of [socket, whole]) each.destroy();
    }
  });

  it('refuses a first message that is too long, and empty records', async (t) => {
    const { client, failures } = await stage(t);
    const long = Buffer.from([1, 0, 0x7f, 0xff, ...Buffer.alloc(8000)]);
    const many = Array.from({ length: 4000 }, () => record(Buffer.of(1)));
    for (const bytes of [[record(long), record(long), record(long)], [record(Buffer.alloc(0))], many]) {
      const { socket, closed } = await client();
      socket.write(Buffer.concat(bytes));
      await closed;
    }
    assert.deepEqual(failures, ['not_tls', 'not_tls', 'not_tls']);
  });

  it('lets eight clients at a time send a second first message, and all others begin', async (t) => {
    let begun = 0;
    const { client, failures } = await stage(t, {}, (socket) => {
      begun++;
      // As TLS does: only a socket that is read reports its end.
      socket.resume();
    });
    const again = await firstMessage({ ecdhCurve: 'P-521:X25519', minVersion: 'TLSv1.3' });
    const clients = await Promise.all(Array.from({ length: 12 }, client));
    for (const { socket } of clients) socket.write(again);
    await until(() => begun === 8 && failures.length === 4);
    assert.deepEqual(new Set(failures), new Set(['busy']));
    const others = [{}, { minVersion: 'TLSv1.3', ecdhCurve: 'P-256' }, { maxVersion: 'TLSv1.2', ecdhCurve: 'P-521:X25519' }] as const;
    for (const options of others) {
      const each = await client();
      clients.push(each);
      each.socket.write(await firstMessage(options));
    }
    await until(() => begun === 11);
    for (const { socket } of clients) socket.destroy();
    await until(async () => {
      const { socket } = await client();
      socket.write(again);
      const before = begun;
      await until(() => begun > before || socket.destroyed);
      socket.destroy();
      return begun > before;
    });
  });

  it('ends no connection on request where Node does not tell whose handshake is done', async (t) => {
    let begun = 0;
    const { server, stage: made, client } = await stage(t, {}, () => begun++);
    const { socket } = await client();
    socket.write(HELLO);
    await until(() => begun === 1);
    server.emit('secureConnection', {});
    made.closePending();
    const { socket: next } = await client();
    next.write(HELLO);
    await until(() => begun === 2);
    assert.equal(socket.destroyed, false);
    for (const each of [socket, next]) each.destroy();
  });

  it('keeps no first message once its connection has begun', async (t) => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    let begun = 0;
    const { client } = await stage(t, {}, (socket) => {
      begun++;
      socket.resume();
    });
    const bytes = (): number => {
      gc();
      return process.memoryUsage().arrayBuffers;
    };
    const message = record(Buffer.from([1, 0, 0x1f, 0xfc, ...Buffer.alloc(0x1ffc)]));
    const clients = await Promise.all(Array.from({ length: 50 }, client));
    const before = bytes();
    for (const { socket } of clients) socket.write(message);
    await until(() => begun === clients.length);
    // Half of what the messages took: Node keeps buffers of its own.
    await until(() => bytes() - before < 50 * 4 * 1024);
    for (const { socket } of clients) socket.destroy();
  });
});
