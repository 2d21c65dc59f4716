import type { HostCollector, Redactor } from '../collection/host/collector.ts';
import type { CollectionSettings } from '../collection/settings.ts';
import type { ServerLog } from '../log.ts';
import type { PoolScorer } from '../scoring/scorer.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { VERSION } from './serving-plan.ts';
import { reportCollection } from './start-report.ts';

/** The redaction hook of the entry script, for parts that are made before the workers. */
export class ScriptRedactor implements Redactor {
  /** Set as soon as there are workers. No record is collected before. */
  scorer: PoolScorer | undefined;

  get needed(): boolean | undefined {
    return this.scorer?.served?.redacts;
  }

  async redact(...[id, sides]: Parameters<Redactor['redact']>): ReturnType<Redactor['redact']> {
    return this.scorer === undefined ? sides.map(() => 'stopped') : this.scorer.redactions.redact(id, sides);
  }
}

interface CollectorSurroundings {
  readonly output: ServerLog;
  readonly metrics: Metrics;
  readonly redactor: Redactor;
  readonly env: NodeJS.ProcessEnv;
}

/** Loads and starts data collection. */
export async function openCollector(
  settings: CollectionSettings,
  { output, metrics, redactor, env }: CollectorSurroundings,
): Promise<HostCollector> {
  const [{ HostCollector }, { addCollectionMetrics }] = await Promise.all([
    import('../collection/host/collector.ts'),
    import('../telemetry/collection-metrics.ts'),
  ]);
  const collector = new HostCollector({ settings, redactor, log: output.log, stdout: output.output, agent: VERSION, env });
  addCollectionMetrics(metrics.registry, collector.sink, () => collector.counts);
  reportCollection(output.log, settings);
  return collector;
}
