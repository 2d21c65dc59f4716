import { Counter, Gauge, type Registry } from 'prom-client';
import { type MetricDefinition, type MetricsMessage, type SeriesChange, workerMetrics } from '../ipc/metric-series.ts';
import { DistributionHistogram } from './distribution-histogram.ts';

/** Label of gauges: the worker's number. */
const WORKER = 'worker';

type Reported = { readonly definition: MetricDefinition; readonly metric: Counter | Gauge | DistributionHistogram };

/**
 * Metrics that workers report, added up in the one registry. Counters and histograms outlive the
 * worker that counted. A gauge is the state of one worker: it has the worker's number as a label,
 * and is removed with the worker.
 */
export class ReportedMetrics {
  readonly #registry: Registry;
  readonly #metrics = new Map<string, Reported>();
  /**
   * The worker that set a series of a gauge last. Its number is not enough: during a replacement
   * two workers have the same one.
   */
  readonly #owners = new Map<string, { readonly owner: object; readonly gauge: Gauge; readonly labels: Record<string, string> }>();

  constructor(registry: Registry) {
    this.#registry = registry;
    for (const definition of workerMetrics) this.#define(definition);
  }

  /**
   * Adds a report.
   * @param owner the worker, as `gone` gets it
   * @returns the names of metrics whose definition differs from an earlier one; their changes are
   * left out
   */
  merge(owner: object, worker: number, { defined, changes }: MetricsMessage): string[] {
    const odd = defined.filter((definition) => !this.#define(definition)).map(({ name }) => name);
    for (const change of changes) if (!odd.includes(change.name)) this.#apply(owner, worker, change);
    return odd;
  }

  /** A worker has exited: removes its gauges. */
  gone(owner: object): void {
    for (const [key, series] of this.#owners) {
      if (series.owner !== owner) continue;
      series.gauge.remove(series.labels);
      this.#owners.delete(key);
    }
  }

  /** Answers false where the metric has another definition already. */
  #define(definition: MetricDefinition): boolean {
    const known = this.#metrics.get(definition.name);
    if (known !== undefined) return JSON.stringify(known.definition) === JSON.stringify(definition);
    // One of the server's own: the registry would throw.
    if (this.#registry.getSingleMetric(definition.name) !== undefined) return false;
    this.#metrics.set(definition.name, { definition, metric: this.#create(definition) });
    return true;
  }

  #create(definition: MetricDefinition): Reported['metric'] {
    const { kind, name, help, labels } = definition;
    if (kind === 'histogram') return new DistributionHistogram(definition, this.#registry);
    const registers = [this.#registry];
    return kind === 'counter'
      ? new Counter({ name, help, labelNames: [...labels], registers })
      : new Gauge({ name, help, labelNames: [...labels, WORKER], registers });
  }

  #apply(owner: object, worker: number, { name, labels, value, counts }: SeriesChange): void {
    const { definition, metric } = this.#metrics.get(name) ?? {};
    if (metric === undefined || definition === undefined) return;
    if (metric instanceof DistributionHistogram) return metric.of(...labels).add(counts ?? [], value);
    const named = Object.fromEntries(definition.labels.map((label, at) => [label, labels[at] ?? '']));
    if (metric instanceof Counter) return metric.inc(named, value);
    const own = { ...named, [WORKER]: String(worker) };
    metric.set(own, value);
    this.#owners.set(JSON.stringify([name, worker, labels]), { owner, gauge: metric, labels: own });
    return undefined;
  }
}
