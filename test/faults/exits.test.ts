import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { hold } from '../e2e/hold.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { inHost } from './in-host.ts';

const SHORT = { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '500', MDC_FLUSH_TIMEOUT_MS: '500' };
/** All limits of the exits below, and a slow machine. */
const LONGEST_MS = 30_000;

/** Ends the server with SIGTERM, and asserts that it drains in time. */
async function drainsInTime(server: ServerProcess): Promise<void> {
  const began = performance.now();
  await server.drain();
  assert.ok(performance.now() - began < LONGEST_MS);
}

/** Shell commands that give the server a mount whose source is gone, in a namespace of its own. */
function goneMount(root: string): string {
  const mount = 'mount --bind "$0/source" "$0/mount" && rmdir "$0/source" && exec "$@"';
  return `exec unshare ${process.getuid?.() === 0 ? '' : '-Ur'} -m sh -c '${mount}' '${root}' "$@"`;
}

/** A folder with `mount`, an empty folder that `goneMount` mounts. */
function mountPoint(): string {
  const root = folder();
  mkdirSync(join(root, 'source'));
  mkdirSync(join(root, 'mount'));
  return root;
}

const gone = mountPoint();
const FOLDERS: readonly (readonly [name: string, env: Record<string, string>, prelude?: string])[] = [
  ['for data, below /proc', { MDC_DIR: '/proc/foo/bar' }],
  ['to spill to, below /proc', { MDC_SPILL_DIR: '/proc/foo' }],
  ['for data and to spill to, below /proc', { MDC_DIR: '/proc/foo', MDC_SPILL_DIR: '/proc/foo' }],
  ['for data, below a mount without a source', { MDC_DIR: join(gone, 'mount/data') }, goneMount(gone)],
  ['to spill to, below a mount without a source', { MDC_SPILL_DIR: join(gone, 'mount') }, goneMount(gone)],
];

/** Seconds of CPU time that the process has taken. */
function cpuSeconds(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').split(' ').slice(12, 14).map(Number);
  return ((user ?? NaN) + (system ?? NaN)) / 100;
}

for (const [name, env, prelude] of FOLDERS) {
  const options = { env: { ...SHORT, MDC_SINK: 'file', MDC_DIR: folder(), ...env }, ...(prelude !== undefined && { prelude }) };

  test(`a folder that can never be made is a line in the log, takes no CPU, and a signal ends the server: ${name}`, () => {
    mkdirSync(join(gone, 'source'), { recursive: true });
    return withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        assert.equal((await server.score([1])).status, 200);
        await server.line(({ msg }) => msg.includes('ENOENT'));
        // A folder to spill to that cannot be used is no place where data waits.
        if (env['MDC_DIR'] !== undefined && env['MDC_SPILL_DIR'] !== undefined) await server.said('it waits in memory');
        const before = cpuSeconds(server.pid);
        await delay(2000);
        assert.ok(cpuSeconds(server.pid) - before < 1, 'the process does not wait, it spins');
        await drainsInTime(server);
        await server.said('data collection ends');
      },
      options,
    );
  });

  test(`nor does a reader of the log that has stalled keep it: ${name}`, () => {
    mkdirSync(join(gone, 'source'), { recursive: true });
    return withServer(
      ['--entry-script', 'floods.ts'],
      async (server) => {
        await server.ready();
        server.child.stdout!.pause();
        try {
          // More than the pipe takes.
          assert.equal((await server.score(['console', 20_000])).status, 200);
          const exited = once(server.child, 'exit');
          const began = performance.now();
          server.child.kill('SIGTERM');
          assert.deepEqual(await exited, [0, null]);
          assert.ok(performance.now() - began < LONGEST_MS);
        } finally {
          server.child.stdout!.destroy();
        }
      },
      options,
    );
  });
}

/**
 * The writer's thread reads who owns what it finds in its folder: a FIFO there holds it inside a
 * read for ever.
 */
function stuckWriter(): Record<string, string> {
  const root = folder();
  mkdirSync(join(root, 'spill/left-by-another'), { recursive: true });
  execFileSync('mkfifo', [join(root, 'spill/left-by-another/owner.json')]);
  return { ...SHORT, MDC_SINK: 'file', MDC_DIR: join(root, 'data'), MDC_SPILL_DIR: join(root, 'spill') };
}

test('a thread that is stuck in a file system delays no exit and changes no exit code, and the log has the account', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      assert.equal((await server.score([1])).status, 200);
      await drainsInTime(server);
      for (const text of ['does not end: its folder', 'not all of it was delivered', 'drained', 'the process ends without it'])
        await server.said(text);
    },
    { env: stuckWriter() },
  ));

