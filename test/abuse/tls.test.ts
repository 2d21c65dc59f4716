import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import test, { describe } from 'node:test';
import { connect } from 'node:tls';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { makePair, type TlsPair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';

const home = folder();
const ec = makePair(home, 'ec');
const rsa = makePair(home, 'rsa', { kind: 'rsa' });

interface Attacked {
  readonly server: ServerProcess;
  readonly port: number;
  readonly health: number;
  /** Megabytes that the host has taken since the start. */
  readonly grown: () => number;
}

async function attacked({ certificate, key }: TlsPair, run: (parts: Attacked) => Promise<void>, prelude?: string): Promise<void> {
  const env = { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key, HEALTH_PORT: '0', ACCESS_LOG: 'false' };
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const [port = 0, health = 0] = (await server.said('listening'))['ports'] as number[];
      const rss = (): number => (noProc ? 0 : memory(server.pid));
      await handshake(port);
      const before = rss();
      await run({ server, port, health, grown: () => rss() - before });
      await handshake(port);
      assert.equal(server.child.exitCode, null);
      assert.deepEqual(
        server.lines.filter(({ level }) => level === 'error' || level === 'fatal'),
        [],
      );
    },
    { env, ...(prelude !== undefined && { prelude }) },
  );
}

/** A whole handshake. */
function handshake(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

/** A connection, and a promise of its end. */
function open(port: number, bytes: Buffer): { readonly socket: Socket; readonly closed: Promise<unknown> } {
  const socket = connectTcp(port, '127.0.0.1')
    .on('error', () => undefined)
    .resume();
  socket.write(bytes);
  return { socket, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

/** The first message of a client of TLS. */
async function hello(): Promise<Buffer> {
  const { Duplex } = await import('node:stream');
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (bytes: Buffer) => resolve(bytes) });
    connect({ socket: wire, rejectUnauthorized: false }).on('error', () => undefined);
  });
}

describe('a server with TLS', () => {
  test('closes a thousand clients that do not finish their handshake, and serves others meanwhile', async () => {
    const first = await hello();
    await attacked(ec, async ({ port, grown }) => {
      const kinds = [Buffer.alloc(0), first.subarray(0, 3), first.subarray(0, first.length - 1), first];
      const clients = Array.from({ length: 1000 }, (_, at) => open(port, kinds[at % kinds.length]!));
      const slow = setInterval(() => {
        for (const { socket } of clients.slice(0, 100)) if (!socket.destroyed) socket.write(Buffer.of(0x16));
      }, 1000);
      await handshake(port);
      assert.ok(grown() < 100, `${grown()} MB`);
      await Promise.all(clients.map(({ closed }) => closed));
      clearInterval(slow);
    });
  });

  test('keeps its limit of connections before the handshake, and is free again after', () =>
    attacked(
      ec,
      async ({ port }) => {
        const clients = Array.from({ length: 400 }, () => open(port, Buffer.alloc(0)));
        // 300 files less 48, half of them for this port.
        await until(() => clients.filter(({ socket }) => !socket.destroyed).length <= 126);
        for (const { socket } of clients) socket.destroy();
        await until(() =>
          handshake(port).then(
            () => true,
            () => false,
          ),
        );
      },
      'ulimit -n 300',
    ));

  for (const [kind, pair] of [
    ['RSA', rsa],
    ['ECDSA', ec],
  ] as const)
    test(`takes thousands of new connections, and keeps no memory of them: ${kind}`, () =>
      attacked(pair, async ({ port, health, grown }) => {
        let left = 3000;
        const client = async (): Promise<void> => {
          for (; left > 0; left--) await handshake(port);
        };
        const probes = async (): Promise<void> => {
          for (; left > 0;) assert.equal((await fetch(`http://127.0.0.1:${health}/readyz`)).status, 200);
        };
        await Promise.all([...Array.from({ length: 100 }, client), probes()]);
        assert.ok(grown() < 150, `${grown()} MB`);
      }));

  test('costs garbage nothing but its connection', () =>
    attacked(ec, async ({ port, grown }) => {
      const garbage = [
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.from([0x16, 3, 1, 0xff, 0xff]),
        Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(0x4000, 1)]),
        Buffer.alloc(100_000, 0x17),
        readFileSync(process.execPath).subarray(0, 50_000),
      ];
      for (let round = 0; round < 40; round++) await Promise.all(garbage.map((bytes) => open(port, bytes).closed));
      assert.ok(grown() < 100, `${grown()} MB`);
    }));
});
