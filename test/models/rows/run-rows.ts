import { merge, split, type Tensors } from '../../../server/inference/batcher.ts';
import { loadRuntime } from '../../../server/inference/runtime.ts';
import { specsOf, tensorsOf } from '../../../server/inference/runtime-tensors.ts';
import { dtypes } from '../../../server/tensors/dtypes.ts';
import { valuesOf } from '../../../server/tensors/tensor.ts';

export type Run = (feeds: Tensors) => Promise<Tensors>;

/** Calls `use` with the runs of a model, given as bytes. @throws what ONNX Runtime refuses */
export async function withModel<T>(bytes: Buffer, use: (run: Run) => Promise<T>): Promise<T> {
  const { InferenceSession, Tensor } = await loadRuntime();
  // Level 4 logs only what is fatal: models here declare odd shapes on purpose.
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  const outputs = specsOf(session.outputMetadata).map(({ name }) => name);
  try {
    return await use(async (feeds) => {
      const inputs = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data as never, dims)]);
      return tensorsOf(await session.run(Object.fromEntries(inputs), outputs, { logSeverityLevel: 4 }), outputs, outputs);
    });
  } finally {
    await session.release();
  }
}

/**
 * The difference between rows that ran alone and the same rows in one batch, or undefined. A batch
 * that fails, or that answers another number of rows, is one.
 * @throws what a row alone fails with
 */
export async function differenceOfRows(run: Run, rows: readonly Tensors[], options: Options = {}): Promise<string | undefined> {
  const alone: Tensors[] = [];
  for (const row of rows) alone.push(await run(row));
  let together: Tensors[];
  try {
    together = split(
      await run(merge(rows)),
      rows.map(() => 1),
    );
  } catch (error) {
    return `the batch fails: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`;
  }
  for (const [index, row] of together.entries()) {
    if (index === options.except) continue;
    for (const [name, output] of Object.entries(row)) {
      const difference = differenceOf(output, alone[index]![name]!, options.tolerance);
      if (difference !== undefined) return `${name} of row ${index}: ${difference}`;
    }
  }
  return undefined;
}

interface Options {
  readonly tolerance?: Tolerance;
  /** A row whose own answer is not compared. */
  readonly except?: number | undefined;
}

interface Tolerance {
  readonly relative: number;
  /** Of the largest finite magnitude in the output. */
  readonly absolute: number;
}

/** How a tensor of a batch differs from the expected one, within the tolerance of its dtype. */
function differenceOf(got: Tensors[string], expected: Tensors[string], tolerance: Tolerance | undefined): string | undefined {
  if (String(got.dims) !== String(expected.dims)) return `shape ${got.dims.join('x')} instead of ${expected.dims.join('x')}`;
  const [left, right]: ArrayLike<unknown>[] = [valuesOf(got), valuesOf(expected)];
  const row = dtypes[got.type];
  const { relative, absolute } = row.kind === 'float' ? (tolerance ?? row.tolerance) : { relative: 0, absolute: 0 };
  let largest = 0;
  for (const value of Array.from(right!)) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value as number));
  for (let at = 0; at < left!.length; at++) {
    const [a, b] = [left![at], right![at]];
    if (Object.is(a, b) || a === b) continue;
    const near =
      typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= absolute * Math.max(1, largest) + relative * Math.abs(b);
    if (!near) return `[${at}] is ${String(a)} in the batch and ${String(b)} alone`;
  }
  return undefined;
}
