import type { ServerError } from '../errors.ts';
import { isRefusal } from '../failure-log.ts';
import type { Log } from '../log.ts';
import type { RequestIds } from '../request-ids.ts';
import type { Metrics } from './metrics.ts';

/** What a front door tells of a request that is over. */
interface Answered {
  /** Label in logs and metrics, and whether a worker scores what comes this way. */
  readonly route: { readonly path: string; readonly scores?: boolean };
  readonly method: string;
  /** By the table in errors.ts, over gRPC too. */
  readonly status: number;
  readonly startedAt: number;
  readonly ids: Pick<RequestIds, 'id' | 'traceId'>;
  readonly failure: ServerError | undefined;
  readonly reply: { readonly worker: number; readonly queueMs: number; readonly runMs: number | undefined } | undefined;
  /** Number of the worker that had the request, where it failed. */
  readonly worker: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Records each request when it is over: one log line, and the request metrics. */
export class AccessLog {
  readonly #log: Log | undefined;
  readonly #metrics: Metrics;

  /** @param log undefined: metrics only */
  constructor(log: Log | undefined, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  write(answered: Answered): void {
    const ms = performance.now() - answered.startedAt;
    const { route, status, reply } = answered;
    this.#measure(answered, ms);
    this.#log?.info(
      {
        route: route.path,
        method: answered.method,
        status,
        ms: Math.round(ms * 1000) / 1000,
        requestId: answered.ids.id,
        traceId: answered.ids.traceId,
        worker: reply?.worker ?? answered.worker,
        bytesIn: answered.bytesIn,
        bytesOut: answered.bytesOut,
      },
      'request',
    );
  }

  #measure({ route, status, failure, reply }: Answered, ms: number): void {
    const metrics = this.#metrics;
    metrics.answered(route.path, status);
    if (route.scores !== true) return;
    metrics.requestDuration.observe(ms / 1000);
    if (failure !== undefined && isRefusal(failure)) metrics.refused.inc({ reason: failure.code });
    if (reply === undefined) return;
    metrics.queueDuration.observe(reply.queueMs / 1000);
    if (reply.runMs !== undefined) metrics.runDuration.observe(reply.runMs / 1000);
  }
}
