import { refuseApart } from './broadcast.ts';
import { apart, axisOf, type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { convolved } from './convolutions.ts';
import { matrixProduct } from './products.ts';
import { isOne } from './size.ts';
import { constant, mixed, sameLayout, unknown, type Shaped, type Tracked, type Value } from './value.ts';

/** An entry has the scale and zero point of its tensor, its place on an axis, or its block. */
const scaled: Rule = (call) => {
  const { dims, row } = call.settled(0);
  for (let index = 1; index < call.count; index++) if (call.has(index)) refuseScale(call, index);
  return { dims, row };
};

/** @throws Refusal if rows are scaled by anything but their own entries, or what all share */
function refuseScale(call: Call, index: number): void {
  const { row: rowOfData } = call.settled(0);
  const { row, dims } = call.settled(index);
  if (row === undefined && (rowOfData === undefined || isScalar(dims))) return;
  const [data, scale] = [call.tensor(0), call.tensor(index)];
  const axis = axisOf(call.int('axis', 1), data.dims.length);
  if (scale.dims.length === 1) refuseOtherScales(data, scale, axis);
  else {
    if (scale.dims.length !== data.dims.length) throw unknown('its scale does not fit its input');
    refuseApart([data, scale]);
    apart(data, [axis], 'scales blocks of');
  }
}

/** A scale for each place on an axis. */
function refuseOtherScales({ row }: Shaped, scale: Shaped, axis: number): void {
  if (scale.row === undefined ? row?.axis === axis : row === undefined || row.axis !== axis || !sameLayout(row, scale.row))
    throw mixed('its scale is not one for each row');
}

/** True for a tensor of one entry, whatever the batch. */
const isScalar = (dims: Tracked['dims']): boolean => dims !== undefined && dims.length <= 1 && dims.every(isOne);

/** The scale is that of the smallest and greatest entry of all. */
const dynamic: Rule = (call): Value[] => {
  const { dims, row } = call.settled(0);
  if (row !== undefined) throw mixed('it takes one scale from all rows');
  return [constant(dims), constant([]), constant([])];
};

/** @throws Refusal if one of the inputs is there and not one entry */
function refuseScales(call: Call, indices: readonly number[]): void {
  for (const index of indices) {
    if (call.has(index) && !isScalar(call.constant(index).dims)) throw unknown(`input ${index} is not one entry`);
  }
}

/** Where the inputs of a quantised product lie. */
interface Places {
  readonly weights: number;
  /** Scales and zero points of the first factor and of the result: one entry each. */
  readonly scalars: readonly number[];
  /** Scales and zero points of the second factor: one entry each, or one for each column. */
  readonly columns: readonly number[];
}

const SCALED: Places = { weights: 3, scalars: [1, 2, 6, 7], columns: [4, 5] };
const INTEGER: Places = { weights: 1, scalars: [2], columns: [3] };

const convolution =
  ({ weights, scalars, columns }: Places, bias?: number): Rule =>
  (call) => {
    refuseScales(call, scalars);
    for (const index of [weights, ...columns]) if (call.has(index)) call.constant(index);
    if (bias !== undefined && call.has(bias)) call.constant(bias);
    return convolved(call, call.tensor(0), call.tensor(weights));
  };

const product =
  ({ weights, scalars, columns }: Places): Rule =>
  (call) => {
    const [one, other] = [call.tensor(0), call.tensor(weights)];
    refuseScales(call, scalars);
    if (other.row !== undefined) refuseScales(call, columns);
    for (const index of columns) if (call.has(index)) call.constant(index);
    return matrixProduct(one, other);
  };

/** Operators of the default domain on quantised tensors. */
export const quantised: Readonly<Record<string, Rule>> = {
  ...all(scaled, 'DequantizeLinear QuantizeLinear'),
  ConvInteger: convolution(INTEGER),
  DynamicQuantizeLinear: dynamic,
  MatMulInteger: product(INTEGER),
  QLinearConv: convolution(SCALED, 8),
  QLinearMatMul: product(SCALED),
};
