import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { failures } from '../errors.ts';
import { isRefusal } from './error-reply.ts';
import type { Exchange } from './exchange.ts';

const CLIENT_GONE = failures.client_gone.status ?? 0;

/** Records each exchange when it is over: one log line, and the request metrics. */
export class AccessLog {
  readonly #log: Log | undefined;
  readonly #metrics: Metrics;

  /** @param log undefined: metrics only */
  constructor(log: Log | undefined, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  write(exchange: Exchange): void {
    const ms = performance.now() - exchange.startedAt;
    const { response, failure, route, reply } = exchange;
    const status = failure?.failure.status ?? (response.writableFinished ? response.statusCode : CLIENT_GONE);
    this.#measure(exchange, status, ms);
    this.#log?.info(
      {
        route: route.path,
        method: exchange.method,
        status,
        ms: Math.round(ms * 1000) / 1000,
        requestId: exchange.ids.id,
        traceId: exchange.ids.traceId,
        worker: reply?.worker ?? exchange.worker,
        bytesIn: exchange.bytesIn,
        bytesOut: exchange.bytesOut,
      },
      'request',
    );
  }

  #measure(exchange: Exchange, status: number, ms: number): void {
    const metrics = this.#metrics;
    const { failure, reply } = exchange;
    metrics.answered(exchange.route.path, status);
    if (exchange.route.path !== '/score') return;
    metrics.requestDuration.observe(ms / 1000);
    if (failure !== undefined && isRefusal(failure)) metrics.refused.inc({ reason: failure.code });
    if (reply === undefined) return;
    metrics.queueDuration.observe(reply.queueMs / 1000);
    if (reply.runMs !== undefined) metrics.runDuration.observe(reply.runMs / 1000);
  }
}
