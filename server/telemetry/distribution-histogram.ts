import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client';
import { Distribution, type MetricDefinition } from '../ipc/metric-series.ts';

type Values = MetricObjectWithValues<MetricValueWithName<string>>;

/**
 * A histogram of prom-client that keeps its own numbers. Why: `observe` of the original hashes
 * labels and allocates. That costs the host more than 1 % of a small request's CPU time, for each
 * histogram. This one also adds up what workers have counted.
 */
export class DistributionHistogram extends Histogram {
  readonly #definition: Omit<MetricDefinition, 'kind'>;
  readonly #series = new Map<string, { readonly labels: Record<string, string>; readonly distribution: Distribution }>();

  constructor(definition: Omit<MetricDefinition, 'kind'>, registry: Registry) {
    const { name, help, labels, buckets = [] } = definition;
    super({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] });
    this.#definition = definition;
  }

  /** The numbers of one series. @param values of the labels, in the definition's order */
  of(...values: readonly string[]): Distribution {
    const key = values.join('\0');
    let series = this.#series.get(key);
    if (series === undefined) {
      const { labels, buckets = [] } = this.#definition;
      series = {
        labels: Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])),
        distribution: new Distribution(buckets),
      };
      this.#series.set(key, series);
    }
    return series.distribution;
  }

  /** Read by prom-client for JSON. */
  override get(): Promise<Values> {
    const { name, help } = this.#definition;
    const values = [...this.#series.values()].flatMap(({ labels, distribution }) => valuesOf(name, labels, distribution));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- prom-client's types want `collect` and a kind that is a number, its code neither
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values } as unknown as Values);
  }

  /** Read by prom-client for the text format, in place of `get`. */
  getForPromString(): Promise<Values> {
    return this.get();
  }
}

function valuesOf(name: string, labels: Record<string, string>, { bounds, counts, sum }: Distribution): MetricValueWithName<string>[] {
  let count = 0;
  const buckets = counts.map((inBucket, at) => {
    count += inBucket;
    return { metricName: `${name}_bucket`, labels: { le: String(bounds[at] ?? '+Inf'), ...labels }, value: count };
  });
  return [...buckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count }];
}
