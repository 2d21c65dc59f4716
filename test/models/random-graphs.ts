import { RandomGraph, ROWS } from './random-graph.ts';
import { randomOperators } from './random-operators.ts';
import type { Tensors } from '../../server/inference/batcher.ts';
import { randomNumbers } from './graph-builder.ts';
import { readInputs } from './onnx-text.ts';
import type { RowModel } from './rows/row-model.ts';

/** A model of up to 8 random operators, or undefined where nothing has a row for each row. */
export function randomGraph(seed: number): RowModel | undefined {
  const graph = new RandomGraph(seed);
  const operators = 1 + graph.below(8);
  for (let count = 0; count < operators; count++) graph.grow(graph.pick(randomOperators));
  return graph.finish(seed);
}

interface RandomBatch {
  readonly rows: readonly Tensors[];
  /** The row with a NaN. */
  readonly odd?: number;
}

/**
 * Rows of whole numbers for a random graph, in three batches: all small, one large, one with a NaN
 * and an infinity. Whole numbers stay exact, so that a difference is no matter of rounding.
 *
 * The answer of the row with the NaN is not to be compared. Why: ReduceMax of ONNX Runtime 1.30
 * answers NaN or a number by the sizes of its input. What the NaN does to other rows is.
 */
export function randomBatches({ text }: RowModel, seed: number): RandomBatch[] {
  const random = randomNumbers(seed);
  const ports = readInputs(text);
  const row = (value: (index: number) => number): Tensors =>
    Object.fromEntries(
      ports.map(({ name, dims }) => {
        const sizes = dims.map((size, axis) => (axis === 0 ? 1 : Number(size)));
        const data = Float32Array.from({ length: sizes.reduce((all, size) => all * size, 1) }, (_, index) => value(index));
        return [name, { type: 'float32' as const, dims: sizes, data }];
      }),
    );
  const small = (): number => Math.floor(random() * 7) - 3;
  const large = (): number => Math.floor(random() * 200) - 100;
  const odd = (index: number): number => [NaN, small(), Infinity][index % 3]!;
  const batch = (...rows: ((index: number) => number)[]): Tensors[] =>
    Array.from({ length: ROWS }, (_, at) => row(rows[at % rows.length]!));
  return [{ rows: batch(small) }, { rows: batch(small, large) }, { rows: batch(small, odd, large), odd: 1 }];
}
