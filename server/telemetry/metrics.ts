import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { failures, isRefusal, requestFailures, type ServerError } from '../errors.ts';
import { type Distribution, DURATIONS } from '../ipc/metric-series.ts';
import { DistributionHistogram } from './distribution-histogram.ts';
import { type LoadedModel, ModelMetrics } from './model-metrics.ts';
import { OutputMetrics } from './output-metrics.ts';
import { ReportedMetrics } from './reported-metrics.ts';
import { WorkerMetrics } from './worker-metrics.ts';

/**
 * Sums that prom-client adds to `nodejs_active_handles` and its like. They are gauges, whose names
 * must not end as those of counters do.
 */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The state that the gauges show. */
interface Load {
  readonly queued: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** Age of the oldest request that waits; milliseconds, 0: none waits. */
  readonly oldestWaitingMs: number;
  readonly inFlight: number;
  readonly concurrency: number;
  readonly credits: number;
  readonly workers: number;
  readonly ready: boolean;
}

/** The server's metrics, in a registry of their own. Names: docs/metrics.md. */
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Counter({
    name: 'scoring_requests_total',
    help: 'answered requests, without probes and scrapes',
    labelNames: ['route', 'code'],
    registers: [this.registry],
    collect: () => this.#countScored(),
  });
  readonly requestDuration = this.#durations(
    'scoring_request_duration_seconds',
    'time from the head of a scoring request to the end of its answer',
  );
  readonly queueDuration = this.#durations(
    'scoring_queue_duration_seconds',
    'time that a scoring request waited for a worker, also if it left the queue without one',
  );
  readonly runDuration = this.#durations(
    'scoring_run_duration_seconds',
    'duration of run(); of a failed one: time since its worker received the request',
  );
  readonly inFlight = this.#gauge('scoring_requests_in_flight', 'scoring requests that workers hold', ({ inFlight }) => inFlight);
  readonly queued = this.#gauge('scoring_requests_queued', 'scoring requests that wait for a worker', ({ queued }) => queued);
  readonly oldestWaiting = this.#gauge(
    'scoring_oldest_waiting_seconds',
    'time that the oldest waiting request has waited for a worker; 0: none waits',
    ({ oldestWaitingMs }) => oldestWaitingMs / 1000,
  );
  readonly queueLimit = this.#gauge(
    'scoring_queue_limit',
    'scoring requests that may wait for a worker (QUEUE_MAX_REQUESTS)',
    ({ queueLimit }) => queueLimit,
  );
  readonly concurrencyLimit = this.#gauge(
    'scoring_concurrency_limit',
    'scoring requests that all workers can hold at a time',
    ({ concurrency }) => concurrency,
  );
  readonly credits = this.#gauge('scoring_credits', 'scoring requests that workers can take now', ({ credits }) => credits);
  readonly workersReady = this.#gauge('scoring_workers', 'workers that serve', ({ workers }) => workers);
  readonly ready = this.#gauge('server_ready', '1 while the server is ready', ({ ready }) => (ready ? 1 : 0));
  readonly info = new Gauge({
    name: 'server_info',
    help: 'always 1; labels: name of the service, version of this server',
    labelNames: ['service', 'version'],
    registers: [this.registry],
  });
  readonly refused = new Counter({
    name: 'scoring_refused_total',
    help: 'scoring requests refused before they reached a worker, by reason',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly failures = new Counter({
    name: 'scoring_failures_total',
    help: 'other failed scoring requests, by failure code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly processes = new WorkerMetrics(this.registry);
  readonly workerRestarts = new Counter({
    name: 'worker_restarts_total',
    help: 'replaced workers, by cause',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly strayErrors = new Counter({
    name: 'server_stray_errors_total',
    help: 'connection errors that no other listener caught, by code; none is expected',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly telemetryDelivered = new Counter({
    name: 'telemetry_delivered_total',
    help: 'items that Application Insights (request, trace, exception) or the OpenTelemetry collector (span) accepted',
    labelNames: ['item'],
    registers: [this.registry],
  });
  readonly telemetryDropped = new Counter({
    name: 'telemetry_dropped_total',
    help: 'items that were not delivered, by reason',
    labelNames: ['item', 'reason'],
    registers: [this.registry],
  });
  readonly #models = new ModelMetrics(this.registry);
  readonly provider = new Gauge({
    name: 'inference_provider_info',
    help: 'always 1; labels: requested execution provider, provider in use, devices of the workers',
    labelNames: ['asked', 'used', 'devices'],
    registers: [this.registry],
  });
  /** Metrics that workers report, the entry script's own included. */
  readonly workers = new ReportedMetrics(this.registry);
  readonly output = new OutputMetrics(this.registry);

  /**
   * Successful scorings since the last scrape. A plain number, because prom-client hashes the
   * labels at each call.
   */
  #scored = 0;
  #observed: (() => Load) | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    for (const code of requestFailures) this.#count({ code }, 0);
  }

  /**
   * Adds a route that scores. Each status of the failure table is counted from 0: `increase()` does
   * not see the first answer of a series that begins with it.
   */
  addRoute(route: string): void {
    this.requests.inc({ route, code: 200 }, 0);
    for (const failure of requestFailures) this.requests.inc({ route, code: String(failures[failure].status) }, 0);
  }

  /** Counts one answer. */
  answered(route: string, code: number): void {
    if (code === 200 && route === '/score') this.#scored++;
    else this.requests.inc({ route, code });
  }

  /** Counts a scoring request that failed. */
  failed(error: ServerError): void {
    this.#count(error, 1);
  }

  /** A worker has loaded a model. @param owner the worker, for `gone` */
  loaded(owner: object, model: LoadedModel): void {
    this.#models.loaded(owner, model);
  }

  /** A worker has exited: removes the series that only it can report. */
  gone(owner: object): void {
    this.#models.gone(owner);
    this.workers.gone(owner);
  }

  /** Reads the gauges from their owner at every scrape. */
  observe(read: () => Load): void {
    this.#observed = read;
  }

  #count(error: Pick<ServerError, 'code'>, by: number): void {
    if (isRefusal(error)) this.refused.inc({ reason: error.code }, by);
    else this.failures.inc({ code: error.code }, by);
  }

  #countScored(): void {
    this.requests.inc({ route: '/score', code: 200 }, this.#scored);
    this.#scored = 0;
  }

  #durations(name: string, help: string): Distribution {
    return new DistributionHistogram({ name, help, labels: [], buckets: DURATIONS }, this.registry).of();
  }

  #gauge(name: string, help: string, value: (load: Load) => number): Gauge {
    const observed = (): Load | undefined => this.#observed?.();
    return new Gauge({
      name,
      help,
      registers: [this.registry],
      // Not an arrow function: prom-client calls it with the gauge as `this`.
      collect(this: Gauge) {
        const load = observed();
        if (load !== undefined) this.set(value(load));
      },
    });
  }
}
