import assert from 'node:assert/strict';
import test from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { memory, noProc } from '../set-up/processes.ts';
import type { Answered, Asking } from './clients-process.ts';
import { GOODPUT, OVERLOAD, OVERLOAD_MB, PROBE_P99_MS, RECOVERED_RATIO, REFUSAL_P99_MS } from './limits.ts';
import { goFirst, Program } from './program.ts';

const QUEUE = 64;
/** At most, because a neighbour of this machine may take its cores for some seconds. */
const ATTEMPTS = 3;
const text = (value: unknown): string => JSON.stringify(value);

test('ten times the capacity: as many good answers as before, the rest are 429 at once, and nothing grows', { skip: noProc }, (t) =>
  withServer(
    ['--entry-script', 'works.ts'],
    async (server) => {
      await server.ready();
      const port = await server.port();
      const clients = new Program('clients');
      t.after(() => clients.stop());
      // The worker too: the capacity must not change with the neighbours of this machine.
      for (const pid of [server.pid, ...server.workers, clients.pid]) goFirst(pid);
      const ask = (asking: Omit<Asking, 'port' | 'body'>): Promise<Answered> =>
        clients.ask({ port, body: '1', ...asking } satisfies Asking);
      // Compilers and connections.
      await ask({ ms: 1000, connections: 8 });
      await ask({ ms: 1000, perSecond: 1000 });

      let flaws = ['no attempt'];
      for (let attempt = 0; attempt < ATTEMPTS && flaws.length > 0; attempt++) {
        const before = await ask({ ms: 1000, connections: 1 });
        const capacity = await ask({ ms: 3000, connections: 16 });
        const rss = memory(server.pid);
        let queued = 0;
        let highest = rss;
        const sampling = setInterval(() => {
          highest = Math.max(highest, memory(server.pid));
          void server.metric('scoring_requests_queued').then((now) => (queued = Math.max(queued, now)));
        }, 250);
        const over = await ask({ ms: 10_000, perSecond: OVERLOAD * capacity.goodPerSecond });
        clearInterval(sampling);
        const after = await ask({ ms: 1000, connections: 1 });
        const share = over.goodPerSecond / capacity.goodPerSecond;
        t.diagnostic(
          `capacity ${capacity.goodPerSecond.toFixed(0)}/s, offered ${over.sentPerSecond.toFixed(0)}/s, good ${over.goodPerSecond.toFixed(0)}/s; ` +
            `429 p99 ${over.refusedP99Ms.toFixed(1)} ms; p99 before ${before.goodP99Ms.toFixed(1)}, after ${after.goodP99Ms.toFixed(1)} ms; ` +
            `${(highest - rss).toFixed(0)} MB more; at most ${queued} queued`,
        );
        assert.deepEqual(Object.keys(over.statuses), ['200', '429'], text(over));
        assert.equal(over.withoutRetryAfter, 0);
        assert.ok(queued <= QUEUE, `${queued} requests were queued`);
        assert.ok(highest - rss < OVERLOAD_MB, `the host took ${(highest - rss).toFixed(0)} MB`);
        const held = {
          load: over.sentPerSecond > 0.9 * OVERLOAD * capacity.goodPerSecond,
          goodput: share >= GOODPUT,
          refusals: over.refusedP99Ms < REFUSAL_P99_MS,
          recovery: after.goodP99Ms < Math.max(PROBE_P99_MS * 2, RECOVERED_RATIO * before.goodP99Ms),
        };
        flaws = Object.entries(held).flatMap(([what, holds]) => (holds ? [] : `${what}: ${text({ share, over, before, after })}`));
      }
      assert.deepEqual(flaws, []);
    },
    { env: { ACCESS_LOG: 'false', QUEUE_MAX_REQUESTS: String(QUEUE) } },
  ),
);
