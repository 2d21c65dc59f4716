import type { MetricLabels, ScriptMetrics } from '../../entry-script.ts';
import type { MetricDefinition, MetricsMessage } from '../../ipc/metric-series.ts';
import { labelValues } from './metric-checks.ts';
import { MetricRecorder } from './metric-recorder.ts';

/** Observations of a histogram. */
export interface Observed {
  readonly count: number;
  readonly sum: number;
}

/** The metrics of a script under test, which its test reads. */
export class MetricsUnderTest {
  readonly #metrics = new MetricRecorder((message) => this.#take(message));
  readonly #definitions = new Map<string, MetricDefinition>();
  readonly #values = new Map<string, { count: number; sum: number }>();

  /** For the script. */
  get own(): ScriptMetrics {
    return this.#metrics.forScript;
  }

  /** @throws Error when the script has not defined it, or it has other labels */
  value(name: string, labels?: MetricLabels): number | Observed | undefined {
    this.#metrics.report();
    const definition = this.#definitions.get(name);
    if (definition === undefined)
      throw new Error(`the script has no metric ${name}; it has: ${[...this.#definitions.keys()].join(', ') || 'none'}`);
    const value = this.#values.get(keyOf(name, labelValues(definition, labels)));
    return value === undefined || definition.kind === 'histogram' ? value : value.sum;
  }

  #take({ defined, changes }: MetricsMessage): void {
    for (const definition of defined) this.#definitions.set(definition.name, definition);
    for (const { name, labels, value, counts = [] } of changes) {
      const key = keyOf(name, labels);
      const before = this.#definitions.get(name)?.kind === 'gauge' ? undefined : this.#values.get(key);
      const count = counts.reduce((sum, inBucket) => sum + inBucket, 0);
      this.#values.set(key, { count: (before?.count ?? 0) + count, sum: (before?.sum ?? 0) + value });
    }
  }
}

function keyOf(name: string, labels: readonly string[]): string {
  return JSON.stringify([name, ...labels]);
}
