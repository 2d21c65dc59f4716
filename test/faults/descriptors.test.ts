import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';

const PRELUDE = 'ulimit -n 90';
const UPLOADS = 150;

/** Connections that begin an upload and do not go on with it; those that the server refuses are closed. */
async function uploads(server: ServerProcess, count: number): Promise<Socket[]> {
  const port = Number((await server.line(({ msg }) => msg === 'listening'))['port']);
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[');
  }
  await Promise.all(sockets.map((socket) => (socket.connecting ? Promise.race([once(socket, 'connect'), once(socket, 'close')]) : undefined)));
  return sockets;
}

/** Milliseconds of CPU that a process has used. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const workerOf = async (server: ServerProcess): Promise<number> => Number((await server.line(({ msg }) => msg === 'worker ready'))['pid']);

test('a worker that is lost while every descriptor is used up is replaced when some are free again', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const worker = await workerOf(server);
      const sockets = await uploads(server, UPLOADS);
      process.kill(worker, 'SIGKILL');
      await server.said('a worker ended unexpectedly');
      await delay(500);
      for (const socket of sockets) socket.destroy();
      await server.line(({ msg, pid }) => msg === 'worker ready' && pid !== worker);
      assert.equal((await server.score([1])).status, 200);
      server.child.kill('SIGTERM');
      assert.deepEqual(await server.exited, { code: 0, signal: null });
    },
    { prelude: PRELUDE },
  ));

test('a signal ends a server that has no descriptor left, and no connection that it refuses costs more than itself', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const worker = await workerOf(server);
      const sockets = await uploads(server, UPLOADS);
      process.kill(worker, 'SIGKILL');
      await server.said('a worker ended unexpectedly');
      const before = cpuMs(server.child.pid ?? 0);
      await delay(1500);
      assert.ok(cpuMs(server.child.pid ?? 0) - before < 1000, 'the host spins');
      server.child.kill('SIGTERM');
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      for (const socket of sockets) socket.destroy();
    },
    { prelude: PRELUDE, env: { DRAIN_TIMEOUT_MS: '1500', DRAIN_DELAY_MS: '0' } },
  ));
