import { sizeOf } from '../../tensors/tensor-shape.ts';

/** Brackets for row-major elements: `row(from, to)` writes the elements of one innermost row. */
export function nest(dims: readonly number[], row: (from: number, to: number) => string): string {
  if (dims.length === 0) return row(0, 1);
  const size = sizeOf(dims);
  if (size === 0) return nestEmpty(dims);
  const level = (axis: number, from: number, elements: number): string => {
    const count = dims[axis] ?? 0;
    if (axis === dims.length - 1) return `[${row(from, from + count)}]`;
    const step = elements / count;
    if (count === 1) return `[${level(axis + 1, from, step)}]`;
    return `[${Array.from({ length: count }, (_, index) => level(axis + 1, from + index * step, step)).join(',')}]`;
  };
  return level(0, 0, size);
}

/** Brackets of a tensor without elements, where all arrays of a level are alike. */
function nestEmpty(dims: readonly number[]): string {
  let text = '[]';
  for (const count of dims.slice(0, dims.indexOf(0)).toReversed()) text = `[${text}${`,${text}`.repeat(count - 1)}]`;
  return text;
}

/** Number of brackets that `nest` writes. */
export function brackets(dims: readonly number[]): number {
  let arrays = 1;
  let all = 0;
  for (const count of dims) {
    all += arrays;
    arrays *= count;
  }
  return 2 * all;
}
