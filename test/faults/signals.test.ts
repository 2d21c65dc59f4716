import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { hold } from '../e2e/hold.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { alive } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';

const LONG = { DRAIN_DELAY_MS: '30000', DRAIN_TIMEOUT_MS: '60000' };

const gone = (pids: readonly number[]): Promise<void> => until(() => !pids.some(alive));

const pidsOf = async (server: ServerProcess): Promise<number[]> => (await (await server.score('pids')).json()) as number[];

/** Lines of /proc/<pid>/net tell nothing of who listens: the inspector says so on stderr. */
const inspected = (server: ServerProcess): boolean =>
  server.stderr.includes('Debugger listening') || server.lines.some(({ msg }) => msg.includes('Debugger listening'));

test('SIGHUP drains: admitted requests are answered, exit 0', () =>
  withServer(
    ['--entry-script', 'held.ts'],
    async (server) => {
      await server.ready();
      const slow = await hold(server);
      server.child.kill('SIGHUP');
      await server.said('draining');
      slow.release();
      assert.equal((await slow.answer).status, 200);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
    },
    { env: LONG },
  ));

test('a second signal within 250 ms of the first is the same one, a later one ends the server', () =>
  withServer(
    ['--entry-script', 'held.ts'],
    async (server) => {
      await server.ready();
      const { answer } = await hold(server);
      // A process that is stopped gets both at once when it goes on.
      for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGINT', 'SIGCONT'] as const) server.child.kill(signal);
      await server.said('draining');
      await delay(600);
      assert.equal(server.child.exitCode, null);
      server.child.kill('SIGINT');
      assert.deepEqual(await server.exited, { code: 1, signal: null });
      assert.equal(server.linesWith('second signal').length, 1);
      await answer.catch(() => 'reset');
    },
    { env: LONG },
  ));

test('SIGUSR1 opens no inspector, neither in the host nor in a worker', () =>
  withServer(['--entry-script', 'echo.ts'], async (server) => {
    await server.ready();
    const worker = server.workers[0]!;
    for (let round = 0; round < 3; round++) {
      server.child.kill('SIGUSR1');
      process.kill(worker, 'SIGUSR1');
      assert.equal((await server.score([round])).status, 200);
      // An inspector would say so meanwhile.
      await delay(200);
    }
    assert.ok(!inspected(server));
  }));

for (const ways of [['exit', 'SIGKILL', 'SIGSEGV'], ['spin']])
  test(`children of a script end with its worker, however that ends: ${ways.join()}`, () =>
    withServer(
      ['--entry-script', 'starts-children.ts'],
      async (server) => {
        await server.ready();
        for (const how of ways) {
          const pids = await pidsOf(server);
          assert.ok(pids.length === 3 && pids.every(alive), how);
          if (how.startsWith('SIG')) process.kill(pids[0]!, how);
          else await server.score(how);
          await gone(pids);
        }
      },
      // A run that spins is the only one that has a deadline to miss.
      { env: ways.includes('spin') ? { SCORING_TIMEOUT_MS: '3000', CANCEL_GRACE_MS: '100' } : {} },
    ));

for (const how of ['SIGTERM', 'SIGKILL'] as const) {
  test(`children of a script end with a server that gets ${how}`, () =>
    withServer(
      ['--entry-script', 'starts-children.ts', '--worker-count', '2'],
      async (server) => {
        await server.ready();
        const pids = await pidsOf(server);
        server.child.kill(how);
        await server.exited;
        await gone(pids);
      },
      { env: { DRAIN_DELAY_MS: '0' } },
    ));
}

test('children of the script of a busy worker end with a host that is killed', () =>
  withServer(['--entry-script', 'starts-children.ts'], async (server) => {
    await server.ready();
    const pids = await pidsOf(server);
    const lost = server.score('spin').catch(() => undefined);
    await server.inFlight(1);
    await server.stop();
    await gone(pids);
    await lost;
  }));

test('the log of a start reports a drain that is shorter than the deadline of a request', async () => {
  await withServer(['--entry-script', 'echo.ts'], async (server) => {
    const line = await server.said('a drain is shorter than the deadline');
    assert.deepEqual([line['drainTimeoutMs'], line['scoringTimeoutMs']], [8000, 60_000]);
  });
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      assert.deepEqual(server.linesWith('a drain is shorter'), []);
    },
    { env: { SCORING_TIMEOUT_MS: '5000' } },
  );
});
