import { Counter, Gauge, type Registry } from 'prom-client';

/** One place of the pool, with the workers that had it. */
export interface WorkerRow {
  /** Its number. */
  readonly worker: number;
  /** Of its newest worker. */
  readonly state: string;
  readonly starts: number;
  /** Of the processes that run in it; undefined: not known. */
  readonly memoryBytes: number | undefined;
  /** Of all its processes so far; undefined: not known. */
  readonly cpuSeconds: number | undefined;
}

type Series = readonly [labels: Readonly<Record<string, string>>, value: number | undefined];

/** The processes of the workers: docs/metrics.md. */
export class WorkerMetrics {
  /** Set at each reading of the workers' memory. */
  readonly memoryShare: Gauge;
  #read: () => readonly WorkerRow[] = () => [];

  constructor(registry: Registry) {
    this.#gauge(registry, 'worker_info', 'always 1; the labels show the state of each worker', ({ state }) => [{ state }, 1]);
    this.#counter(registry, 'worker_starts_total', 'processes that were started as this worker', ({ starts }) => starts);
    this.#gauge(registry, 'worker_memory_bytes', 'resident memory of a worker (VmRSS), mapped models included', ({ memoryBytes }) => [
      {},
      memoryBytes,
    ]);
    this.#counter(
      registry,
      'worker_cpu_seconds_total',
      'CPU time of a worker, and of those that it replaced',
      ({ cpuSeconds }) => cpuSeconds,
    );
    this.memoryShare = new Gauge({
      name: 'worker_memory_limit_ratio',
      help: "share of the workers' memory limit that is taken, without mapped models; above 1 a worker is killed",
      registers: [registry],
    });
  }

  /** Sets where each scrape reads the rows. */
  observe(read: () => readonly WorkerRow[]): void {
    this.#read = read;
  }

  /** Not arrow functions, here and below: prom-client calls `collect` with the metric as `this`. */
  #counter(registry: Registry, name: string, help: string, totalOf: (row: WorkerRow) => number | undefined): void {
    const rows = (): readonly WorkerRow[] => this.#read();
    registry.registerMetric(
      new Counter({
        name,
        help,
        labelNames: ['worker'],
        registers: [],
        collect(this: Counter) {
          this.reset();
          for (const row of rows()) {
            const total = totalOf(row);
            if (total !== undefined) this.inc({ worker: row.worker }, total);
          }
        },
      }),
    );
  }

  #gauge(registry: Registry, name: string, help: string, seriesOf: (row: WorkerRow) => Series): void {
    const rows = (): readonly WorkerRow[] => this.#read();
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ['worker', 'state'],
        registers: [],
        collect(this: Gauge) {
          this.reset();
          for (const row of rows()) {
            const [labels, value] = seriesOf(row);
            if (value !== undefined) this.set({ worker: row.worker, ...labels }, value);
          }
        },
      }),
    );
  }
}
