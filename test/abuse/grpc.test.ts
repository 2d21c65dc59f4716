import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../e2e/free-port.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { write } from '../grpc/client.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { CHECK, framed, INFER, MODEL_READY, open, RawCall, withSession } from '../grpc/raw.ts';

const MB = 1024 * 1024;
/** Two bytes each: a field that nobody knows. */
const tinyFields = (bytes: number): Buffer => Buffer.alloc(bytes, Buffer.of(0x78, 1));
/**
 * The longest time in which a probe of a server with a busy client is answered here, on slow
 * machines too; it was 17 s.
 */
const LONGEST_PROBE_MS = 8000;

interface Subject {
  readonly server: ServerProcess;
  readonly port: number;
  /** Megabytes. */
  readonly rss: () => number;
  /** Asks a probe until it is stopped, and then tells the longest time of an answer. */
  readonly probing: () => () => Promise<number>;
}

async function serving(attack: (subject: Subject) => Promise<void>, env: Record<string, string> = {}): Promise<void> {
  const port = await freePort();
  const use = async (server: ServerProcess): Promise<void> => {
    await server.ready();
    await server.said('listening for gRPC');
    const live = await server.url('/health/live');
    await attack({
      server,
      port,
      rss: () => memory(server.pid),
      probing: () => askUntilStopped(live),
    });
    await isWell(server, port);
  };
  await withServer(['--entry-script', 'tensors.ts', '--grpc-port', String(port)], use, { env });
}

/** Asks until it is stopped, and then tells the longest time of an answer. */
function askUntilStopped(url: string): () => Promise<number> {
  const stop = new AbortController();
  const ask = async (): Promise<number> => {
    for (let longest = 0; ;) {
      const from = performance.now();
      assert.equal((await fetch(url)).status, 200);
      longest = Math.max(longest, performance.now() - from);
      if (stop.signal.aborted) return longest;
      await delay(20);
    }
  };
  const asking = ask();
  // Told to whoever stops it; a test that has failed before does not.
  asking.catch(() => undefined);
  return () => {
    stop.abort();
    return asking;
  };
}

/**
 * The server is alive, answers a gRPC client, and holds nothing; no error of a connection went past
 * its own listeners.
 */
async function isWell(server: ServerProcess, port: number): Promise<void> {
  assert.equal(server.child.exitCode, null);
  assert.deepEqual(server.linesWith('had no listener'), []);
  const x = { name: 'x', datatype: 'FP32', shape: [1], contents: { fp32_contents: [1] } };
  const question = write('ModelInferRequest', { model_name: 'tensors', inputs: [x] });
  await withSession(port, async (session) => {
    assert.equal((await new RawCall(session, INFER).finish(framed(question))).status, status.OK);
  });
  // The server may learn later than a client that its call is over.
  await server.inFlight(0);
  assert.equal(await server.metric('scoring_requests_queued'), 0);
}

test('small methods take no message above 64 KiB, and are quick with the fields of that', { skip: noProc }, () =>
  serving(async ({ port, rss, probing }) => {
    const before = rss();
    const stop = probing();
    await withSession(port, async (session) => {
      for (const path of [CHECK, MODEL_READY]) {
        for (const size of [24 * MB, 60 * MB]) {
          const end = await new RawCall(session, path).finish(framed(tinyFields(size)));
          assert.equal(end.status, status.RESOURCE_EXHAUSTED);
          assert.match(end.text, /must not exceed 65536 bytes/);
        }
        const largest = await Promise.all(
          Array.from({ length: 100 }, () => new RawCall(session, path).finish(framed(tinyFields(64 * 1024)))),
        );
        assert.ok(largest.every((end) => end.status === (path === CHECK ? status.OK : status.NOT_FOUND)));
      }
    });
    const longest = await stop();
    assert.ok(longest < LONGEST_PROBE_MS, `a probe took ${longest} ms`);
    assert.ok(rss() - before < 150, `${before} MB grew to ${rss()}`);
  }),
);

test('a ModelInfer of 24 MB of tiny fields is refused by its worker, which lives on', { skip: noProc }, () =>
  serving(async ({ server, port, probing }) => {
    const stop = probing();
    await withSession(port, async (session) => {
      for (const body of [tinyFields(24 * MB), Buffer.alloc(24 * MB, Buffer.of(42, 0)), Buffer.alloc(24 * MB, 0xff)]) {
        const end = await new RawCall(session, INFER).finish(framed(body));
        assert.equal(end.status, status.INVALID_ARGUMENT, end.text);
      }
    });
    const longest = await stop();
    assert.ok(longest < LONGEST_PROBE_MS, `a probe took ${longest} ms`);
    assert.ok(!server.lines.some(({ msg }) => /worker/.test(msg) && /exit|lost|replac/.test(msg)));
  }),
);

