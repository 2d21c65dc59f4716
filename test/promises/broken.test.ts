import assert from 'node:assert/strict';
import test from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { memory, noProc } from '../set-up/processes.ts';
import type { Answered, Asking } from './clients-process.ts';
import { BESIDE_BROKEN, BROKEN_MB, BROKEN_P99_RATIO, PROBE_P99_MS } from './limits.ts';
import type { Counts, LoadMessage } from './load-process.ts';
import { goFirst, Program } from './program.ts';

const ROUNDS = 3;
/** At most, because a neighbour of this machine may take its cores for some seconds. */
const MOST_ROUNDS = 6;
const ROUND_MS = 2000;

test('broken clients, hundreds a second, cost a good client no answer and little time', { skip: noProc }, (t) =>
  withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      await server.ready();
      goFirst(server.pid);
      const port = await server.port();
      const clients = new Program('clients');
      t.after(() => clients.stop());
      const ask = (ms = ROUND_MS): Promise<Answered> => clients.ask({ port, ms, body: '[1]', connections: 4 } satisfies Asking);
      const askBeside = async (): Promise<{ answered: Answered; broken: number }> => {
        const generator = new Program('load');
        try {
          await generator.ask({ start: 'broken', port } satisfies LoadMessage);
          const answered = await ask();
          const counts = await generator.ask<Counts>({ stop: true } satisfies LoadMessage);
          return { answered, broken: Object.values(counts).reduce((sum, count) => sum + count, 0) };
        } finally {
          await generator.stop();
        }
      };
      await ask(1000);
      await askBeside();
      let before = 0;
      let [share, ratio] = [0, Infinity];
      const holds = (): boolean => share >= BESIDE_BROKEN && ratio <= BROKEN_P99_RATIO;
      for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && !holds()); round++) {
        const without = await ask();
        const { answered: beside, broken } = await askBeside();
        // The heap of a host grows with its first full load, whoever the clients are.
        if (round === 0) before = memory(server.pid);
        for (const { statuses } of [without, beside]) assert.deepEqual(Object.keys(statuses), ['200']);
        share = Math.max(share, beside.goodPerSecond / without.goodPerSecond);
        ratio = Math.min(ratio, beside.goodP99Ms / Math.max(without.goodP99Ms, PROBE_P99_MS / BROKEN_P99_RATIO));
        t.diagnostic(
          `alone ${without.goodPerSecond.toFixed(0)}/s, p99 ${without.goodP99Ms.toFixed(1)} ms; beside ${broken} broken clients ` +
            `${beside.goodPerSecond.toFixed(0)}/s, p99 ${beside.goodP99Ms.toFixed(1)} ms`,
        );
      }
      const grown = memory(server.pid) - before;
      t.diagnostic(`${grown.toFixed(0)} MB more`);
      assert.ok(share >= BESIDE_BROKEN, `throughput fell to ${share.toFixed(2)}`);
      assert.ok(ratio <= BROKEN_P99_RATIO, `p99 rose to ${ratio.toFixed(1)} times`);
      assert.ok(grown < BROKEN_MB, `the host took ${grown.toFixed(0)} MB`);
      await server.inFlight(0);
    },
    { env: { ACCESS_LOG: 'false' } },
  ),
);
