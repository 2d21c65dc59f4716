import type { TensorSpec } from '../entry-script.ts';
import type { Trial } from './batch-trial.ts';
import type { GraphVerdict } from './graph/verdict.ts';

/** True `merges` if calls of a model may be merged, with the reason for either. */
export interface BatchVerdict {
  readonly merges: boolean;
  /** The same at each start: it is a label of a metric. */
  readonly reason: string;
  /** The node of the graph that decides. */
  readonly node?: string | undefined;
}

/** What decides about merging. */
export interface Evidence {
  readonly inputs: readonly TensorSpec[];
  /** Follows the rows through the graph of the model. */
  readonly graph: () => Promise<GraphVerdict>;
  /** Runs rows; called only if its result can decide. */
  readonly trial: () => Promise<Trial>;
}

const no = (reason: string, node?: string): BatchVerdict => ({ merges: false, reason, ...(node !== undefined && { node }) });

/**
 * Decides whether calls are merged. `auto` merges if the graph keeps rows apart and the trial
 * agrees. A number merges also where they leave it open, but never rows that they show to mix.
 */
export async function decideMerging({ inputs, graph, trial }: Evidence, maxBatchSize: number | 'auto'): Promise<BatchVerdict> {
  if (maxBatchSize === 1) return no('switched off (MAX_BATCH_SIZE)');
  const obstacle = shapeObstacle(inputs);
  if (obstacle !== undefined) return no(obstacle);
  const asked = maxBatchSize !== 'auto';
  const { rows, reason, node } = await graph();
  if (rows === 'mixed' || (rows === 'unknown' && !asked)) return no(reason, node);
  const tried = await trial();
  if (tried.result === 'differs' || (tried.result === 'inconclusive' && !asked)) return no(tried.reason);
  return { merges: true, reason: asked ? `asked for (MAX_BATCH_SIZE=${maxBatchSize})` : `${reason}; ${tried.reason}` };
}

/**
 * The reason why the inputs forbid merging, or undefined if they allow it. Outputs are judged by
 * what runs answer, because some exporters declare `[1]` for any number of rows.
 */
function shapeObstacle(inputs: readonly TensorSpec[]): string | undefined {
  if (inputs.length === 0) return 'the model has no inputs';
  const fixed = inputs.find(({ dims }) => typeof dims[0] !== 'string');
  return fixed && `input ${fixed.name} has no symbolic first dimension`;
}