test('a second signal does not wait for a thread that is stuck', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      server.child.kill('SIGTERM');
      await server.said('draining');
      // Within 250 ms of the first it would count as the same signal.
      await delay(400);
      server.child.kill('SIGTERM');
      const began = performance.now();
      assert.deepEqual(await server.exited, { code: 1, signal: null });
      assert.ok(performance.now() - began < LONGEST_MS);
    },
    { env: { ...stuckWriter(), DRAIN_DELAY_MS: '90000', DRAIN_TIMEOUT_MS: '90000' } },
  ));

test('a file system call of the host that never returns does not delay the exit', () => {
  const fifo = join(folder(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  return withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      await server.drain();
    },
    { env: { ...SHORT, ...inHost(`const { open } = await import('node:fs');\nopen(${JSON.stringify(fifo)}, () => undefined);`) } },
  );
});

test('a main thread that is stuck during the exit is ended by another', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      server.child.kill('SIGTERM');
      const began = performance.now();
      assert.equal((await server.exited).signal, 'SIGKILL');
      assert.ok(performance.now() - began < 2 * LONGEST_MS);
    },
    { env: { ...SHORT, ...inHost(`process.on('SIGTERM', () => setImmediate(() => { for (;;); }));`) } },
  ));

/** As where a container may have no more processes and threads (`pids.max`). */
const NO_THREADS = `
  const threads = (await import('node:worker_threads')).default;
  const { syncBuiltinESMExports } = await import('node:module');
  process.on('SIGUSR2', () => {
    threads.Worker = class {
      constructor() {
        throw Object.assign(new Error('Worker initialization failure: EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
      }
    };
    syncBuiltinESMExports();
  });`;

test('a server that gets no more threads drains', () =>
  withServer(
    ['--entry-script', 'held.ts'],
    async (server) => {
      await server.ready();
      server.child.kill('SIGUSR2');
      const slow = await hold(server);
      server.child.kill('SIGTERM');
      await server.said('draining');
      slow.release();
      assert.equal((await slow.answer).status, 200);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
    },
    { env: { ...SHORT, DRAIN_TIMEOUT_MS: '60000', ...inHost(NO_THREADS) } },
  ));

test('threads of collected data and telemetry that cannot be started again lose only their own data', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      server.child.kill('SIGUSR2');
      await server.said('the writer of collected data is gone, and is started anew: Error: Worker initialization failure');
      await server.said('the thread of telemetry failed');
      assert.equal((await server.score([1])).status, 200);
      await server.drain();
    },
    {
      env: {
        ...SHORT,
        MDC_SINK: 'stdout',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        // The threads that were there end, so that they are started anew.
        ...inHost(`${NO_THREADS}
          const started = [];
          const { Worker } = threads;
          threads.Worker = class extends Worker {
            constructor(...of) { super(...of); started.push(this); }
          };
          syncBuiltinESMExports();
          process.on('SIGUSR2', () => started.forEach((thread) => void thread.terminate()));`),
      },
    },
  ));

test('a sink that takes connections and never answers costs no more than its limit', async () => {
  const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  try {
    await withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        await server.score([1]);
        await drainsInTime(server);
      },
      {
        env: {
          ...SHORT,
          MDC_SINK: 'http',
          MDC_HTTP_URL: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        },
      },
    );
  } finally {
    silent.close();
  }
});

test('a worker that is stopped (SIGSTOP) does not delay a drain', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      process.kill(server.workers[0]!, 'SIGSTOP');
      const waits = server.score([1]);
      await server.inFlight(1);
      server.child.kill('SIGTERM');
      assert.equal((await waits).status, 503);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
    },
    { env: SHORT },
  ));

test('an error of a connection without a listener is a line in the log and a count, and ends nothing', () =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const line = await server.said('had no listener');
      assert.deepEqual([line['level'], line['code']], ['warn', 'ECONNRESET']);
      assert.match(JSON.stringify(line['err']), /at .*fault\.mjs/);
      assert.equal((await server.score([1])).status, 200);
      await until(async () => (await server.metric('server_stray_errors_total{code="ECONNRESET"}')) === 2);
      await server.drain();
    },
    {
      env: inHost(`const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        setTimeout(() => { setTimeout(() => { throw reset(); }); void Promise.reject(reset()); }, 500);`),
    },
  ));

for (const [what, code] of [
  ['an exception', `setTimeout(() => { throw new TypeError('a fault of the server') });`],
  ['a rejection', `void Promise.reject(new TypeError('a fault of the server'));`],
] as const) {
  test(`${what} that nobody catches ends the server with 1, after waiting requests are answered`, () =>
    withServer(
      ['--entry-script', 'held.ts'],
      async (server) => {
        await server.ready();
        const slow = await hold(server);
        server.child.kill('SIGUSR2');
        const answer = await slow.answer;
        assert.deepEqual([answer.status, answer.headers.get('connection')], [503, 'close']);
        assert.deepEqual(await server.exited, { code: 1, signal: null });
        await server.said('a fault of the server');
      },
      { env: { ...SHORT, ...inHost(`process.on('SIGUSR2', () => { ${code} });`) } },
    ));
}
