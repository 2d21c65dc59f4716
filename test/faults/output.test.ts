import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type TestContext } from 'node:test';
import { freePort } from '../e2e/free-port.ts';
import { ServerProcess, withServer, type StartOptions } from '../e2e/start-server.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';

/**
 * Longest time in which the host's event loop may answer nobody, on a slow machine that others use,
 * too. It was 3.5 s.
 */
const LONGEST_LAG_S = 2;
/**
 * What output may cost the host, mostly room for garbage; it was 345 MB for 200 MB without a line
 * end.
 */
const LARGEST_COST_MB = 150;
/** Since the last look. */
const LAG = 'nodejs_eventloop_lag_max_seconds';

/** Runs a flood, and asserts that the host stays small and answers meanwhile. */
async function flood(server: ServerProcess, how: string, count: number): Promise<void> {
  await server.ready();
  const { pid } = server;
  assert.equal((await server.score(['none', 0])).status, 200);
  await server.metric(LAG);
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = memory(pid, 'VmRSS');
  const flooded = server.score([how, count]);
  assert.equal(await server.status('/health/live'), 200);
  const answer = await flooded;
  assert.equal(await answer.text(), JSON.stringify(how));
  const lag = await server.metric(LAG);
  assert.ok(lag < LONGEST_LAG_S, `the host answered nobody for ${lag} s`);
  const cost = memory(pid, 'VmHWM') - before;
  assert.ok(cost < LARGEST_COST_MB, `the host took ${cost.toFixed(0)} MB`);
  assert.equal(server.workers.length, 1, 'the worker was replaced');
}

const lost = (reason: string): string => `worker_output_lost_total{reason="${reason}"}`;

for (const [how, megabytes] of [
  ['stdout', 200],
  ['child', 600],
] as const)
  test(
    `${megabytes} MB without a line end from ${how === 'child' ? "a script's child" : 'a script'} are one line of 64 KiB`,
    { skip: noProc },
    () =>
      withServer(['--entry-script', 'floods.ts'], async (server) => {
        await flood(server, how, megabytes);
        const line = await server.line(({ cut }) => cut === true);
        assert.equal(line.msg.length, 64 * 1024);
        await server.said('output of workers is not logged whole');
        await until(async () => (await server.metric(lost('cut'))) === 1);
      }),
  );

for (const how of ['line', 'fields'])
  test(`64 MB in the ${how === 'line' ? 'text' : 'fields'} of one line are cut at 64 KiB`, { skip: noProc }, () =>
    withServer(['--entry-script', 'floods.ts'], async (server) => {
      await flood(server, how, 64);
      const line = await server.line(({ cut }) => cut === true);
      assert.equal(String(how === 'line' ? line.msg : line['fields']).length, 64 * 1024);
      await until(async () => (await server.metric(lost('cut'))) === 1);
    }),
  );

test('a flood of lines from a child is logged whole, and the child waits', { skip: noProc }, () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    const lines = 100_000;
    await flood(server, 'childLines', lines);
    await server.line(({ msg }) => msg === 'the last line');
    assert.equal(server.lines.filter(({ msg }) => msg === 'flood').length, lines);
  }),
);

test('a flood of lines of the console is dropped beyond a bound and counted, and run() goes on', { skip: noProc }, () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    let lines = 0;
    // A host that keeps up drops nothing: a worker on a busy core is slow.
    do {
      await flood(server, 'console', 100_000);
      lines += 100_000;
    } while (lines < 1_000_000 && (await server.metric(lost('dropped'))) === 0);
    // The counts come after the answer. A flood on a slow machine is told in several lines.
    const told = (): number =>
      server.linesWith('output of workers is not logged whole').reduce((sum, line) => sum + Number(line['dropped']), 0);
    const logged = (): number => server.lines.filter(({ msg }) => msg.startsWith('flood ')).length;
    await until(async () => {
      const dropped = await server.metric(lost('dropped'));
      return dropped > 0 && told() === dropped && logged() === lines - dropped;
    });
  }),
);

