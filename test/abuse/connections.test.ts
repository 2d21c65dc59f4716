import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { freePort } from '../e2e/free-port.ts';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { PACKETS } from './packets.ts';

/** A server with all its HTTP ports: the main one, that of health, that of metrics. */
async function withPorts(use: (server: ServerProcess, ports: readonly number[]) => Promise<void>): Promise<void> {
  const [health, metrics] = [await freePort(), await freePort()];
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      await use(server, [await server.port(), health, metrics]);
    },
    { env: { SEPERATE_HEALTH_ENDPOINT: 'true', HEALTH_PORT: String(health), METRICS_PORT: String(metrics), ACCESS_LOG: 'false' } },
  );
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined).resume();
  return socket;
}

/**
 * Still serving, nothing is in flight, and no error of a connection went past its own listeners.
 */
async function assertUnhurt(server: ServerProcess, metricsPort: number): Promise<void> {
  assert.equal((await server.score({ a: 1 })).status, 200);
  assert.equal(server.child.exitCode, null);
  assert.deepEqual(server.linesWith('had no listener'), []);
  const gauge = async (): Promise<string | undefined> =>
    /^scoring_requests_in_flight (\d+)$/m.exec(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text())?.[1];
  await until(async () => (await gauge()) === '0');
}

/** Of a request beside an attack, on a slow machine that others use, too. */
const LONGEST_WAIT_MS = 20_000;

test('a packet and a reset end no server, whatever the packet and the port', () =>
  withPorts(async (server, ports) => {
    for (let round = 0; round < 5; round++)
      for (const port of ports)
        for (const packet of PACKETS) {
          const socket = await open(port);
          socket.write(packet, () => socket.resetAndDestroy());
          await once(socket, 'close');
        }
    await assertUnhurt(server, ports[2]!);
  }));

/** A generator of its own, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * Random bytes, half a request, a request with some bytes changed, or several of them one after the
 * other.
 */
function garbage(next: (below: number) => number): Buffer {
  const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => next(256)));
  const packet = Buffer.from(PACKETS[next(PACKETS.length)]!, 'latin1');
  switch (next(4)) {
    case 0:
      return bytes(next(2000));
    case 1:
      return packet.subarray(0, next(packet.length));
    case 2:
      for (let changes = next(8); changes >= 0; changes--) packet[next(packet.length)] = next(256);
      return packet;
    default:
      return Buffer.concat([packet, packet, bytes(next(100)), packet]);
  }
}

test('thousands of connections with random bytes on each port leave the server alive, nothing in flight and no memory taken', () =>
  withPorts(async (server, ports) => {
    const rss = (): number => (noProc ? 0 : memory(server.pid));
    const seed = Math.floor(Math.random() * 2 ** 32);
    const next = random(seed);
    const client = async (port: number, connections: number): Promise<void> => {
      for (let left = connections; left > 0; left--) {
        const socket = await open(port);
        const closed = once(socket, 'close');
        const ending = next(3);
        let timer: NodeJS.Timeout | undefined;
        socket.write(garbage(next), () => {
          if (socket.destroyed) return;
          if (ending === 0) socket.resetAndDestroy();
          else if (ending === 1) socket.destroy();
          else {
            socket.end();
            // Nobody answers half a request.
            timer = setTimeout(() => socket.destroy(), 300);
          }
        });
        await closed;
        clearTimeout(timer);
      }
    };
    const before = rss();
    await Promise.all(ports.flatMap((port) => Array.from({ length: 8 }, () => client(port, 190))));
    await assertUnhurt(server, ports[2]!);
    assert.ok(rss() - before < 150, `${(rss() - before).toFixed(0)} MB, seed ${seed}`);
  }));

test('endless requests ahead of unread answers end with their connection, and delay no other client', () =>
  withPorts(async (server, ports) => {
    const requests = ['/', '/metrics', '/swagger.json', '/score'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(10_000));
    const sockets = await Promise.all(ports.flatMap((port) => requests.map(() => open(port))));
    let waits = 0;
    const left = new Set(sockets);
    for (const [at, socket] of sockets.entries()) {
      socket.pause().on('close', () => left.delete(socket));
      socket.write(requests[at % requests.length]!);
    }
    while (left.size > 0) {
      const began = performance.now();
      assert.equal((await server.score({ a: 1 })).status, 200);
      waits = Math.max(waits, performance.now() - began);
    }
    assert.ok(waits < LONGEST_WAIT_MS, `${waits.toFixed(0)} ms`);
    await assertUnhurt(server, ports[2]!);
  }));
