import { failures, type ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from './metrics.ts';
import type { ExportedRequest, RequestExports } from './request-exports.ts';
import type { ScoringTimes } from './spans.ts';

/** A request that is over, as a front door reports it. */
interface Answered extends ExportedRequest {
  readonly startedAt: number;
  readonly reply: (NonNullable<ExportedRequest['reply']> & { readonly worker: number; readonly queueMs: number }) | undefined;
  /** Number of the worker that held the request, where it failed. */
  readonly worker: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Records each request when it is over: one log line, the request metrics, and the exports. */
export class AccessLog {
  readonly #log: Log | undefined;
  readonly #metrics: Metrics;
  readonly #exports: RequestExports | undefined;

  /**
   * @param log undefined: no lines
   * @param exports undefined: no telemetry leaves the process
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

  #measure({ route, status, failure, reply, scoring }: Answered, ms: number): void {
    const metrics = this.#metrics;
    metrics.answered(route.path, status);
    if (route.scores !== true) return;
    metrics.requestDuration.observe(ms / 1000);
    if (failure !== undefined) metrics.failed(failure);
    if (reply?.runMs !== undefined) {
      metrics.queueDuration.observe(reply.queueMs / 1000);
      metrics.runDuration.observe(reply.runMs / 1000);
    } else if (scoring?.times !== undefined && failure?.code !== 'queue_full') this.#measureFailed(scoring.times, failure);
  }

  /**
   * A worker reports no duration of a run that failed. The time since it got the request stands for
   * it, because slow failures matter most.
   */
  #measureFailed({ admittedAt, queueMs }: ScoringTimes, failure: ServerError | undefined): void {
    const ms = performance.now() - admittedAt;
    this.#metrics.queueDuration.observe((queueMs ?? ms) / 1000);
    if (queueMs !== undefined && runBegan(failure)) this.#metrics.runDuration.observe((ms - queueMs) / 1000);
  }
}

/**
 * True where run() had begun: it threw an answer of its own, failed, or was cancelled. An error of
 * the client may come before run().
 */
function runBegan(failure: ServerError | undefined): boolean {
  return failure === undefined || failure.code === 'client_gone' || failures[failure.code].fault === 'user';
}
