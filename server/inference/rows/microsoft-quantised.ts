import { broadcast, refuseOtherRows } from './broadcast.ts';
import { apart, axisOf, type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { projected } from './microsoft-attention.ts';
import { rowBeside } from './movement.ts';
import { gemmOf, matrixProduct } from './products.ts';
import { isOne, ONE, plus, ZERO, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped, type Tracked, type Value } from './value.ts';

/** @throws Refusal if an input other than those named holds rows */
function refuseScales(call: Call, tensors: readonly number[]): void {
  for (let index = 0; index < call.count; index++) if (call.has(index) && !tensors.includes(index)) call.constant(index);
}

/** True for a scale, or a zero point, of a whole tensor. */
const isSingle = ({ dims }: Tracked): boolean => dims !== undefined && dims.every(isOne);

/** Each entry depends on entries at the same place. Scales and zero points are those of tensors. */
const entrywise =
  (...tensors: readonly number[]): Rule =>
  (call) => {
    refuseScales(call, tensors);
    return broadcast(tensors.map((index) => call.tensor(index)));
  };

/** A scale is that of a tensor, or one for each place on an axis. */
const scaled: Rule = (call) => {
  refuseScales(call, [0]);
  const { dims, row } = call.settled(0);
  if (row === undefined || [1, 2].every((index) => !call.has(index) || isSingle(call.constant(index)))) return { dims, row };
  const data = call.tensor(0);
  apart(data, [axisOf(call.int('axis', 1), data.dims.length)], 'has scales for');
  return shaped(data.dims, row);
};

/** Before version 13 of Softmax, all axes from one on are normalised together. */
const softmax: Rule = (call) => {
  refuseScales(call, [0]);
  const { dims, row } = call.tensor(0);
  const version = call.attributes.int('opset');
  if (version === undefined) throw unknown('its version is not known');
  const axis = axisOf(call.int('axis', version < 13 ? 1 : -1), dims.length);
  if (row !== undefined && (version < 13 ? row.axis >= axis : row.axis === axis)) throw mixed('it normalises rows of different calls');
  return shaped(dims, row);
};

/** All places of an image become one. Channels come second, or last. */
const globalPool: Rule = (call) => {
  refuseScales(call, [0]);
  const data = call.tensor(0);
  const rank = data.dims.length;
  const [from, to] = call.int('channels_last', 0) === 0 ? [2, rank] : [1, rank - 1];
  const places = Array.from({ length: Math.max(to - from, 0) }, (_, index) => from + index);
  apart(data, places, 'reduces');
  const dims = data.dims.map((size, axis) => (places.includes(axis) ? ONE : size));
  return shaped(dims, data.row);
};

/** Each tensor comes with its scale and its zero point. */
const concat: Rule = (call) => {
  const places = Array.from({ length: Math.floor((call.count - 2) / 3) }, (_, index) => 2 + index * 3);
  refuseScales(call, places);
  const parts = places.map((index) => call.tensor(index));
  const [first] = parts;
  if (first === undefined) throw unknown('it joins nothing');
  const axis = axisOf(call.int('axis', 0), first.dims.length);
  const row = rowBeside(parts, axis);
  return shaped(first.dims.with(axis, lengthOf(parts, axis)), row);
};

function lengthOf(parts: readonly Shaped[], axis: number): Size {
  let whole: Size | undefined = ZERO;
  for (const { dims } of parts) whole = whole && dims[axis] && plus(whole, dims[axis]);
  if (whole === undefined) throw unknown('the size of its result is not known');
  return whole;
}

/** @throws Refusal if columns of a matrix that holds rows may have scales of their own */
function refuseColumns(call: Call, matrix: number, scales: readonly number[]): void {
  if (call.tensor(matrix).row === undefined) return;
  for (const index of scales) if (call.has(index) && !isSingle(call.constant(index))) throw unknown('its columns have scales of their own');
}

const gemm: Rule = (call) => {
  refuseScales(call, [0, 3, 6]);
  refuseColumns(call, 3, [4, 5]);
  return gemmOf(0, 3, 6)(call);
};

/** A product of whole numbers that is scaled. */
const scaledProduct: Rule = (call) => {
  refuseScales(call, [0, 1, 6]);
  refuseColumns(call, 0, [2, 4]);
  refuseColumns(call, 1, [3, 5]);
  const product = matrixProduct(call.tensor(0), call.tensor(1));
  if (call.has(6)) refuseOtherRows(product, call.tensor(6));
  return product;
};

const attention: Rule = (call): readonly Value[] => {
  refuseScales(call, [0, 5, 8]);
  if (call.int('do_rotary', 0) !== 0) throw unknown('it turns its input');
  return projected(call, { mask: 5, past: 8 });
};

/** The scale of a whole input is that of its smallest and greatest entry. */
const dynamic: Rule = () => {
  throw mixed('it takes one scale from all rows');
};

/** Operators of the domain `com.microsoft` on quantised tensors. */
export const microsoftQuantised: Readonly<Record<string, Rule>> = {
  ...all(entrywise(0, 3), 'QLinearAdd QLinearMul'),
  ...all(entrywise(0), 'QLinearLeakyRelu QLinearSigmoid'),
  ...all(scaled, 'DequantizeLinear QuantizeLinear'),
  ...all(dynamic, 'DynamicQuantizeLSTM DynamicQuantizeMatMul'),
  MatMulIntegerToFloat: scaledProduct,
  QAttention: attention,
  QGemm: gemm,
  QLinearConcat: concat,
  QLinearGlobalAveragePool: globalPool,
  QLinearSoftmax: softmax,
  QLinearWhere: entrywise(0, 1, 4),
};
