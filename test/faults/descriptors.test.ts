import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { until } from '../set-up/until.ts';
import { inHost } from './in-host.ts';

const PRELUDE = 'ulimit -n 90';
const UPLOADS = 150;
const SHORT = { DRAIN_TIMEOUT_MS: '1500', DRAIN_DELAY_MS: '0' };

/**
 * Connections that begin an upload and do not go on with it; those that the server refuses are
 * closed.
 */
async function uploads(server: ServerProcess, count: number): Promise<Socket[]> {
  const port = await server.port();
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[');
  }
  const settled = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.once('connect', resolve).once('close', () => resolve());
      }),
  );
  await Promise.all(settled);
  return sockets;
}

/** Milliseconds of CPU that a process has used. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test('uploads leave the host the descriptors that it needs: a worker that is lost meanwhile is replaced', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const worker = server.workers[0]!;
      const sockets = await uploads(server, UPLOADS);
      process.kill(worker, 'SIGKILL');
      await server.line(() => server.workers.length > 1);
      assert.deepEqual(server.linesWith('EMFILE'), []);
      for (const socket of sockets) socket.destroy();
      // Until the host has seen that they are gone it refuses more.
      await until(async () => (await server.score([1]).catch(() => undefined))?.status === 200);
      await server.drain();
    },
    { prelude: PRELUDE, env: SHORT },
  ));

/** Something else takes every descriptor at one SIGUSR2, and gives them back at the next. */
const TAKES_ALL = `
  const { openSync, closeSync } = await import('node:fs');
  const taken = [];
  process.on('SIGUSR2', () => {
    if (taken.length > 0) return taken.splice(0).forEach((fd) => closeSync(fd));
    try { for (;;) taken.push(openSync('/dev/null')); } catch {}
  });`;

/** A server whose host has no descriptor left when its only worker is lost. */
function withoutDescriptors(env: Record<string, string>, use: (server: ServerProcess) => Promise<void>): Promise<void> {
  return withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      server.child.kill('SIGUSR2');
      process.kill(server.workers[0]!, 'SIGKILL');
      await server.said('EMFILE');
      await use(server);
    },
    { prelude: PRELUDE, env: { ...SHORT, ...inHost(TAKES_ALL), ...env } },
  );
}

test('a worker that is lost while every descriptor is used up is replaced when some are free again', () =>
  withoutDescriptors({ REPLACEMENT_BACKOFF_MS: '500' }, async (server) => {
    const sockets = await uploads(server, UPLOADS);
    const before = cpuMs(server.pid);
    // A host that spins uses all of this time.
    await delay(1500);
    assert.ok(cpuMs(server.pid) - before < 1000, 'the host spins');
    for (const socket of sockets) socket.destroy();
    server.child.kill('SIGUSR2');
    await server.line(() => server.workers.length > 1);
    assert.equal((await server.score([1])).status, 200);
    await server.drain();
  }));

test('a signal ends a server that has no descriptor left', () => withoutDescriptors({}, (server) => server.drain()));

test('a server that has no descriptors for replacements ends', () =>
  withoutDescriptors({ REPLACEMENT_ATTEMPTS: '3' }, async (server) => {
    assert.deepEqual(await server.exited, { code: 3, signal: null });
    await server.said('it was the last (REPLACEMENT_ATTEMPTS)');
  }));
