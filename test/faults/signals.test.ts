import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';

const LONG = { DRAIN_DELAY_MS: '30000', DRAIN_TIMEOUT_MS: '60000' };

/** False for what is gone, or waits to be buried. */
function alive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false;
  } catch {
    return false;
  }
}

/** Ends the test by its time limit where one stays. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(alive)) await delay(20);
}

/** Lines of /proc/<pid>/net tell nothing of who listens: the inspector says so on stderr. */
const inspected = (server: ServerProcess): boolean =>
  server.stderr.includes('Debugger listening') || server.lines.some(({ msg }) => msg.includes('Debugger listening'));

test('SIGHUP drains: what is admitted is answered, exit 0', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      const slow = server.score(700);
      await fetch(await server.url('/health/ready'));
      server.child.kill('SIGHUP');
      assert.equal((await slow).status, 200);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
    },
    { env: LONG },
  ));

test('a second signal within 250 ms of the first is the same one, a later one ends the server', () =>
  withServer(
    ['--entry-script', 'sleeps.ts'],
    async (server) => {
      await server.ready();
      const held = server.score(60_000).catch(() => 'reset');
      await fetch(await server.url('/health/live'));
      server.child.kill('SIGTERM');
      server.child.kill('SIGINT');
      await server.said('draining');
      await delay(600);
      assert.equal(server.child.exitCode, null);
      server.child.kill('SIGINT');
      assert.deepEqual(await server.exited, { code: 1, signal: null });
      assert.equal(server.lines.filter(({ msg }) => msg.includes('second signal')).length, 1);
      await held;
    },
    { env: LONG },
  ));

test('SIGUSR1 opens no inspector, neither in the host nor in a worker', () =>
  withServer(['--entry-script', 'echo.ts'], async (server) => {
    await server.ready();
    const { pid } = await server.line(({ msg }) => msg === 'worker ready');
    for (let round = 0; round < 3; round++) {
      server.child.kill('SIGUSR1');
      process.kill(Number(pid), 'SIGUSR1');
      assert.equal((await server.score([round])).status, 200);
      await delay(200);
    }
    assert.ok(!inspected(server));
  }));

test('what a script has started ends with its worker, however that ends', () =>
  withServer(
    ['--entry-script', 'starts-children.ts'],
    async (server) => {
      await server.ready();
      for (const how of ['exit', 'SIGKILL', 'SIGSEGV', 'spin']) {
        const pids = (await (await server.score('pids')).json()) as number[];
        assert.ok(pids.length === 3 && pids.every(alive), how);
        if (how.startsWith('SIG')) process.kill(pids[0] ?? 0, how);
        else await server.score(how);
        await gone(pids);
      }
    },
    { env: { SCORING_TIMEOUT_MS: '2000', CANCEL_GRACE_MS: '100' } },
  ));

for (const how of ['SIGTERM', 'SIGKILL'] as const) {
  test(`what a script has started ends with a server that gets ${how}`, () =>
    withServer(
      ['--entry-script', 'starts-children.ts', '--worker-count', '2'],
      async (server) => {
        await server.ready();
        const pids = (await (await server.score('pids')).json()) as number[];
        server.child.kill(how);
        await server.exited;
        await gone(pids);
      },
      { env: { DRAIN_DELAY_MS: '0' } },
    ));
}

test('a host that is killed takes along what the script of a busy worker has started', () =>
  withServer(['--entry-script', 'starts-children.ts'], async (server) => {
    await server.ready();
    const pids = (await (await server.score('pids')).json()) as number[];
    void server.score('spin').catch(() => undefined);
    await fetch(await server.url('/health/live'));
    server.child.kill('SIGKILL');
    await server.exited;
    await gone(pids);
  }));

test('the log of a start says when a drain is shorter than the deadline of a request', async () => {
  await withServer(['--entry-script', 'echo.ts'], async (server) => {
    const line = await server.said('a drain is shorter than the deadline');
    assert.deepEqual([line['drainTimeoutMs'], line['scoringTimeoutMs']], [8000, 60_000]);
  });
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      assert.ok(!server.lines.some(({ msg }) => msg.includes('a drain is shorter')));
    },
    { env: { SCORING_TIMEOUT_MS: '5000' } },
  );
});
