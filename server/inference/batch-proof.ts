import type { Tensor, TensorSpec } from '../entry-script.ts';
import type { Provider } from '../config/execution-provider.ts';
import { dtypes } from '../tensors/dtypes.ts';
import { valuesOf } from '../tensors/tensor.ts';
import { merge, split, type Infer, type Tensors } from './batcher.ts';
import { providers } from './execution-providers.ts';
import { probeInputs } from './probe-inputs.ts';

/** True `merges` if calls of a model may be merged, with the reason for either. */
export interface BatchVerdict {
  readonly merges: boolean;
  readonly reason: string;
}

interface Candidate {
  readonly provider: Provider;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly infer: (feeds: Tensors, outputs: readonly string[]) => ReturnType<Infer>;
}

const SEEDS = [1, 2, 3];
const BATCH_SIZES = [2, 3, 8];
const MOST_ROWS = Math.max(...BATCH_SIZES);
/**
 * A slower row gains nothing from a batch on the CPU, because the fixed cost of an inference is
 * some 10 µs.
 */
const SLOW_ROW_MS = 5;
/** The fastest run counts, because other processes may be busy at a start. */
const TIMED_RUNS = 3;
const EXACT = { relative: 0, absolute: 0 };

const no = (reason: string): BatchVerdict => ({ merges: false, reason });

/** The reason why the shapes forbid merging, or undefined if they allow it. */
export function shapeObstacle({ inputs, outputs }: Pick<Candidate, 'inputs' | 'outputs'>): string | undefined {
  if (inputs.length === 0) return 'the model has no inputs';
  for (const [port, specs] of [
    ['input', inputs],
    ['output', outputs],
  ] as const) {
    const fixed = specs.find(({ dims }) => typeof dims[0] !== 'string');
    if (fixed !== undefined) return `${port} ${fixed.name} has no symbolic first dimension`;
  }
  return undefined;
}

/**
 * Proves, as far as runs can, that rows of a batch do not influence each other. Rows that ran alone
 * must equal the same rows in batches of 2, 3 and 8, for three seeds and for the samples. An
 * inconclusive trial counts as a refusal (docs/performance.md).
 * @param samples inputs of the model while the script ran on its own sample
 */
export async function proveRowsIndependent(model: Candidate, samples: readonly Tensors[]): Promise<BatchVerdict> {
  const obstacle = shapeObstacle(model);
  if (obstacle !== undefined) return no(obstacle);
  try {
    const slow = await slowRow(model);
    if (slow !== undefined) return no(slow);
    for (const seed of SEEDS) {
      const rows = Array.from({ length: MOST_ROWS }, (_, row) => probeInputs(model.inputs, 1, seed * 100 + row)).filter(
        (row) => row !== undefined,
      );
      const difference = await compare(model, rows, true);
      if (difference !== undefined) return no(difference);
    }
    for (const sample of samples) {
      const difference = await compare(model, rowsOf(sample), false);
      if (difference !== undefined) return no(`${difference} (on the script's sample)`);
    }
  } catch (thrown) {
    return no(`inconclusive: the model failed on probe inputs (${thrown instanceof Error ? thrown.message : String(thrown)})`);
  }
  return { merges: true, reason: 'rows run alone equal rows run together' };
}

/**
 * The reason why merging gains nothing, or undefined if it may. Devices gain from batches however
 * long a row takes.
 */
async function slowRow({ provider, inputs, outputs, infer }: Candidate): Promise<string | undefined> {
  const row = probeInputs(inputs, 1, 1);
  if (row === undefined) return 'a row is too large to probe';
  if (providers[provider].isDevice) return undefined;
  const names = outputs.map(({ name }) => name);
  await infer(row, names);
  for (let run = 0; run < TIMED_RUNS; run++) {
    const began = performance.now();
    await infer(row, names);
    if (performance.now() - began <= SLOW_ROW_MS) return undefined;
  }
  // The reason is a label of a metric, so it holds no measured number.
  return `a row takes more than ${SLOW_ROW_MS} ms: merging gains nothing on the CPU`;
}

/**
 * The difference between rows in a batch and rows alone, or undefined if there is none.
 * @param mustVary true if equal answers to different rows prove nothing
 */
async function compare({ outputs, infer }: Candidate, rows: readonly Tensors[], mustVary: boolean): Promise<string | undefined> {
  const names = outputs.map(({ name }) => name);
  const alone: Record<string, Tensor>[] = [];
  for (const row of rows) alone.push(await infer(row, names));
  for (const size of BATCH_SIZES) {
    if (size > rows.length) break;
    const together = split(
      await infer(merge(rows.slice(0, size)), names),
      Array.from({ length: size }, () => 1),
    );
    for (const [index, row] of together.entries()) {
      const different = names.find((name) => !same(row[name], alone[index]?.[name]));
      if (different !== undefined) return `output ${different} of a row differs in a batch of ${size}`;
    }
  }
  if (mustVary && names.every((name) => alone.every((each) => same(each[name], alone[0]?.[name])))) {
    return 'inconclusive: the answer does not depend on the probe inputs';
  }
  return undefined;
}

/** The rows of a sample, repeated up to the largest batch. */
function rowsOf(sample: Tensors): Tensors[] {
  const count = Object.values(sample)[0]?.dims[0] ?? 0;
  const rows =
    count === 0
      ? []
      : split(
          sample,
          Array.from({ length: count }, () => 1),
        );
  return rows.length === 0 ? [] : Array.from({ length: MOST_ROWS }, (_, index) => rows[index % rows.length] ?? {});
}

function same(one: Tensor | undefined, other: Tensor | undefined): boolean {
  if (one === undefined || other === undefined || one.type !== other.type) return false;
  if (one.dims.length !== other.dims.length || one.dims.some((dim, axis) => dim !== other.dims[axis])) return false;
  const left: ArrayLike<unknown> = valuesOf(one);
  const right: ArrayLike<unknown> = valuesOf(other);
  const row = dtypes[one.type];
  const { relative, absolute } = row.kind === 'float' ? row.tolerance : EXACT;
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index], right[index]];
    if (Object.is(a, b) || a === b) continue;
    if (typeof a !== 'number' || typeof b !== 'number' || !(Math.abs(a - b) <= absolute + relative * Math.abs(b))) return false;
  }
  return true;
}
