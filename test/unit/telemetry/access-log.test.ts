import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerError, type ErrorCode } from '../../../server/errors.ts';
import { AccessLog } from '../../../server/telemetry/access-log.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import { readIds } from '../../../server/request/request-ids.ts';

const REPLY = { headers: [], body: Buffer.alloc(0), worker: 0 };

interface Case {
  readonly failure?: ErrorCode;
  readonly reply?: { readonly queueMs: number; readonly runMs: number | undefined };
  /** Milliseconds since admission; undefined: it never was a scoring. */
  readonly admittedMsAgo?: number;
  readonly queueMs?: number;
}

/** Counts and rounded sums of the two histograms after one request. */
async function measured({
  failure,
  reply,
  admittedMsAgo,
  queueMs,
}: Case): Promise<Record<'queue' | 'run', [count: number, seconds: number]>> {
  const metrics = new Metrics();
  new AccessLog(undefined, metrics).write({
    route: { path: '/score', scores: true },
    method: 'POST',
    url: '/score',
    protocolVersion: '1.1',
    target: '/score',
    peer: undefined,
    header: () => undefined,
    status: 200,
    ids: readIds({}, undefined),
    startedAt: performance.now(),
    failure: failure && new ServerError(failure, 'x'),
    callerPassed: true,
    reply: reply && { ...REPLY, ...reply },
    scoring:
      admittedMsAgo === undefined ? undefined : { times: { admittedAt: performance.now() - admittedMsAgo, queueMs, run: undefined } },
    input: undefined,
    worker: undefined,
    bytesIn: 0,
    bytesOut: 0,
  });
  const text = await metrics.registry.metrics();
  const shown = (name: string): [number, number] => {
    const [count, sum] = ['count', 'sum'].map((part) =>
      Number(new RegExp(`^scoring_${name}_duration_seconds_${part} (\\S+)$`, 'm').exec(text)?.[1]),
    );
    return [count!, Math.round(sum!)];
  };
  return { queue: shown('queue'), run: shown('run') };
}

const NEVER = [0, 0];
const cases: [what: string, request: Case, queue: number[], run: number[]][] = [
  ['an answer', { reply: { queueMs: 2000, runMs: 3000 }, admittedMsAgo: 9000, queueMs: 2000 }, [1, 2], [1, 3]],
  ['a run() that throws', { failure: 'run_failed', admittedMsAgo: 9000, queueMs: 2000 }, [1, 2], [1, 7]],
  ['a run() that throws an answer', { reply: { queueMs: 2000, runMs: undefined }, admittedMsAgo: 9000, queueMs: 2000 }, [1, 2], [1, 7]],
  ['a run() past its deadline', { failure: 'deadline_exceeded', admittedMsAgo: 60_000, queueMs: 0 }, [1, 0], [1, 60]],
  ['a request that waited too long for a worker', { failure: 'queue_timeout', admittedMsAgo: 5000 }, [1, 5], NEVER],
  ['a deadline in the queue', { failure: 'deadline_exceeded', admittedMsAgo: 60_000 }, [1, 60], NEVER],
  ['a client error that run() may never have seen', { failure: 'bad_json', admittedMsAgo: 9000, queueMs: 2000 }, [1, 2], NEVER],
  ['a full queue', { failure: 'queue_full', admittedMsAgo: 0 }, NEVER, NEVER],
  ['a request that was refused before it was one', { failure: 'not_ready' }, NEVER, NEVER],
];
for (const [what, request, queue, run] of cases)
  test(`${what} is in the histograms of what it took`, async () => {
    assert.deepEqual(await measured(request), { queue, run });
  });
