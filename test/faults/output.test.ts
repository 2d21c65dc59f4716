import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../e2e/free-port.ts';
import { SCRIPTS, withServer, type ServerProcess } from '../e2e/start-server.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const linux = process.platform === 'linux' ? false : 'needs /proc and /dev/full';
/** Longest time in which the host's event loop may answer nobody, on a machine that others use, too. It was 3.5 s. */
const LONGEST_LAG_S = 0.5;
/** What output may cost the host, mostly room for garbage; it was 345 MB for 200 MB without a line end. */
const LARGEST_COST_MB = 150;
/** Drain, last answers, last flush, and a slow machine. */
const LONGEST_END_MS = 15_000;

function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The value of a metric, read from the host: its own event loop's lag is that since the last scrape. */
async function metric(url: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const value = metrics.split('\n').find((line) => line.startsWith(`${name} `));
  return Number(value?.slice(name.length + 1) ?? 0);
}

/** Runs a flood, and asserts that the host stays small and answers meanwhile. */
async function flood(server: ServerProcess, how: string, count: number): Promise<void> {
  await server.ready();
  const url = await server.url();
  const pid = server.child.pid!;
  assert.equal((await server.score(['none', 0])).status, 200);
  await metric(url, 'nodejs_eventloop_lag_max_seconds');
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = memory(pid, 'VmRSS');
  const flooded = server.score([how, count]);
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
  const answer = await flooded;
  assert.equal(await answer.text(), JSON.stringify(how));
  const lag = await metric(url, 'nodejs_eventloop_lag_max_seconds');
  assert.ok(lag < LONGEST_LAG_S, `the host answered nobody for ${lag} s`);
  const cost = memory(pid, 'VmHWM') - before;
  assert.ok(cost < LARGEST_COST_MB, `the host took ${cost.toFixed(0)} MB`);
  assert.equal(server.lines.filter(({ msg }) => msg === 'worker ready').length, 1, 'the worker was replaced');
}

const lost = (reason: string): string => `worker_output_lost_total{reason="${reason}"}`;

for (const [how, megabytes] of [
  ['stdout', 200],
  ['child', 600],
] as const)
  test(
    `${megabytes} MB without a line end from ${how === 'child' ? "a script's child" : 'a script'} are one line of 64 KiB`,
    { skip: linux },
    () =>
      withServer(['--entry-script', 'floods.ts'], async (server) => {
        await flood(server, how, megabytes);
        const line = await server.line(({ cut }) => cut === true);
        assert.equal(line.msg.length, 64 * 1024);
        await server.said('output of workers is not logged whole');
        assert.equal(await metric(await server.url(), lost('cut')), 1);
      }),
  );

for (const how of ['line', 'fields'])
  test(`64 MB in the ${how === 'line' ? 'text' : 'fields'} of one line are cut at 64 KiB`, { skip: linux }, () =>
    withServer(['--entry-script', 'floods.ts'], async (server) => {
      await flood(server, how, 64);
      const line = await server.line(({ cut }) => cut === true);
      assert.equal(String(how === 'line' ? line.msg : line['fields']).length, 64 * 1024);
      assert.equal(await metric(await server.url(), lost('cut')), 1);
    }),
  );

test('a flood of lines from a child is logged whole, and the child waits', { skip: linux }, () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    const lines = 100_000;
    await flood(server, 'childLines', lines);
    await server.line(({ msg }) => msg === 'the last line');
    assert.equal(server.lines.filter(({ msg }) => msg === 'flood').length, lines);
  }),
);

test('a flood of lines of the console is dropped beyond a bound and counted, and run() goes on', { skip: linux }, () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    const lines = 100_000;
    await flood(server, 'console', lines);
    const told = await server.said('output of workers is not logged whole');
    const dropped = await metric(await server.url(), lost('dropped'));
    assert.equal(told['dropped'], dropped);
    assert.equal(server.lines.filter(({ msg }) => msg.startsWith('flood ')).length, lines - dropped);
  }),
);

test('a burst of lines of the console is logged whole', () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    await server.ready();
    assert.equal((await server.score(['console', 5000])).status, 200);
    await server.line(({ msg }) => msg.startsWith('flood 1 '));
    assert.equal(server.lines.filter(({ msg }) => msg.startsWith('flood ')).length, 5000);
  }));

