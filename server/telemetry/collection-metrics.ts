import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What is known of collected data: collection/counts.ts has the same, which this room may not see. */
interface Counts {
  readonly results: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly dropped: ReadonlyMap<string, number>;
  readonly errors: ReadonlyMap<string, number>;
  readonly notRedacted: ReadonlyMap<string, number>;
  /** Emptied when it is read. */
  readonly flushSeconds: number[];
  readonly lastSuccess: number;
  readonly deadLettersRemoved: number;
  readonly records: number;
  readonly bytes: number;
}

type Row = readonly [labels: Record<string, string>, total: number];

/**
 * Adds the metrics of model data collection, read from its counts at each scrape. Names: reference/data-collection.md, section 12.
 * @param sink its name
 */
export function addCollectionMetrics(registry: Registry, sink: string, read: () => Counts): void {
  const registers: Registry[] = [];
  /** A counter that shows totals kept elsewhere. */
  const totals = (name: string, help: string, labelNames: string[], rows: (counts: Counts) => readonly Row[]): Counter =>
    new Counter({
      name,
      help,
      labelNames,
      registers,
      // Not an arrow function: prom-client calls it with the metric as `this`.
      collect(this: Counter) {
        this.reset();
        for (const [labels, total] of rows(read())) if (total > 0) this.inc(labels, total);
      },
    });
  const gauge = (name: string, help: string, value: (counts: Counts) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect(this: Gauge) {
        this.set(value(read()));
      },
    });
  const all = [
    totals('mdc_records_total', 'collected records, by result', ['collection', 'result'], ({ results }) =>
      [...results].flatMap(([collection, row]) => Object.entries(row).map(([result, total]): Row => [{ collection, result }, total])),
    ),
    totals('mdc_dropped_total', 'collected records that were not delivered, by reason', ['reason'], ({ dropped }) =>
      [...dropped].map(([reason, total]): Row => [{ reason }, total]),
    ),
    totals(
      'mdc_redactions_failed_total',
      'bodies that were not collected because redact() failed, by reason',
      ['reason'],
      ({ notRedacted }) => [...notRedacted].map(([reason, total]): Row => [{ reason }, total]),
    ),
    gauge('mdc_queue_records', 'collected records in memory', ({ records }) => records),
    gauge('mdc_queue_bytes', 'memory of collected records', ({ bytes }) => bytes),
    new Histogram({
      name: 'mdc_flush_seconds',
      help: 'duration of a delivery to the sink',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
      registers,
      collect(this: Histogram) {
        for (const seconds of read().flushSeconds.splice(0)) this.observe(seconds);
      },
    }),
    totals('mdc_sink_errors_total', 'failed deliveries to the sink, by code', ['sink', 'code'], ({ errors }) =>
      [...errors].map(([code, total]): Row => [{ sink, code }, total]),
    ),
    totals(
      'mdc_dead_letters_removed_total',
      'records that the sink refused for good, removed to make room for newer ones',
      [],
      (counts) => [[{}, counts.deadLettersRemoved]],
    ),
    gauge('mdc_last_success_timestamp_seconds', 'time of the last successful delivery to the sink', ({ lastSuccess }) => lastSuccess),
  ];
  for (const metric of all) registry.registerMetric(metric);
}
