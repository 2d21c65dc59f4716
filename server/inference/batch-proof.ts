import type { Tensor, TensorSpec } from '../entry-script.ts';
import type { Provider } from '../config/execution-provider.ts';
import { float16Numbers } from '../tensors/float16.ts';
import { merge, split, type Infer, type Tensors } from './batcher.ts';
import { probeInputs } from './probe-inputs.ts';

/** Whether calls of a model may be merged, and why. */
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
/** On the CPU a row that takes longer gains nothing from company: the fixed cost of an inference is some 10 microseconds. */
const SLOW_ROW_MS = 5;
/** The fastest counts: what else the machine does at a start must not decide. */
const TIMED_RUNS = 3;
/** Kernels may round differently at another batch size: relative and absolute difference that is still the same answer. */
const TOLERANCES: Readonly<Record<string, readonly [relative: number, absolute: number]>> = {
  float64: [1e-9, 1e-12],
  float32: [1e-4, 1e-5],
  float16: [1e-2, 1e-2],
};

const no = (reason: string): BatchVerdict => ({ merges: false, reason });

/** Why the shapes alone forbid it; undefined: they allow it. */
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
 * Proves, as far as runs can, that rows of a batch do not influence each other: rows run alone are compared with the same rows run
 * together, for three seeds and batches of 2, 3 and 8, and for the samples. Whatever is not conclusive means no (batching.md, section 1).
 * @param samples inputs that the script's own sample led to
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

/** Why merging cannot pay; undefined: it can. GPUs gain from company however long a row takes. */
async function slowRow({ provider, inputs, outputs, infer }: Candidate): Promise<string | undefined> {
  const row = probeInputs(inputs, 1, 1);
  if (row === undefined) return 'a row is too large to probe';
  if (provider !== 'cpu') return undefined;
  const names = outputs.map(({ name }) => name);
  await infer(row, names);
  for (let run = 0; run < TIMED_RUNS; run++) {
    const began = performance.now();
    await infer(row, names);
    if (performance.now() - began <= SLOW_ROW_MS) return undefined;
  }
  // No measured number: the reason is a label of a metric.
  return `a row takes more than ${SLOW_ROW_MS} ms: merging gains nothing on the CPU`;
}

/** What tells rows in company from rows alone; undefined: nothing does. @param mustVary whether equal answers to different rows prove nothing */
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

/** The rows of a sample, at least as many as the largest batch where there is any. */
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
  const [left, right] = [numbersOf(one), numbersOf(other)];
  const [relative, absolute] = TOLERANCES[one.type] ?? [0, 0];
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index], right[index]];
    if (Object.is(a, b) || a === b) continue;
    if (typeof a !== 'number' || typeof b !== 'number' || !(Math.abs(a - b) <= absolute + relative * Math.abs(b))) return false;
  }
  return true;
}

function numbersOf({ type, data }: Tensor): ArrayLike<unknown> {
  return type === 'float16' && data instanceof Uint16Array ? float16Numbers(data) : data;
}
