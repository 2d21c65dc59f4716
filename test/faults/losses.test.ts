import assert from 'node:assert/strict';
import test from 'node:test';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { keepAliveLoad } from './keep-alive-load.ts';

const CONNECTIONS = 32;
/** Of each connection. A longer run sets it. */
const REQUESTS = Number(process.env['LOSSES_REQUESTS'] ?? 200);

/** Workers that serve now, by their place. */
function workers(server: ServerProcess): number[] {
  const pids = new Map<unknown, number>();
  for (const { msg, worker, pid } of server.lines) if (msg === 'worker ready') pids.set(worker, Number(pid));
  return [...pids.values()];
}

function signal(server: ServerProcess, name: NodeJS.Signals, all = false): void {
  for (const pid of workers(server).slice(0, all ? undefined : 1)) {
    try {
      process.kill(pid, name);
    } catch {
      // It is gone already, and its replacement is not ready yet.
    }
  }
}

/**
 * How a worker is broken: by a request with that text, or from outside. Each happens twice. The
 * statuses besides 200 that may be answered.
 */
const ways: Record<
  string,
  { readonly statuses: readonly number[]; readonly request?: string; readonly from?: (server: ServerProcess) => void }
> = {
  SIGKILL: { from: (server) => signal(server, 'SIGKILL'), statuses: [503] },
  SIGSTOP: { from: (server) => signal(server, 'SIGSTOP'), statuses: [503, 504] },
  SIGSEGV: { from: (server) => signal(server, 'SIGSEGV'), statuses: [503] },
  'all workers at once': { from: (server) => signal(server, 'SIGKILL', true), statuses: [503] },
  abort: { request: 'abort', statuses: [503] },
  'process.exit()': { request: 'exit', statuses: [503] },
  'an exception that nobody catches': { request: 'throw', statuses: [503] },
  'an endless loop': { request: 'loop', statuses: [503, 504] },
  'an endless promise': { request: 'promise', statuses: [504] },
  'an exhausted heap': { request: 'heap', statuses: [503, 504] },
  'a rejection': { request: 'rejection', statuses: [500] },
};

for (const [what, { request, from, statuses }] of Object.entries(ways)) {
  test(`${what}: what was sent is answered, and no connection is reset`, () =>
    withServer(
      ['--entry-script', 'breaks.ts', '--worker-count', '2'],
      async (server) => {
        await server.ready();
        const breaks = [0.25, 0.5].map((share) => Math.floor(CONNECTIONS * REQUESTS * share));
        const tally = await keepAliveLoad({
          port: await server.port(),
          connections: CONNECTIONS,
          requests: REQUESTS,
          body: (sent) => {
            if (!breaks.includes(sent)) return undefined;
            from?.(server);
            return request === undefined ? undefined : JSON.stringify(request);
          },
        });
        const account = JSON.stringify([...tally.answered]);
        const answered = [...tally.answered.values()].reduce((sum, count) => sum + count, 0);
        assert.equal(tally.resets, 0, account);
        assert.deepEqual([tally.sent, answered], [CONNECTIONS * REQUESTS, CONNECTIONS * REQUESTS], account);
        // A request that waits for a replacement on a slow machine may reach its deadline.
        const others = [...tally.answered.keys()].filter((status) => ![200, 504, ...statuses].includes(status));
        assert.deepEqual(others, [], account);
        assert.ok((tally.answered.get(200) ?? 0) > 0.9 * tally.sent, account);
        assert.ok(tally.answered.size > 1 || from !== undefined || request === 'throw', `nothing broke: ${account}`);
        assert.equal((await server.score([2])).status, 200);
        // A run that does not end is held until its worker is replaced.
        await server.inFlight(0);
        await server.drain();
      },
      {
        // No core file of a worker that aborts, and a heap that is soon full. One line for each of
        // so many requests would be most of the work.
        prelude: 'ulimit -c 0',
        env: {
          NODE_OPTIONS: '--max-old-space-size=64',
          ACCESS_LOG: 'false',
          SCORING_TIMEOUT_MS: '5000',
          CANCEL_GRACE_MS: '2500',
          DRAIN_DELAY_MS: '0',
        },
      },
    ));
}
