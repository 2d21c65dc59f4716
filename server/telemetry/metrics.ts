import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { isRefusal, type ServerError } from '../errors.ts';
import { type Distribution, DURATIONS } from '../ipc/metric-series.ts';
import type { ServedModel } from '../ipc/worker-messages.ts';
import { DistributionHistogram } from './distribution-histogram.ts';
import { OutputMetrics } from './output-metrics.ts';
import { ReportedMetrics } from './reported-metrics.ts';

type LoadedModel = Omit<ServedModel, 'inputs' | 'outputs'>;

/** The state that the gauges show. */
interface Load {
  readonly queued: number;
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
  readonly concurrencyLimit = this.#gauge(
    'scoring_concurrency_limit',
    'scoring requests that all workers can hold at a time',
    ({ concurrency }) => concurrency,
  );
  readonly credits = this.#gauge('scoring_credits', 'scoring requests that workers can take now', ({ credits }) => credits);
  readonly workersReady = this.#gauge('scoring_workers', 'workers that serve', ({ workers }) => workers);
  readonly ready = this.#gauge('server_ready', '1 while the server is ready', ({ ready }) => (ready ? 1 : 0));
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
  /** Models of the current workers, by worker and by name of the model. */
  readonly #loaded = new Map<object, Map<string, LoadedModel>>();
  readonly modelLoad = this.#ofModels('model_load_seconds', 'duration of the last load of a model', ['model'], ({ name, loadSeconds }) => [
    [name],
    loadSeconds,
  ]);
  readonly session = this.#ofModels(
    'session_info',
    'always 1; the labels show how the running workers loaded a model',
    ['model', 'provider', 'intra_op_threads', 'ort_version', 'batching', 'batching_reason'],
    ({ name, provider, intraOpThreads, ortVersion, batching }) => [
      [name, provider, String(intraOpThreads), ortVersion, batching.merges ? 'on' : 'off', batching.reason],
      1,
    ],
  );
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
  }

  /** Counts one answer. */
  answered(route: string, code: number): void {
    if (code === 200 && route === '/score') this.#scored++;
    else this.requests.inc({ route, code });
  }

  /** Counts a scoring request that failed. */
  failed(error: ServerError): void {
    if (isRefusal(error)) this.refused.inc({ reason: error.code });
    else this.failures.inc({ code: error.code });
  }

  /** A worker has loaded a model. @param owner the worker, for `gone` */
  loaded(owner: object, model: LoadedModel): void {
    const models = this.#loaded.get(owner) ?? new Map<string, LoadedModel>();
    this.#loaded.set(owner, models.set(model.name, model));
  }

  /** A worker has exited: removes the series that only it can report. */
  gone(owner: object): void {
    this.#loaded.delete(owner);
    this.workers.gone(owner);
  }

  /** Reads the gauges from their owner at every scrape. */
  observe(read: () => Load): void {
    this.#observed = read;
  }

  #countScored(): void {
    this.requests.inc({ route: '/score', code: 200 }, this.#scored);
    this.#scored = 0;
  }

  #durations(name: string, help: string): Distribution {
    return new DistributionHistogram({ name, help, labels: [], buckets: DURATIONS }, this.registry).of();
  }

  /** A gauge of the models of the current workers. */
  #ofModels(
    name: string,
    help: string,
    labelNames: readonly string[],
    series: (model: LoadedModel) => [labels: string[], value: number],
  ): Gauge {
    const loaded = this.#loaded;
    return new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect(this: Gauge) {
        this.reset();
        for (const model of Array.from(loaded.values()).flatMap((models) => Array.from(models.values()))) {
          const [labels, value] = series(model);
          this.labels(...labels).set(value);
        }
      },
    });
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
