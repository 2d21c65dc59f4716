import { refuseOtherRows } from './broadcast.ts';
import { apart, type Call, type Rule } from './call.ts';
import { all, eachEntry } from './elementwise.ts';
import { contracted, gemm, stacked, type Labels } from './products.ts';
import { number } from './size.ts';
import { shaped, unknown, type Shaped } from './value.ts';

/** A bias along the last axis is added to the first input. */
const biased: Rule = (call) => {
  const data = call.tensor(0);
  if (call.has(1)) refuseOtherRows(data, call.tensor(1));
  return shaped(data.dims, data.row);
};

/** Names of the axes of one matrix, or of a stack of them. Attributes say how they lie. */
function labelsOf(call: Call, side: 'A' | 'B', { dims }: Shaped): Labels {
  const rank = dims.length;
  if (rank === 0) throw unknown('it multiplies a number, not a matrix');
  // A tensor of one axis is never transposed.
  if (rank === 1) return ['k'];
  const [outer, inner] = side === 'A' ? ['m', 'k'] : ['k', 'n'];
  const [first, last] = call.int(`trans${side}`, 0) === 0 ? [outer, inner] : [inner, outer];
  const stack = stacked(rank - 2);
  return call.int(`transBatch${side}`, 0) === 0 ? [...stack, first, last] : [first, ...stack, last];
}

/** The product of two stacks of matrices, each of which may be transposed. */
const transposing: Rule = (call) => {
  const [one, other] = [call.tensor(0), call.tensor(1)];
  const [left, right] = [labelsOf(call, 'A', one), labelsOf(call, 'B', other)];
  const stack = stacked(Math.max(one.dims.length, other.dims.length, 2) - 2);
  const named = (name: string): string[] => ([left, right].some((labels) => labels.includes(name)) ? [name] : []);
  return contracted([one, other], [left, right], [...stack, ...named('m'), ...named('n')]);
};

/** Distances of each row of one table to each row of the other. */
const distances: Rule = (call) => {
  const labels = [
    ['m', 'k'],
    ['n', 'k'],
  ];
  return contracted([call.tensor(0), call.tensor(1)], labels, ['m', 'n']);
};

/** Each matrix of a stack. */
const inverse: Rule = (call) => {
  const data = call.tensor(0);
  const rank = data.dims.length;
  apart(data, [rank - 2, rank - 1], 'inverts a matrix of');
  return shaped(data.dims, data.row);
};

/** A product with packed weights, whose columns an attribute counts. */
function packed(call: Call): Shaped {
  const data = call.tensor(0);
  const columns = call.attributes.int('N');
  for (let index = 1; index < call.count; index++) if (call.has(index)) call.constant(index);
  if (columns === undefined) throw unknown('the size of its weights is not known');
  apart(data, [data.dims.length - 1], 'sums products over');
  return shaped([...data.dims.slice(0, -1), number(columns)], data.row);
}

/** Operators of the domain `com.microsoft` that extend those of the default domain. */
export const microsoft: Readonly<Record<string, Rule>> = {
  ...all(biased, 'BiasGelu FastGelu'),
  ...all(eachEntry, 'Gelu QuickGelu'),
  ...all(transposing, 'FusedMatMul TransposeMatMul'),
  CDist: distances,
  FusedGemm: gemm,
  Inverse: inverse,
  MatMulBnb4: (call) => {
    if (call.int('transB', 1) === 0) throw unknown('it multiplies with weights that are not transposed');
    return packed(call);
  },
  MatMulNBits: packed,
};