test('a log goes on when its reader comes back, and says how many lines are lost', { skip: linux }, () =>
  withServer(['--entry-script', 'floods.ts'], async (server) => {
    await server.ready();
    const url = await server.url();
    server.child.stdout!.pause();
    // Each brings at most 4 MiB of lines.
    for (let round = 0; (await metric(url, 'server_log_lost_total')) === 0; round++) {
      assert.ok(round < 20, 'no line is lost');
      assert.equal((await server.score(['console', 20_000])).status, 200);
    }
    server.child.stdout!.resume();
    const told = await server.said('lines of the log are lost');
    assert.ok(Number(told['lost']) > 0);
    assert.equal((await server.score(['console', 1])).status, 200);
    await server.said('flood 1 ');
  }),
);

/** A server whose log nobody reads. */
class Unread {
  readonly child: ChildProcess;
  readonly url: string;
  readonly exited: Promise<unknown[]>;

  constructor(t: TestContext, port: number, stdout: 'pipe' | number, env: Record<string, string>) {
    const args = ['--host', '127.0.0.1', '--port', String(port), '--entry-script', 'floods.ts'];
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd: SCRIPTS,
      env: { ...process.env, DRAIN_DELAY_MS: '0', ...env },
      stdio: ['ignore', stdout, 'pipe'],
    });
    this.exited = once(this.child, 'exit');
    this.url = `http://127.0.0.1:${port}`;
    t.after(() => this.child.kill('SIGKILL'));
  }

  async ready(): Promise<void> {
    for (;;) {
      assert.equal(this.child.exitCode, null);
      const answer = await fetch(`${this.url}/health/ready`).catch(() => undefined);
      if (answer?.status === 200) return;
      await delay(50);
    }
  }

  async score(how: string, count: number): Promise<void> {
    const body = JSON.stringify([how, count]);
    const answer = await fetch(`${this.url}/score`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    assert.equal(await answer.text(), JSON.stringify(how));
  }

  /** Sends a signal, and asserts that the process ends in time. */
  async end(...signals: NodeJS.Signals[]): Promise<unknown> {
    const began = performance.now();
    for (const signal of signals) {
      this.child.kill(signal);
      // A signal that follows at once may be taken for the same one.
      await delay(400);
    }
    const [code] = await Promise.race([this.exited, delay(LONGEST_END_MS, ['it does not end'], { ref: false })]);
    assert.ok(performance.now() - began < LONGEST_END_MS);
    return code;
  }
}

for (const format of ['json', 'pretty'])
  test(`a reader that stalls does not stall scoring, nor the end: LOG_FORMAT=${format}`, { skip: linux }, async (t) => {
    const server = new Unread(t, await freePort(), 'pipe', { LOG_FORMAT: format });
    await server.ready();
    for (let round = 0; (await metric(server.url, 'server_log_lost_total')) === 0; round++) {
      assert.ok(round < 20, 'no line is lost');
      await server.score('console', 20_000);
    }
    await server.score('none', 0);
    assert.equal(await server.end('SIGTERM'), 0);
  });

test('a second signal ends a server whose log is stalled', { skip: linux }, async (t) => {
  const server = new Unread(t, await freePort(), 'pipe', { DRAIN_DELAY_MS: '3000' });
  await server.ready();
  await server.score('console', 20_000);
  assert.equal(await server.end('SIGTERM', 'SIGTERM'), 1);
});

for (const format of ['json', 'pretty'])
  test(`a full disk under the log ends nothing: LOG_FORMAT=${format}`, { skip: linux }, async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const server = new Unread(t, await freePort(), full, { LOG_FORMAT: format });
    let stderr = '';
    server.child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await server.ready();
    await server.score('console', 1000);
    assert.equal(await server.end('SIGTERM'), 0);
    assert.match(stderr, /lines of the log are lost/);
  });

for (const format of ['json', 'pretty'])
  test(`a log whose reader is gone ends nothing: LOG_FORMAT=${format}`, { skip: linux }, async (t) => {
    const server = new Unread(t, await freePort(), 'pipe', { LOG_FORMAT: format });
    await server.ready();
    server.child.stdout!.destroy();
    await server.score('console', 1000);
    await server.score('none', 0);
    assert.equal(await server.end('SIGTERM'), 0);
  });
