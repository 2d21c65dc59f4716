import { Counter, Gauge, type Registry } from 'prom-client';
import { type MetricDefinition, type MetricsMessage, type SeriesChange, workerMetrics } from '../ipc/metric-series.ts';
import { DistributionHistogram } from './distribution-histogram.ts';

/** Label of gauges: the worker's number. */
const WORKER = 'worker';

/**
 * Metrics that scripts define, and series of all of them, over all lives of their workers. Why: a
 * worker has limits of its own (worker/metrics), but the next one may bring other names and labels.
 */
const MOST_METRICS = 1000;
const MOST_SERIES = 10_000;
/** Series of one metric that workers count by themselves: by the name of a model. */
const MOST_OWN_SERIES = 1000;

interface Reported {
  readonly definition: MetricDefinition;
  readonly metric: Counter | Gauge | DistributionHistogram;
  /** The server's own, not a script's. */
  readonly own: boolean;
  readonly series: Set<string>;
}

/** What of a report is left out. */
interface LeftOut {
  /** Names of metrics whose definition differs from an earlier one. */
  readonly odd: readonly string[];
  /** Name of a metric that is one too many, or has a series that is. */
  readonly beyond: string | undefined;
}

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
  readonly #owners = new Map<
    string,
    { readonly owner: object; readonly reported: Reported; readonly gauge: Gauge; readonly labels: Record<string, string> }
  >();
  /** Of scripts. */
  #defined = 0;
  #series = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    for (const definition of workerMetrics) this.#define(definition, true);
  }

  /**
   * Adds a report.
   * @param owner the worker, as `gone` gets it
   */
  merge(owner: object, worker: number, { defined, changes }: MetricsMessage): LeftOut {
    const odd: string[] = [];
    let beyond: string | undefined;
    for (const definition of defined) {
      const outcome = this.#define(definition, false);
      if (outcome === 'odd') odd.push(definition.name);
      if (outcome === 'beyond') beyond ??= definition.name;
    }
    for (const change of changes) if (!odd.includes(change.name) && !this.#apply(owner, worker, change)) beyond ??= change.name;
    return { odd, beyond };
  }

  /** A worker has exited: removes its gauges. */
  gone(owner: object): void {
    for (const [key, { owner: last, reported, gauge, labels }] of this.#owners) {
      if (last !== owner) continue;
      gauge.remove(labels);
      reported.series.delete(key);
      this.#series--;
      this.#owners.delete(key);
    }
  }

  #define(definition: MetricDefinition, own: boolean): 'odd' | 'beyond' | undefined {
    const known = this.#metrics.get(definition.name);
    if (known !== undefined) return JSON.stringify(known.definition) === JSON.stringify(definition) ? undefined : 'odd';
    // One of the server's own: the registry would throw.
    if (this.#registry.getSingleMetric(definition.name) !== undefined) return 'odd';
    if (!own && ++this.#defined > MOST_METRICS) return 'beyond';
    this.#metrics.set(definition.name, { definition, metric: this.#create(definition), own, series: new Set() });
    return undefined;
  }

  #create(definition: MetricDefinition): Reported['metric'] {
    const { kind, name, help, labels } = definition;
    if (kind === 'histogram') return new DistributionHistogram(definition, this.#registry);
    const registers = [this.#registry];
    return kind === 'counter'
      ? new Counter({ name, help, labelNames: [...labels], registers })
      : new Gauge({ name, help, labelNames: [...labels, WORKER], registers });
  }

  /** False: the series is one too many. */
  #apply(owner: object, worker: number, { name, labels, value, counts }: SeriesChange): boolean {
    const reported = this.#metrics.get(name);
    // Its definition was left out.
    if (reported === undefined) return true;
    const { definition, metric } = reported;
    const key = JSON.stringify(metric instanceof Gauge ? [name, worker, labels] : labels);
    if (!this.#admits(reported, key)) return false;
    if (metric instanceof DistributionHistogram) {
      metric.of(...labels).add(counts ?? [], value);
      return true;
    }
    const named = Object.fromEntries(definition.labels.map((label, at) => [label, labels[at] ?? '']));
    if (metric instanceof Counter) {
      metric.inc(named, value);
      return true;
    }
    const own = { ...named, [WORKER]: String(worker) };
    metric.set(own, value);
    this.#owners.set(key, { owner, reported, gauge: metric, labels: own });
    return true;
  }

  #admits({ own, series }: Reported, key: string): boolean {
    if (series.has(key)) return true;
    if (own ? series.size >= MOST_OWN_SERIES : this.#series >= MOST_SERIES) return false;
    if (!own) this.#series++;
    series.add(key);
    return true;
  }
}
