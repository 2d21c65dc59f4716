import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { isRefusal, type ServerError } from '../errors.ts';
import { type Distribution, DURATIONS } from '../metric-series.ts';
import { DistributionHistogram } from './distribution-histogram.ts';
import { WorkerMetrics } from './worker-metrics.ts';

/** What is told of a model: worker/protocol.ts has the same, which this room may not see. */
interface ServedModel {
  readonly name: string;
  readonly provider: string;
  readonly intraOpThreads: number;
  readonly ortVersion: string;
  readonly loadSeconds: number;
  readonly batching: { readonly merges: boolean; readonly reason: string };
}

/** What the gauges show. */
interface Load {
  readonly queued: number;
  readonly inFlight: number;
  readonly concurrency: number;
  readonly credits: number;
  readonly workers: number;
  readonly ready: boolean;
}

/** The server's metrics, in a registry of their own. Names: reference/kubernetes.md, section 2. */
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Counter({
    name: 'scoring_requests_total',
    help: 'requests answered, probes and scrapes left out',
    labelNames: ['route', 'code'],
    registers: [this.registry],
    collect: () => this.#countScored(),
  });
  readonly requestDuration = this.#durations(
    'scoring_request_duration_seconds',
    'from the head of a scoring request to the end of its answer',
  );
  readonly queueDuration = this.#durations('scoring_queue_duration_seconds', 'wait of a scoring request for a worker');
  readonly runDuration = this.#durations('scoring_run_duration_seconds', 'duration of run()');
  readonly inFlight = this.#gauge('scoring_requests_in_flight', 'scoring requests that a worker holds', ({ inFlight }) => inFlight);
  readonly queued = this.#gauge('scoring_requests_queued', 'scoring requests that wait for a worker', ({ queued }) => queued);
  readonly concurrencyLimit = this.#gauge(
    'scoring_concurrency_limit',
    'scoring requests that the workers can hold at a time',
    ({ concurrency }) => concurrency,
  );
  readonly credits = this.#gauge('scoring_credits', 'scoring requests that workers would take now', ({ credits }) => credits);
  readonly workersReady = this.#gauge('scoring_workers', 'workers that serve', ({ workers }) => workers);
  readonly ready = this.#gauge('server_ready', '1 while the server is ready', ({ ready }) => (ready ? 1 : 0));
  readonly refused = new Counter({
    name: 'scoring_refused_total',
    help: 'scoring requests refused before they reached a worker',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly failures = new Counter({
    name: 'scoring_failures_total',
    help: 'scoring requests that failed otherwise, by the code of the failure',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly workerRestarts = new Counter({
    name: 'worker_restarts_total',
    help: 'workers replaced',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly telemetryDelivered = new Counter({
    name: 'telemetry_delivered_total',
    help: 'items that Application Insights (request, trace, exception) or the OpenTelemetry collector (span) has taken',
    labelNames: ['item'],
    registers: [this.registry],
  });
  readonly telemetryDropped = new Counter({
    name: 'telemetry_dropped_total',
    help: 'items that were not delivered, by why',
    labelNames: ['item', 'reason'],
    registers: [this.registry],
  });
  readonly modelLoad = new Gauge({
    name: 'model_load_seconds',
    help: 'duration of the last load of a model',
    labelNames: ['model'],
    registers: [this.registry],
  });
  readonly session = new Gauge({
    name: 'session_info',
    help: 'always 1; the labels tell how a model is loaded',
    labelNames: ['model', 'provider', 'intra_op_threads', 'ort_version', 'batching', 'batching_reason'],
    registers: [this.registry],
  });

  readonly provider = new Gauge({
    name: 'inference_provider_info',
    help: 'always 1; the labels tell the execution provider that was asked for, the one in use, and the devices that workers are pinned to',
    labelNames: ['asked', 'used', 'devices'],
    registers: [this.registry],
  });
  /** What workers measure, the entry script's own metrics included. */
  readonly workers = new WorkerMetrics(this.registry);

  /** The common case, kept out of prom-client until somebody reads: it hashes the labels at each call. */
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

  /** A model that the workers have opened. */
  loaded({ name, provider, intraOpThreads, ortVersion, loadSeconds, batching }: ServedModel): void {
    this.modelLoad.set({ model: name }, loadSeconds);
    this.session.set(
      {
        model: name,
        provider,
        intra_op_threads: intraOpThreads,
        ort_version: ortVersion,
        batching: batching.merges ? 'on' : 'off',
        batching_reason: batching.reason,
      },
      1,
    );
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
