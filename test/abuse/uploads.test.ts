import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { noCgroup, withMemory } from '../e2e/memory-cgroup.ts';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { parse, rest } from '../http/raw-client.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';

const MB = 1024 * 1024;
/** Of a probe beside an upload, on a slow machine that others use, too. */
const LONGEST_PROBE_MS = 8000;
const LARGEST_REST_MB = 60;

async function open(server: ServerProcess): Promise<Socket> {
  const socket = connect(await server.port(), '127.0.0.1');
  // A refused upload may end with a reset.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const head = (...headers: string[]): string => `POST /score HTTP/1.1\r\nHost: x\r\n${headers.map((text) => `${text}\r\n`).join('')}\r\n`;

/** Resolves when there is room for more, or the server takes no more. */
function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.write(bytes) || socket.destroyed) return resolve();
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

const rss = (server: ServerProcess): number => memory(server.pid);

const probe = async (server: ServerProcess): Promise<number> => {
  const began = performance.now();
  assert.equal(await server.status('/health/live'), 200);
  return performance.now() - began;
};

test('1.2 million chunks of one byte are one body, in a container of 256 MiB, and probes are answered meanwhile', { skip: noCgroup }, () =>
  withMemory(256 * MB, (prelude) =>
    withServer(
      ['--entry-script', 'counts-bytes.ts'],
      async (server) => {
        await server.ready();
        const socket = await open(server);
        const answer = rest(socket);
        socket.write(head('Transfer-Encoding: chunked', 'Connection: close', 'Content-Type: application/octet-stream'));
        const many = Buffer.from('1\r\nA\r\n'.repeat(12_000));
        const waits: number[] = [];
        for (let sent = 0; sent < 100; sent++) {
          await send(socket, many);
          if (sent % 10 === 0) waits.push(await probe(server));
        }
        socket.write('0\r\n\r\n');
        const { status, body } = parse(await answer);
        assert.deepEqual([status, body], [200, '{"bytes":1200000}']);
        assert.ok(Math.max(...waits) < LONGEST_PROBE_MS, `a probe waited ${Math.max(...waits).toFixed(0)} ms`);
      },
      { prelude },
    ),
  ),
);

test('a body that comes in segments of one byte is one body, compressed or not', { skip: noProc }, () =>
  withServer(['--entry-script', 'counts-bytes.ts'], async (server) => {
    await server.ready();
    const text = Buffer.from(Array.from({ length: 3000 }, (_, at) => String(at * 7919)).join(''));
    for (const [body, encoding] of [
      [text.subarray(0, 5000), 'identity'],
      [gzipSync(text), 'gzip'],
    ] as const) {
      const socket = await open(server);
      socket.setNoDelay(true);
      const answer = rest(socket);
      socket.write(
        head(
          `Content-Length: ${body.length}`,
          `Content-Encoding: ${encoding}`,
          'Content-Type: application/octet-stream',
          'Connection: close',
        ),
      );
      for (const byte of body) {
        await send(socket, Uint8Array.of(byte));
        if (byte % 8 === 0) await delay(0);
      }
      const { status, body: said } = parse(await answer);
      assert.deepEqual([status, said], [200, JSON.stringify({ bytes: encoding === 'gzip' ? text.length : body.length })]);
    }
  }),
);

test('compressed bodies in chunks of one byte take no more memory than others', { skip: noProc }, () =>
  withServer(['--entry-script', 'counts-bytes.ts'], async (server) => {
    await server.ready();
    const zip = gzipSync(Buffer.alloc(60_000, 7), { level: 0 });
    const chunks = Buffer.concat([...zip].map((byte) => Buffer.of(0x31, 13, 10, byte, 13, 10)));
    const before = rss(server);
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const socket = await open(server);
        const answer = rest(socket);
        const type = 'Content-Type: application/octet-stream';
        socket.write(head('Transfer-Encoding: chunked', 'Content-Encoding: gzip', type, 'Connection: close'));
        socket.write(chunks);
        socket.write('0\r\n\r\n');
        const { status, body } = parse(await answer);
        assert.deepEqual([status, body], [200, '{"bytes":60000}']);
      }),
    );
    assert.ok(rss(server) - before < 200, `${(rss(server) - before).toFixed(0)} MB`);
  }),
);

test('uploads that declare all the room take none of it until their bytes come', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const uploads = await Promise.all(Array.from({ length: 20 }, () => open(server)));
      for (const socket of uploads) socket.write(`${head('Content-Length: 100000000')}x`);
      await probe(server);
      for (let score = 0; score < 20; score++) assert.equal((await server.score({ a: score })).status, 200);
      for (const socket of uploads) socket.destroy();
    },
    { env: { QUEUE_MAX_BYTES: '200000000' } },
  ));

test('large uploads end each other with 429, never small bodies, and leave nothing behind', { skip: noProc }, () =>
  withServer(
    ['--entry-script', 'counts-bytes.ts'],
    async (server) => {
      await server.ready();
      const before = rss(server);
      const piece = Buffer.alloc(256 * 1024, 0x20);
      const uploads = await Promise.all(Array.from({ length: 8 }, () => open(server)));
      const answers = uploads.map((socket) => rest(socket).catch(() => ''));
      for (const socket of uploads) socket.write(head('Content-Length: 12000000', 'Connection: close'));
      // 64 MB in all, of which none is whole; 24 MB fit.
      for (let round = 0; round < 32; round++)
        await Promise.all(uploads.filter((socket) => socket.writable).map((socket) => send(socket, piece)));
      for (let score = 0; score < 20; score++) assert.equal((await server.score({ a: score })).status, 200);
      assert.ok(rss(server) - before < 150, `${(rss(server) - before).toFixed(0)} MB are held`);
      // Those that found room are answered when they are whole.
      for (const socket of uploads) if (socket.writable) socket.write(Buffer.alloc(12_000_000 - 32 * piece.length, 0x20));
      const statuses = (await Promise.all(answers)).filter((answer) => answer !== '').map((answer) => parse(answer).status);
      assert.ok(statuses.includes(429) && statuses.includes(200), statuses.join(' '));
      assert.deepEqual(
        statuses.filter((status) => status !== 429 && status !== 200),
        [],
      );
      assert.equal((await server.score(' '.repeat(1_000_000))).status, 200);
    },
    { env: { QUEUE_MAX_BYTES: String(32 * MB), BODY_LIMIT_BYTES: '12000000' } },
  ),
);

test('the memory of uploads goes back to the system', { skip: noProc }, () =>
  withServer(['--entry-script', 'counts-bytes.ts'], async (server) => {
    await server.ready();
    const piece = Buffer.alloc(MB, 1);
    const upload = async (bytes: number): Promise<void> => {
      const socket = await open(server);
      const answer = rest(socket);
      socket.write(head(`Content-Length: ${bytes}`, 'Content-Type: application/octet-stream', 'Connection: close'));
      for (let left = bytes; left > 0; left -= MB) await send(socket, piece.subarray(0, left));
      assert.equal(parse(await answer).status, 200);
    };
    for (let warm = 0; warm < 20; warm++) await upload(1000);
    const before = rss(server);
    for (let round = 0; round < 8; round++) await upload(99_000_000);
    await until(() => rss(server) - before <= LARGEST_REST_MB);
  }),
);
