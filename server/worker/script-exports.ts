/** What an entry script imports: `import { Collector, ScoringError, type InitContext } from 'scoring-server'`. */
export * from '../entry-script.ts';
export { BasicCorrelationContext, Collector } from './collector.ts';
export type { CollectorOptions, CorrelationContext } from './collector.ts';
export type { Collectable, CollectedRow } from './collect-rows.ts';
export { ModelDataCollector } from './model-data-collector.ts';
export type { Correlations, ModelDataCollectorOptions } from './model-data-collector.ts';
