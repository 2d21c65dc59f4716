/**
 * Metrics as workers report them and the host adds them up. Why plain numbers: recording one costs
 * no more than an addition.
 */

export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, ascending, without infinity; histograms only. */
  readonly buckets?: readonly number[];
}

/** The change of one series since the last report. */
export interface SeriesChange {
  readonly name: string;
  /** Values in the order of the definition's labels. */
  readonly labels: readonly string[];
  /** Counter: the sum added. Gauge: the current value. Histogram: the sum of the observations. */
  readonly value: number;
  /** Histogram: observations by bucket, the last one above every bound. */
  readonly counts?: readonly number[];
}

/** A report of a worker's metrics. */
export interface MetricsMessage {
  /** Metrics that the entry script has defined since the last report. */
  readonly defined: readonly MetricDefinition[];
  readonly changes: readonly SeriesChange[];
}

/** Why an inference began with the rows that it had: docs/metrics.md. */
export type Release = 'idle' | 'full' | 'delay' | 'alone' | 'retry';

/** Seconds: from half a millisecond (a small model) to the default deadline. */
export const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Measured in the workers. An inference of a small model takes about 10 microseconds. */
export const inferenceDuration: MetricDefinition = {
  kind: 'histogram',
  name: 'inference_duration_seconds',
  help: 'duration of one inference, merged or not',
  labels: ['model'],
  buckets: [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, ...DURATIONS],
};
export const inferenceRows: MetricDefinition = {
  kind: 'histogram',
  name: 'inference_batch_rows',
  help: 'rows of one inference, by the reason why it began',
  labels: ['model', 'release'],
  buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
};

/** The server's own metrics that workers count. The host shows each before its first report. */
export const workerMetrics: readonly MetricDefinition[] = [inferenceDuration, inferenceRows];

/** Counts by bucket, and the sum. */
export class Distribution {
  readonly bounds: readonly number[];
  counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
    counts[at] = (counts[at] ?? 0) + 1;
    this.sum += value;
  }

  add(counts: readonly number[], sum: number): void {
    for (let at = 0; at < this.counts.length; at++) this.counts[at] = (this.counts[at] ?? 0) + (counts[at] ?? 0);
    this.sum += sum;
  }

  reset(): void {
    this.counts.fill(0);
    this.sum = 0;
  }
}
