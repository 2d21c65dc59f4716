import { broadcast, refuseOtherRows } from './broadcast.ts';
import { apart, plain, type Call, type Rule } from './call.ts';
import { convolution, pooled } from './convolutions.ts';
import { all, eachEntry } from './elementwise.ts';
import { gridSample } from './images.ts';
import { layer } from './normalisations.ts';
import { contracted, gemm, stacked, type Labels } from './products.ts';
import { equal, exactly, number } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';

/** A bias along the last axis, or a tensor of the same shape, is added to the first input. */
const biased: Rule = (call) => {
  const data = call.tensor(0);
  for (const bias of call.tensors(1)) refuseOtherRows(data, bias);
  return shaped(data.dims, data.row);
};

/** Names of the axes of one matrix, or of a stack of them. Attributes say how they lie. */
function labelsOf(call: Call, side: 'A' | 'B', { dims }: Shaped): Labels {
  const rank = dims.length;
  if (rank === 0) throw unknown('it multiplies a number, not a matrix');
  // A tensor of one axis is never turned.
  if (rank === 1) return ['k'];
  const [outer, inner] = side === 'A' ? ['m', 'k'] : ['k', 'n'];
  const [first, last] = call.int(`trans${side}`, 0) === 0 ? [outer, inner] : [inner, outer];
  const stack = stacked(rank - 2);
  return call.int(`transBatch${side}`, 0) === 0 ? [...stack, first, last] : [first, ...stack, last];
}

/** The product of two stacks of matrices, each of which may be turned. */
const transposing: Rule = (call) => {
  const [one, other] = [call.tensor(0), call.tensor(1)];
  const [left, right] = [labelsOf(call, 'A', one), labelsOf(call, 'B', other)];
  const stack = stacked(Math.max(one.dims.length, other.dims.length, 2) - 2);
  const named = (name: string): string[] => ([left, right].some((labels) => labels.includes(name)) ? [name] : []);
  return contracted([one, other], [left, right], [...stack, ...named('m'), ...named('n')]);
};

/** A convolution whose result may be added to another tensor of its shape. */
const fused: Rule = (call) => {
  const sum = convolution({ image: 0, weights: 1 }, 3)(call);
  return call.has(3) ? summed(call, sum) : sum;
};

function summed(call: Call, sum: ReturnType<Rule>): Shaped {
  if (!('dims' in sum) || sum.dims === undefined) throw unknown('the shape of its result is not known');
  const [data, other] = [shaped(sum.dims, sum.row), call.tensor(3)];
  if ((data.row === undefined) !== (other.row === undefined)) throw mixed('it combines each row with one constant');
  return broadcast([data, other]);
}

/** Half of the last axis opens or closes the other half. */
const splitGelu: Rule = (call) => {
  const data = call.tensor(0);
  refuseOtherRows(data, call.tensor(1));
  apart(data, [data.dims.length - 1], 'halves');
  const half = exactly(data.dims.at(-1) ?? number(1), number(2));
  if (half === undefined) throw unknown('the size of its halves is not known');
  return shaped(data.dims.with(data.dims.length - 1, half), data.row);
};

/** Each matrix of a stack. */
const matrices: Rule = (call) => {
  const data = call.tensor(0);
  const rank = data.dims.length;
  if (call.has(1)) call.constant(1);
  apart(data, [rank - 2, rank - 1], 'reads a matrix of');
  return shaped(data.dims, data.row);
};

/** Distances of each row of one matrix to each row of the other. */
const distances: Rule = (call) =>
  contracted(
    [call.tensor(0), call.tensor(1)],
    [
      ['m', 'k'],
      ['n', 'k'],
    ],
    ['m', 'n'],
  );

/** A product with packed weights, whose sizes are attributes. */
const packed = (call: Call): Shaped => {
  const data = call.tensor(0);
  for (let index = 1; index < call.count; index++) if (call.has(index)) call.constant(index);
  const [inside, outside] = [call.attributes.int('K'), call.attributes.int('N')];
  if (inside === undefined || outside === undefined) throw unknown('the sizes of its weights are not known');
  apart(data, [data.dims.length - 1], 'sums products over');
  const last = data.dims.at(-1);
  if (last === undefined || (plain(last) !== undefined && !equal(last, number(inside)))) throw unknown('its weights do not fit its input');
  return shaped(data.dims.with(data.dims.length - 1, number(outside)), data.row);
};

/** Operators of ONNX Runtime that fuse or extend those of the default domain. */
export const microsoft: Readonly<Record<string, Rule>> = {
  ...all(biased, 'BiasAdd BiasGelu FastGelu'),
  ...all(eachEntry, 'Gelu QuickGelu'),
  ...all(transposing, 'FusedMatMul TransposeMatMul'),
  ...all(matrices, 'Inverse Trilu'),
  BiasSplitGelu: splitGelu,
  CDist: distances,
  FusedConv: fused,
  FusedGemm: gemm,
  GridSample: gridSample,
  LayerNormalization: layer,
  MatMulBnb4: (call) => {
    if (call.int('transB', 1) !== 1) throw unknown('its weights are not transposed');
    return packed(call);
  },
  MatMulNBits: packed,
  NhwcConv: convolution({ image: 0, weights: 1, last: true }),
  NhwcMaxPool: (call) => pooled(call, true),
};

/** Channels that were padded to blocks become a plain axis. Blocks lie within an image. */
const reordered: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const [items, , ...area] = dims;
  const channels = call.attributes.int('channels');
  if (items === undefined || channels === undefined || dims.length < 3) throw unknown('it expects images');
  if (row !== undefined && row.axis > 0) throw mixed('its rows lie along another axis than the batch');
  const size = number(channels);
  return shaped(call.int('channels_last', 0) === 0 ? [items, size, ...area] : [items, ...area, size], row);
};

/** Operators of the domain `com.microsoft.nchwc`, whose channels lie in blocks. */
export const microsoftBlocked: Readonly<Record<string, Rule>> = {
  Conv: fused,
  ReorderOutput: reordered,
};