test('uploads that do not end take the room of the queue, and no more memory than that', { skip: noProc }, () =>
  serving(
    async ({ port, rss, probing }) => {
      const before = rss();
      const stop = probing();
      const sessions: ClientHttp2Session[] = [];
      const calls: RawCall[] = [];
      for (let connection = 0; connection < 4; connection++) {
        const session = await open(port);
        sessions.push(session);
        for (let stream = 0; stream < 10; stream++) calls.push(new RawCall(session, INFER));
      }
      const part = Buffer.alloc(MB);
      // 40 MB arrive of the 720 MB that they declare.
      await Promise.all(
        calls.map(async (call) => {
          await call.send(framed(Buffer.alloc(0), { declared: 18 * MB }));
          await call.send(part);
        }),
      );
      const closed = (): RawCall[] => calls.filter((call) => call.stream.closed);
      await until(() => closed().length > 10);
      const ends = await Promise.all(closed().map((call) => call.ended));
      assert.ok(ends.length < 40, `${ends.length} refused`);
      assert.ok(ends.every((end) => end.status === status.RESOURCE_EXHAUSTED));
      assert.equal((await new RawCall(sessions[0]!, CHECK).finish(framed(Buffer.alloc(0)))).status, status.OK);
      assert.ok(rss() - before < 150, `${before} MB grew to ${rss()}`);
      for (const session of sessions) session.destroy();
      await Promise.all(calls.map((call) => call.ended));
      const longest = await stop();
      assert.ok(longest < LONGEST_PROBE_MS, `a probe took ${longest} ms`);
    },
    { QUEUE_MAX_BYTES: String(20 * MB), BODY_LIMIT_BYTES: String(20 * MB) },
  ),
);

test('20,000 calls that are opened and reset leave nothing behind', { skip: noProc }, () =>
  serving(async ({ port, rss, probing }) => {
    const question = framed(write('ModelInferRequest', { model_name: 'tensors', inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }] }));
    const reset = async (calls: number): Promise<void> => {
      for (let left = calls; left > 0;) {
        const session = await open(port);
        // Node ends a connection that resets too many.
        for (let burst = 0; burst < 100 && left > 0 && !session.destroyed && !session.closed; burst++) {
          const opened = Array.from({ length: 100 }, () => new RawCall(session, INFER));
          for (const [index, { stream }] of opened.entries()) {
            if (index % 2 === 0) stream.write(question.subarray(0, 6));
            else stream.end(question);
            stream.close(8);
          }
          left -= opened.length;
          await Promise.all(opened.map((call) => call.ended));
        }
        session.destroy();
      }
    };
    // V8's young generation has grown to its limit by then.
    await reset(30_000);
    const before = rss();
    const stop = probing();
    await reset(20_000);
    const longest = await stop();
    assert.ok(longest < LONGEST_PROBE_MS, `a probe took ${longest} ms`);
    assert.ok(rss() - before < 100, `${before} MB grew to ${rss()}`);
  }),
);

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));
const HELLO = Buffer.concat([PREFACE, SETTINGS]);
const openings: ((index: number) => Buffer)[] = [
  () => randomBytes(1 + Math.floor(Math.random() * 300)),
  () => Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  () => Buffer.from('CONNECT a:1 HTTP/1.1\r\n\r\n'),
  // A ClientHello of TLS, as far as anybody reads.
  () => Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), randomBytes(500)]),
  () => PREFACE.subarray(0, 10),
  () => Buffer.concat([PREFACE, randomBytes(100)]),
  (index) => Buffer.concat([HELLO, frame(index % 12, index % 256, index % 9, randomBytes(index % 64))]),
  () => Buffer.concat([HELLO, frame(7, 0, 0, Buffer.alloc(8))]),
  () => Buffer.concat([HELLO, frame(1, 0, 1, Buffer.of(0x82))]),
  () => Buffer.concat([HELLO, frame(1, 0, 1, Buffer.of(0x82)), ...Array.from({ length: 200 }, () => frame(9, 0, 1, randomBytes(50)))]),
  () => Buffer.concat([HELLO, ...Array.from({ length: 2000 }, () => frame(6, 0, 0, Buffer.alloc(8)))]),
  () => Buffer.concat([HELLO, ...Array.from({ length: 2000 }, () => SETTINGS)]),
  () => Buffer.concat([HELLO, ...Array.from({ length: 2000 }, (_, index) => frame(3, 0, 2 * index + 1, Buffer.alloc(4)))]),
  () => Buffer.alloc(0),
];

test('1,500 connections without gRPC, or with broken gRPC, leave the server as it was', { skip: noProc }, () =>
  serving(async ({ port, probing }) => {
    const stop = probing();
    const connected = async (index: number): Promise<void> => {
      const socket: Socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      const closed = once(socket, 'close');
      await Promise.race([once(socket, 'connect'), closed]).catch(() => undefined);
      socket.write(openings[index % openings.length]!(index));
      // Some are reset, some say goodbye, some wait for the server to end them.
      if (index % 3 === 0) socket.resetAndDestroy();
      else if (index % 3 === 1) socket.end();
      const timer = setTimeout(() => socket.destroy(), 300);
      await closed;
      clearTimeout(timer);
    };
    for (let from = 0; from < 1500; from += 150) await Promise.all(Array.from({ length: 150 }, (_, index) => connected(from + index)));
    const longest = await stop();
    assert.ok(longest < LONGEST_PROBE_MS, `a probe took ${longest} ms`);
  }),
);
