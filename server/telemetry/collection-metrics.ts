import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * Counts of collected data. The room `collection` keeps them (counts.ts) and this room may not
 * import it, so only the form is known.
 */
interface Counts {
  readonly results: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly dropped: ReadonlyMap<string, number>;
  readonly errors: ReadonlyMap<string, number>;
  readonly omitted: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly notRedacted: ReadonlyMap<string, number>;
  /** Each scrape empties it. */
  readonly flushSeconds: number[];
  readonly lastSuccess: number;
  readonly deadLettersRemoved: number;
  readonly filesRemoved: number;
  readonly records: number;
  readonly bytes: number;
  readonly spoolRecords: number;
  readonly spoolBytes: number;
}

type Series = readonly [labels: Readonly<Record<string, string>>, total: number];

/** One metric: a row of the table. */
type Row = { readonly name: string; readonly help: string } & (
  | { readonly kind: 'totals'; readonly labels: readonly string[]; readonly read: (counts: Counts, sink: string) => readonly Series[] }
  | { readonly kind: 'gauge'; readonly read: (counts: Counts) => number }
  | { readonly kind: 'durations'; readonly buckets: readonly number[]; readonly take: (counts: Counts) => readonly number[] }
);

/** One series for each number of each collection. */
const byCollection = (rows: ReadonlyMap<string, Readonly<Record<string, number>>>, label: string): Series[] =>
  [...rows].flatMap(([collection, row]) => Object.entries(row).map(([name, total]): Series => [{ collection, [label]: name }, total]));

const byReason = (counts: ReadonlyMap<string, number>): Series[] => [...counts].map(([reason, total]) => [{ reason }, total]);

/** The metrics of model data collection, in their order on the page: docs/metrics.md. */
const rows: readonly Row[] = [
  {
    kind: 'totals',
    name: 'mdc_records_total',
    help: 'collected records, by result',
    labels: ['collection', 'result'],
    read: ({ results }) => byCollection(results, 'result'),
  },
  {
    kind: 'totals',
    name: 'mdc_dropped_total',
    help: 'collected records that were not delivered, by reason',
    labels: ['reason'],
    read: ({ dropped }) => byReason(dropped),
  },
  {
    kind: 'totals',
    name: 'mdc_bodies_omitted_total',
    help: 'bodies that were left out of their records, by reason',
    labels: ['collection', 'reason'],
    read: ({ omitted }) => byCollection(omitted, 'reason'),
  },
  {
    kind: 'totals',
    name: 'mdc_redactions_failed_total',
    help: 'bodies that were not collected because redact() failed, by reason',
    labels: ['reason'],
    read: ({ notRedacted }) => byReason(notRedacted),
  },
  { kind: 'gauge', name: 'mdc_queue_records', help: 'collected records in memory', read: ({ records }) => records },
  { kind: 'gauge', name: 'mdc_queue_bytes', help: 'memory of collected records, bodies under way included', read: ({ bytes }) => bytes },
  {
    kind: 'gauge',
    name: 'mdc_spool_records',
    help: 'collected records that wait on disk, without dead letters',
    read: ({ spoolRecords }) => spoolRecords,
  },
  {
    kind: 'gauge',
    name: 'mdc_spool_bytes',
    help: 'size of what waits on disk, without dead letters',
    read: ({ spoolBytes }) => spoolBytes,
  },
  {
    kind: 'durations',
    name: 'mdc_flush_seconds',
    help: 'duration of a delivery to the sink',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    take: ({ flushSeconds }) => flushSeconds.splice(0),
  },
  {
    kind: 'totals',
    name: 'mdc_sink_errors_total',
    help: 'failed deliveries to the sink, by code',
    labels: ['sink', 'code'],
    read: ({ errors }, sink) => [...errors].map(([code, total]) => [{ sink, code }, total]),
  },
  {
    kind: 'totals',
    name: 'mdc_dead_letters_removed_total',
    help: 'records that the sink refused for good, removed to make room for newer ones',
    labels: [],
    read: ({ deadLettersRemoved }) => [[{}, deadLettersRemoved]],
  },
  {
    kind: 'totals',
    name: 'mdc_files_removed_total',
    help: 'files of collected data that the sink file removed to make room for newer ones',
    labels: [],
    read: ({ filesRemoved }) => [[{}, filesRemoved]],
  },
  {
    kind: 'gauge',
    name: 'mdc_last_success_timestamp_seconds',
    help: 'time of the last successful delivery to the sink',
    read: ({ lastSuccess }) => lastSuccess,
  },
];

/**
 * Adds the metrics of model data collection. Each scrape reads the counts.
 * @param sink its name
 */
export function addCollectionMetrics(registry: Registry, sink: string, read: () => Counts): void {
  for (const row of rows) registry.registerMetric(metricOf(row, sink, read));
}

/** Not arrow functions: prom-client calls `collect` with the metric as `this`. */
function metricOf(row: Row, sink: string, read: () => Counts): Counter | Gauge | Histogram {
  const common = { name: row.name, help: row.help, registers: [] };
  switch (row.kind) {
    case 'totals':
      return new Counter({
        ...common,
        labelNames: row.labels,
        collect(this: Counter) {
          this.reset();
          for (const [labels, total] of row.read(read(), sink)) this.inc(labels, total);
        },
      });
    case 'gauge':
      return new Gauge({
        ...common,
        collect(this: Gauge) {
          this.set(row.read(read()));
        },
      });
    case 'durations':
      return new Histogram({
        ...common,
        buckets: [...row.buckets],
        collect(this: Histogram) {
          for (const seconds of row.take(read())) this.observe(seconds);
        },
      });
    default:
      return row satisfies never;
  }
}
