import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GrpcClient } from '../grpc/client.ts';
import { held } from '../set-up/held.ts';
import { until } from '../set-up/until.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, withServer } from './start-server.ts';

const within = (ms: number): Record<string, string> => ({ 'x-request-timeout-ms': String(ms) });

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.text();
  return response.status;
}

/** What the only worker has seen: it is the one that the server began with. */
async function seen(server: ServerProcess): Promise<{ readonly begun: number; readonly aborted: number }> {
  const answer = await server.score({ how: 'answers' });
  const { pid, ...numbers } = (await answer.json()) as { pid: number; begun: number; aborted: number };
  assert.deepEqual([pid], server.workers);
  return numbers;
}

describe("a client's own deadline", () => {
  it('fires the signal of a run, and costs no worker, whether the run obeys, ignores it or holds the thread', () =>
    withServer(['--entry-script', 'deadlines.ts'], async (server) => {
      await server.ready();
      for (const how of ['obeys', 'ignores', 'spins'] as const) {
        assert.equal(await statusOf(server.score({ how, ms: 900 }, within(100))), 504, how);
        await server.inFlight(0);
      }
      // A run that holds the thread sees its signal too late to count.
      const { begun, aborted } = await seen(server);
      assert.equal(begun, 3);
      assert.ok(aborted >= 2);
      assert.equal(await server.metric('scoring_failures_total{code="client_deadline"}'), 3);
      assert.equal(await server.metric('worker_restarts_total{cause="deadline"}'), 0);
    }));

  it('never lengthens SCORING_TIMEOUT_MS, over HTTP and over gRPC, and its absence is no limit beyond that', async () => {
    const grpcPort = await freePort();
    await withServer(
      ['--entry-script', 'deadlines.ts'],
      async (server) => {
        await server.ready();
        for (const headers of [within(2 ** 31 - 1), within(60_000), {}]) {
          const answer = await server.score({ how: 'obeys', ms: 60_000 }, headers);
          assert.deepEqual([answer.status, await answer.json()], [504, { message: 'Scoring timeout after 300 ms' }]);
        }
        const client = new GrpcClient(grpcPort);
        try {
          const message = {
            model_name: 'deadlines',
            inputs: [{ name: 'x', datatype: 'FP32', shape: [1], contents: { fp32_contents: [1] } }],
          };
          for (const deadline of [undefined, new Date(Date.now() + 60_000), new Date(Date.now() + 1e10)]) {
            const { code, details } = await client.error('ModelInfer', message, {}, deadline);
            assert.deepEqual([code, details], [4, 'Scoring timeout after 300 ms']);
          }
        } finally {
          client.close();
        }
        assert.equal(await server.metric('scoring_failures_total{code="client_deadline"}'), 0);
      },
      { env: { SCORING_TIMEOUT_MS: '300', GRPC_PORT: String(grpcPort), CANCEL_GRACE_MS: '5000' } },
    );
  });

  it('takes a request out of the queue at once, so that a full queue is free again, and none of it runs', () =>
    withServer(
      ['--entry-script', 'held.ts'],
      async (server) => {
        await server.ready();
        const slow = held();
        const busy = server.score(slow.data);
        await server.inFlight(1);
        for (let round = 0; round < 2; round++) {
          const short = Array.from({ length: 4 }, () => statusOf(server.score('', within(2500))));
          await until(async () => (await server.metric('scoring_requests_queued')) === 4);
          assert.equal(await statusOf(server.score('')), 429);
          assert.deepEqual(await Promise.all(short), [504, 504, 504, 504]);
          assert.equal(await server.metric('scoring_requests_queued'), 0);
        }
        const waits = server.score('');
        slow.release();
        assert.deepEqual([await statusOf(busy), await statusOf(waits)], [200, 200]);
      },
      { env: { WORKER_CONCURRENCY: '1', QUEUE_MAX_REQUESTS: '4' } },
    ));

  it('of 1 ms, a thousand times, costs another client nothing but its turn', () =>
    withServer(
      ['--entry-script', 'deadlines.ts'],
      async (server) => {
        await server.ready();
        const statuses: number[] = [];
        let left = 1000;
        const short = async (): Promise<void> => {
          while (left-- > 0) statuses.push(await statusOf(server.score({ how: 'ignores', ms: 5 }, within(1 + (left % 4)))));
        };
        const clients = Array.from({ length: 40 }, short);
        let others = 0;
        const done = Promise.all(clients).then(() => true);
        while (!(await Promise.race([done, Promise.resolve(false)]))) {
          const answer = await server.score({ how: 'answers', says: others });
          const { says, pid } = (await answer.json()) as { says: number; pid: number };
          assert.deepEqual([answer.status, says, [pid]], [200, others++, server.workers]);
        }
        assert.equal(statuses.length, 1000);
        assert.ok(statuses.every((status) => status === 504 || status === 200));
        assert.ok(statuses.filter((status) => status === 504).length > 500);
        assert.ok(others > 5, `${others} answers beside them`);
        await server.inFlight(0);
        assert.equal(await server.metric('scoring_credits'), 4);
        const { begun, aborted } = await seen(server);
        assert.ok(aborted <= begun && begun <= 1000);
        assert.deepEqual(server.linesWith('replaced'), []);
      },
      { env: { WORKER_CONCURRENCY: '4' } },
    ));
});
