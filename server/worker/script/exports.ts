/**
 * The package as entry scripts import it: `import { Collector, ScoringError, type InitContext }
 * from 'scoring-server'`.
 */
export * from '../../entry-script.ts';
export { BasicCorrelationContext, Collector } from '../collect/collector.ts';
export type { CollectorOptions, CorrelationContext } from '../collect/collector.ts';
export type { Collectable } from '../collect/collect-rows.ts';
export type { CollectedRow, ColumnType, ColumnTypes } from '../collect/columns.ts';
export { ModelDataCollector } from '../collect/model-data-collector.ts';
export type { Correlations, ModelDataCollectorOptions } from '../collect/model-data-collector.ts';
export { numpyType } from '../schemas/numpy-type.ts';
export { standardType } from '../schemas/standard-type.ts';
export { tableType } from '../schemas/table-type.ts';
