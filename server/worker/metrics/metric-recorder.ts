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
import { Distribution, DURATIONS, type MetricDefinition, type MetricsMessage, type SeriesChange } from '../../ipc/metric-series.ts';
import { checkDefinition, checkSame, checkSeries, labelValues, onlyFinite } from './metric-checks.ts';

/** Milliseconds that a change waits for others. Why: one frame then carries many. */
const REPORT_AFTER_MS = 250;
/**
 * Series of one metric. Why: label values are often made from data, and would fill the memory of
 * the host.
 */
const MOST_SERIES = 1000;
/** Why: names may be made from data as well. */
const MOST_METRICS = 1000;

/** Series of one metric, by the values of its labels. */
export class Metric {
  readonly definition: MetricDefinition;
  readonly #series = new Map<string, { readonly labels: readonly string[]; readonly numbers: Distribution; changed: boolean }>();
  readonly #changed: () => void;

  constructor(definition: MetricDefinition, changed: () => void) {
    this.definition = definition;
    this.#changed = changed;
  }

  /** Numbers that are about to change. Counters and gauges use only their sum. */
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

  /** The changes since the last time. Gauges keep their value, the others restart. */
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

/** Why: a sum of finite numbers may be infinite, and JSON has no infinity. */
function saturated(sum: number): number {
  return Math.min(Math.max(sum, -Number.MAX_VALUE), Number.MAX_VALUE);
}

function valuesOf(metric: Metric, given: MetricLabels | undefined): Distribution {
  return metric.touch(labelValues(metric.definition, given));
}

/** Records the metrics of one worker: adds them up here, and reports the changes now and then. */
export class MetricRecorder implements ScriptMetrics {
  /** What the script gets: each member works by itself. */
  readonly forScript: ScriptMetrics = {
    counter: (name, help, options) => this.counter(name, help, options),
    gauge: (name, help, options) => this.gauge(name, help, options),
    histogram: (name, help, options) => this.histogram(name, help, options),
  };
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

  /** A metric that the host has already. */
  known(definition: MetricDefinition): Metric {
    const metric = new Metric(definition, this.#schedule);
    this.#metrics.set(definition.name, metric);
    return metric;
  }

  /** Sends the changes, if there are any. */
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
