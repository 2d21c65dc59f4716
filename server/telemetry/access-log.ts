import type { Log } from '../log.ts';
import type { Metrics } from './metrics.ts';
import type { ExportedRequest, RequestExports } from './request-exports.ts';

/** What a front door tells of a request that is over. */
interface Answered extends ExportedRequest {
  readonly startedAt: number;
  readonly reply: (NonNullable<ExportedRequest['reply']> & { readonly worker: number; readonly queueMs: number }) | undefined;
  /** Number of the worker that had the request, where it failed. */
  readonly worker: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Records each request when it is over: one log line, and the request metrics. */
export class AccessLog {
  readonly #log: Log | undefined;
  readonly #metrics: Metrics;
  readonly #exports: RequestExports | undefined;

  /**
   * @param log undefined: no lines
   * @param exports undefined: nothing is sent anywhere
   */
  constructor(log: Log | undefined, metrics: Metrics, exports?: RequestExports) {
    this.#log = log;
    this.#metrics = metrics;
    this.#exports = exports;
  }

  write(answered: Answered): void {
    const ms = performance.now() - answered.startedAt;
    const { route, status, reply } = answered;
    this.#measure(answered, ms);
    this.#exports?.write(answered, ms);
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
    if (failure !== undefined) metrics.failed(failure);
    if (reply === undefined) return;
    metrics.queueDuration.observe(reply.queueMs / 1000);
    if (reply.runMs !== undefined) metrics.runDuration.observe(reply.runMs / 1000);
  }
}
