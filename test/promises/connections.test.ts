import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { percentile } from '../../bench/statistics.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import type { Answered, Asking } from './clients-process.ts';
import type { Ended, IdleMessage, Opened } from './idle-process.ts';
import { CONNECTION_KB, IDLE_CLOSED_MS, IDLE_CONNECTIONS, PROBE_P99_MS, PROBE_RATIO } from './limits.ts';
import type { Probed, Probing } from './prober-process.ts';
import { goFirst, Program } from './program.ts';

/** Half of the connections each: a process of its own descriptors. */
async function openIdle(t: TestContext, port: number, connections: number): Promise<{ programs: Program[]; opened: Opened[] }> {
  const programs = [new Program('idle'), new Program('idle')];
  t.after(() => Promise.all(programs.map((program) => program.stop())));
  const message: IdleMessage = { open: connections / programs.length, port };
  const opened = await Promise.all(programs.map((program) => program.ask<Opened>(message)));
  return { programs, opened };
}

async function endsOf(programs: readonly Program[]): Promise<Ended> {
  const all = await Promise.all(programs.map((program) => program.ask<Ended>({ ended: true } satisfies IdleMessage)));
  const sum = (name: keyof Ended): number => all.reduce((total, ended) => total + ended[name], 0);
  return { closed: sum('closed'), reset: sum('reset'), open: sum('open') };
}

async function probesAndScores(t: TestContext, server: ServerProcess): Promise<{ probe: number; score: number }> {
  const [prober, clients] = [new Program('prober'), new Program('clients')];
  t.after(() => Promise.all([prober.stop(), clients.stop()]));
  goFirst(prober.pid);
  const port = await server.port();
  const { results } = await prober.ask<{ results: Probed[] }>({ ports: [port], ms: 2000 } satisfies Probing);
  assert.deepEqual(results[0]?.wrong, []);
  const answered = await clients.ask<Answered>({ port, ms: 1000, body: '[1]', connections: 2 } satisfies Asking);
  assert.deepEqual(Object.keys(answered.statuses), ['200']);
  return { probe: percentile(results[0]?.times ?? [], 0.99) ?? 0, score: answered.goodP99Ms };
}

test('ten thousand idle connections cost little memory, delay nobody, and end in order with a drain', { skip: noProc }, (t) =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      goFirst(server.pid);
      const without = await probesAndScores(t, server);
      const before = memory(server.pid);
      const { programs, opened } = await openIdle(t, await server.port(), IDLE_CONNECTIONS);
      assert.equal(
        opened.reduce((sum, { answered }) => sum + answered, 0),
        IDLE_CONNECTIONS,
      );
      const kilobytes = ((memory(server.pid) - before) * 1024) / IDLE_CONNECTIONS;
      const beside = await probesAndScores(t, server);
      server.child.kill('SIGTERM');
      const signalled = performance.now();
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      const ms = performance.now() - signalled;
      await until(async () => (await endsOf(programs)).open === 0);
      t.diagnostic(
        `${kilobytes.toFixed(1)} KB a connection; p99 of probes ${without.probe.toFixed(1)} and ${beside.probe.toFixed(1)} ms, ` +
          `of scoring ${without.score.toFixed(1)} and ${beside.score.toFixed(1)} ms; exit ${ms.toFixed(0)} ms after SIGTERM`,
      );
      assert.deepEqual(await endsOf(programs), { closed: IDLE_CONNECTIONS, reset: 0, open: 0 });
      assert.ok(kilobytes < CONNECTION_KB, `${kilobytes.toFixed(1)} KB a connection`);
      assert.ok(ms < IDLE_CLOSED_MS, `the exit took ${ms.toFixed(0)} ms`);
      assert.ok(beside.probe < Math.max(PROBE_P99_MS, PROBE_RATIO * without.probe), `p99 of probes: ${beside.probe.toFixed(1)} ms`);
      assert.ok(beside.score < Math.max(PROBE_P99_MS, PROBE_RATIO * without.score), `p99 of scoring: ${beside.score.toFixed(1)} ms`);
    },
    { env: { ACCESS_LOG: 'false', DRAIN_DELAY_MS: '0', KEEP_ALIVE_TIMEOUT_MS: '600000' } },
  ),
);

test('ten thousand idle connections end in order with their time, and the server serves on', { skip: noProc }, (t) =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const { programs } = await openIdle(t, await server.port(), IDLE_CONNECTIONS);
      await until(async () => (await endsOf(programs)).open === 0);
      assert.deepEqual(await endsOf(programs), { closed: IDLE_CONNECTIONS, reset: 0, open: 0 });
      assert.equal((await server.score([1])).status, 200);
      await server.drain();
    },
    { env: { ACCESS_LOG: 'false', DRAIN_DELAY_MS: '0', KEEP_ALIVE_TIMEOUT_MS: '2000' } },
  ),
);

test('connections beyond the limit are closed without an answer, those below it serve, and a lost worker is replaced', (t) =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      const scores = new Program('clients');
      t.after(() => scores.stop());
      const port = await server.port();
      const scoring = scores.ask<Answered>({ port, ms: 3000, body: '[1]', connections: 2 } satisfies Asking);
      await until(async () => (await server.metric('scoring_requests_total{code="200"}').catch(() => 0)) >= 0);
      const { opened } = await openIdle(t, port, 400);
      const refused = opened.reduce((sum, each) => sum + each.refused, 0);
      t.diagnostic(`${400 - refused} of 400 connections are served`);
      assert.ok(refused >= 400 - (300 - 48) && refused < 200, `${refused} of 400 were refused`);
      process.kill(server.workers[0]!, 'SIGKILL');
      await server.line(() => server.workers.length === 2);
      const { statuses } = await scoring;
      assert.deepEqual(
        Object.keys(statuses).filter((status) => !['200', '503'].includes(status)),
        [],
        JSON.stringify(statuses),
      );
      assert.deepEqual(server.linesWith('EMFILE'), []);
    },
    { prelude: 'ulimit -n 300', env: { ACCESS_LOG: 'false', DRAIN_DELAY_MS: '0' } },
  ));
