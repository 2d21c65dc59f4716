import { Counter, type Registry } from 'prom-client';

/** How a line of a worker was lost. */
const OUTPUT_LOSSES = ['cut', 'dropped'] as const;

/** Losses of output: lines of workers, and lines of the log that found no room. */
export class OutputMetrics {
  readonly #workerLost: Counter;
  readonly logDropped: Counter;
  #logDropped: (() => number) | undefined;

  constructor(registry: Registry) {
    this.#workerLost = new Counter({
      name: 'worker_output_lost_total',
      help: 'lines of worker output that were cut at 64 KiB (cut), or dropped because they came too fast to log (dropped)',
      labelNames: ['reason'],
      registers: [registry],
    });
    for (const reason of OUTPUT_LOSSES) this.lost(reason, 0);
    const dropped = (): number => this.#logDropped?.() ?? 0;
    this.logDropped = new Counter({
      name: 'log_lines_dropped_total',
      help: 'log lines dropped because stdout was stalled, full or closed',
      registers: [registry],
      // Not an arrow function: prom-client calls it with the metric as `this`.
      collect(this: Counter) {
        this.reset();
        this.inc(dropped());
      },
    });
  }

  /** Counts lines of a worker. */
  lost(reason: (typeof OUTPUT_LOSSES)[number], lines: number): void {
    this.#workerLost.inc({ reason }, lines);
  }

  /** Sets the log's own count, which each scrape reads. */
  observeLog(dropped: () => number): void {
    this.#logDropped = dropped;
  }
}