test('a burst of lines of the console is logged whole', () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    await server.ready();
    assert.equal((await server.score(['console', 5000])).status, 200);
    await server.line(({ msg }) => msg.startsWith('flood 1 '));
    assert.equal(server.lines.filter(({ msg }) => msg.startsWith('flood ')).length, 5000);
  }));

test('a log goes on when its reader comes back, and counts the lines that are lost', { skip: noProc }, () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    await server.ready();
    server.child.stdout!.pause();
    await loseLines(server);
    server.child.stdout!.resume();
    const told = await server.said('lines of the log are dropped');
    assert.ok(Number(told['dropped']) > 0);
    assert.equal((await server.score(['console', 1])).status, 200);
    await server.said('flood 1 ');
    const dropped = await server.metric('log_lines_dropped_total');
    await server.drain();
    const last = server.lines.at(-1);
    assert.match(last?.msg ?? '', /the log ends; not all of its lines were written/);
    assert.equal(last?.['dropped'], dropped);
  }),
);

/** Logs until lines are lost. */
async function loseLines(server: Pick<ServerProcess, 'score' | 'metric'>): Promise<void> {
  // Each round brings at most 4 MiB of lines.
  for (let round = 0; (await server.metric('log_lines_dropped_total')) === 0; round++) {
    assert.ok(round < 20, 'no line is lost');
    assert.equal((await server.score(['console', 20_000])).status, 200);
  }
}

/** A server whose log nobody reads: its port has to be known before. */
class Unread extends ServerProcess {
  readonly #port: number;

  private constructor(port: number, options: StartOptions) {
    super(['--port', String(port), '--entry-script', 'floods.ts'], options);
    this.#port = port;
  }

  /** Resolves when it is ready; it is stopped after the test. */
  static async start(t: TestContext, log: number | 'unread', env: Record<string, string>): Promise<Unread> {
    const server = new Unread(await freePort(), { log, env: { DRAIN_DELAY_MS: '0', ...env } });
    t.after(() => server.stop());
    await until(async () => (await server.status('/health/ready').catch(() => 0)) === 200);
    return server;
  }

  override port(): Promise<number> {
    return Promise.resolve(this.#port);
  }
}

const FORMATS = ['json', 'pretty'];

for (const format of FORMATS)
  test(`a reader that stalls does not stall scoring, nor the end: LOG_FORMAT=${format}`, { skip: noProc }, async (t) => {
    const server = await Unread.start(t, 'unread', { LOG_FORMAT: format });
    await loseLines(server);
    assert.equal((await server.score(['none', 0])).status, 200);
    await server.drain();
  });

test('a second signal ends a server whose log is stalled', { skip: noProc }, async (t) => {
  const server = await Unread.start(t, 'unread', { DRAIN_DELAY_MS: '60000', DRAIN_TIMEOUT_MS: '60000' });
  assert.equal((await server.score(['console', 20_000])).status, 200);
  // Its log does not say when it has begun to drain, and a signal that follows soon counts as the
  // same one.
  while (server.child.exitCode === null && server.child.signalCode === null) {
    server.child.kill('SIGTERM');
    await delay(400);
  }
  assert.deepEqual(await server.exited, { code: 1, signal: null });
});

for (const format of FORMATS)
  test(`a full disk under the log ends nothing: LOG_FORMAT=${format}`, { skip: noProc }, async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const server = await Unread.start(t, full, { LOG_FORMAT: format });
    assert.equal((await server.score(['console', 1000])).status, 200);
    await server.drain();
    assert.match(server.stderr, /lines of the log are dropped/);
  });

for (const format of FORMATS)
  test(`a log whose reader is gone ends nothing: LOG_FORMAT=${format}`, { skip: noProc }, async (t) => {
    const server = await Unread.start(t, 'unread', { LOG_FORMAT: format });
    server.child.stdout!.destroy();
    assert.equal((await server.score(['console', 1000])).status, 200);
    assert.equal((await server.score(['none', 0])).status, 200);
    await server.drain();
  });
