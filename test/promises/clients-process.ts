/** A good client that scores on a few connections, one request after the other on each. */
import { percentile } from '../../bench/statistics.ts';
import { Client } from '../faults/keep-alive-load.ts';
import { openLoop } from './open-loop.ts';
import { answerMessages } from './program.ts';

export interface Asking {
  readonly port: number;
  readonly ms: number;
  readonly body: string;
  /** Connections that each wait for their answer, or arrivals that wait for nothing. */
  readonly connections?: number;
  readonly perSecond?: number;
}

export interface Answered {
  /** By status; 0 is a connection that ended without an answer. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Good answers while requests arrived. */
  readonly goodPerSecond: number;
  readonly sentPerSecond: number;
  /** Milliseconds of good answers, and of 429. */
  readonly goodP99Ms: number;
  readonly refusedP99Ms: number;
  /** Answers of 429 without a Retry-After of whole seconds. */
  readonly withoutRetryAfter: number;
}

answerMessages(async ({ port, ms, body, connections = 0, perSecond = 0 }: Asking) => {
  const statuses: Record<number, number> = {};
  const good: number[] = [];
  const refused: number[] = [];
  let withoutRetryAfter = 0;
  let inTime = 0;
  const began = performance.now();
  const running = (): boolean => performance.now() < began + ms;
  const ended = (status: number, took: number, head: string): void => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === 200) {
      good.push(took);
      if (running()) inTime++;
    } else if (status === 429) {
      refused.push(took);
      if (!/\r\nretry-after: \d+\r\n/.test(`${head}\r\n`)) withoutRetryAfter++;
    }
  };
  const one = async (): Promise<void> => {
    const client = await Client.open(port);
    while (running() && !client.closed) {
      const asked = performance.now();
      const answer = await client.exchange(body);
      ended(answer?.status ?? 0, performance.now() - asked, answer?.head ?? '');
    }
    client.close();
  };
  await Promise.all([...Array.from({ length: connections }, one), perSecond > 0 && openLoop({ port, perSecond, body, running, ended })]);
  const sent = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return {
    statuses,
    goodPerSecond: (inTime * 1000) / ms,
    sentPerSecond: (sent * 1000) / ms,
    goodP99Ms: percentile(good, 0.99) ?? 0,
    refusedP99Ms: percentile(refused, 0.99) ?? 0,
    withoutRetryAfter,
  } satisfies Answered;
});
