/** `import ... from 'scoring-server'` in a project that has this package installed. */
import './own-types.js';

export const { Answer, BasicCorrelationContext, Collector, ModelDataCollector, ScoringError, numpyType, standardType, tableType } =
  await import('../worker/script/exports.ts');
