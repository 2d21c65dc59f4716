import type {
  CounterMetric,
  GaugeMetric,
  HistogramMetric,
  HistogramOptions,
  MetricLabels,
  MetricOptions,
  ScriptMetrics,
} from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import type { InferenceObserver } from '../../inference/model.ts';
import {
  Distribution,
  DURATIONS,
  inferenceDuration,
  inferenceRows,
  type MetricDefinition,
  type MetricsMessage,
  type Release,
  type SeriesChange,
} from '../../ipc/metric-series.ts';
import type { WorkerRequest } from '../request-context.ts';
import { checkDefinition, checkSame, checkSeries, labelValues, onlyFinite } from './metric-checks.ts';

/** How long changes wait for others, so that a frame carries many. */
const REPORT_AFTER_MS = 250;
/** Series of one metric: label values are often made from data. More would fill the memory of the host. */
const MOST_SERIES = 1000;
/** Names may be made from data as well. */
const MOST_METRICS = 1000;

/** Series of one metric, by the values of its labels. */
class Metric {
  readonly definition: MetricDefinition;
  readonly #series = new Map<string, { readonly labels: readonly string[]; readonly numbers: Distribution; changed: boolean }>();
  readonly #changed: () => void;

  constructor(definition: MetricDefinition, changed: () => void) {
    this.definition = definition;
    this.#changed = changed;
  }

  /** Numbers that are about to change. For counters and gauges only their sum is used. */
  touch(labels: readonly string[]): Distribution {
    const key = labels.length === 0 ? '' : labels.length === 1 ? (labels[0] ?? '') : labels.join('\0');
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= MOST_SERIES) return new Distribution(this.definition.buckets ?? []);
      series = { labels, numbers: new Distribution(this.definition.buckets ?? []), changed: false };
      this.#series.set(key, series);
    }
    if (!series.changed) {
      series.changed = true;
      this.#changed();
    }
    return series.numbers;
  }

  /** What has changed since the last time. Gauges keep their value, the others begin again. */
  *take(): Generator<SeriesChange> {
    const { name, kind } = this.definition;
    for (const series of this.#series.values()) {
      if (!series.changed) continue;
      series.changed = false;
      const { labels, numbers } = series;
      yield { name, labels, value: saturated(numbers.sum), ...(kind === 'histogram' && { counts: [...numbers.counts] }) };
      if (kind !== 'gauge') numbers.reset();
    }
  }
}

/** Sums of finite numbers may be too large for one: JSON has no infinity. */
function saturated(sum: number): number {
  return Math.min(Math.max(sum, -Number.MAX_VALUE), Number.MAX_VALUE);
}

function valuesOf(metric: Metric, given: MetricLabels | undefined): Distribution {
  return metric.touch(labelValues(metric.definition, given));
}

/** The metrics of one worker: adds up here, and reports what has changed, now and then. */
export class WorkerMetrics implements ScriptMetrics {
  readonly #send: (message: MetricsMessage) => void;
  readonly #metrics = new Map<string, Metric>();
  #defined: MetricDefinition[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #schedule = (): void => {
    this.#timer ??= setTimeout(() => this.report(), REPORT_AFTER_MS).unref();
  };

  constructor(send: (message: MetricsMessage) => void) {
    this.#send = send;
  }

  counter(name: string, help: string, { labels = [] }: MetricOptions = {}): CounterMetric {
    const metric = this.#define({ kind: 'counter', name, help, labels });
    return {
      inc: (by = 1, given) => {
        if (by < 0) throw new RangeError(`counter ${name}: expected a number that is not negative, got ${by}`);
        valuesOf(metric, given).sum += onlyFinite(metric.definition, by);
      },
    };
  }

  gauge(name: string, help: string, { labels = [] }: MetricOptions = {}): GaugeMetric {
    const metric = this.#define({ kind: 'gauge', name, help, labels });
    return {
      set: (value, given) => {
        valuesOf(metric, given).sum = onlyFinite(metric.definition, value);
      },
      add: (by, given) => {
        const numbers = valuesOf(metric, given);
        numbers.sum = saturated(numbers.sum + onlyFinite(metric.definition, by));
      },
    };
  }

  histogram(name: string, help: string, { labels = [], buckets = DURATIONS }: HistogramOptions = {}): HistogramMetric {
    const metric = this.#define({ kind: 'histogram', name, help, labels, buckets });
    return { observe: (value, given) => valuesOf(metric, given).observe(onlyFinite(metric.definition, value)) };
  }

  /** A metric that the host knows already. */
  known(definition: MetricDefinition): Metric {
    const metric = new Metric(definition, this.#schedule);
    this.#metrics.set(definition.name, metric);
    return metric;
  }

  /** Tells what has changed; nothing when nothing has. */
  report(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = [...this.#metrics.values()].flatMap((metric) => [...metric.take()]);
    if (changes.length === 0 && this.#defined.length === 0) return;
    this.#send({ defined: this.#defined, changes });
    this.#defined = [];
  }

  #define(definition: MetricDefinition): Metric {
    checkDefinition(definition);
    const before = this.#metrics.get(definition.name);
    if (before !== undefined) {
      checkSame(before.definition, definition);
      return before;
    }
    if (this.#metrics.size >= MOST_METRICS)
      throw new ServerError(
        'init_failed',
        `metrics.${definition.kind}: expected at most ${MOST_METRICS} metrics; make a label of what differs`,
      );
    checkSeries(definition, (name) => this.#metrics.get(name)?.definition.kind);
    const metric = new Metric(definition, this.#schedule);
    this.#metrics.set(definition.name, metric);
    this.#defined.push(definition);
    this.#schedule();
    return metric;
  }
}

/** Measures inferences, and tells traced requests of those that served them. */
export class InferenceMetrics implements InferenceObserver {
  readonly #duration: Metric;
  readonly #rows: Metric;

  readonly listener: InferenceObserver['listener'];

  /** @param traced the request whose inferences are wanted by name, time and rows */
  constructor(metrics: WorkerMetrics, traced?: () => WorkerRequest | undefined) {
    this.listener = traced && (() => listenerOf(traced()));
    this.#duration = metrics.known(inferenceDuration);
    this.#rows = metrics.known(inferenceRows);
  }

  inferred(model: string, ms: number, rows: number, release: Release): void {
    this.#duration.touch([model]).observe(ms / 1000);
    this.#rows.touch([model, release]).observe(rows);
  }
}

function listenerOf(request: WorkerRequest | undefined): ReturnType<NonNullable<InferenceObserver['listener']>> {
  const inferences = request?.inferences;
  return inferences && ((model, at, ms, rows) => void inferences.push({ model, at: performance.timeOrigin + at, ms, rows }));
}
