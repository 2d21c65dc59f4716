import { apart, axisOf, type Call, type Rule } from './call.ts';
import { matrixProduct } from './products.ts';
import { isOne } from './size.ts';
import { mixed, sameLayout, shaped, unknown, type Shaped, type Tracked } from './value.ts';

/**
 * Each entry of the first input is scaled by one entry of the second and moved by one of the third:
 * the same for all, one along an axis, or one for each block of an axis.
 */
export const scaled: Rule = (call) => {
  const data = call.tensor(0);
  const axis = call.int('axis', 1);
  for (let index = 1; index < call.count; index++) {
    if (call.has(index)) refuseOtherScale(data, call.tensor(index), axis, call.int('block_size', 0) !== 0);
  }
  return shaped(data.dims, data.row);
};

/** @throws Refusal if the scale of an entry may belong to another row */
function refuseOtherScale(data: Shaped, scale: Shaped, axis: number, blocks: boolean): void {
  if (scale.row === undefined && scale.dims.every(isOne) && !blocks) return;
  if (blocks) {
    if (data.row !== undefined) apart(data, [axisOf(axis, data.dims.length)], 'makes blocks of');
    refuseOtherPlace(data, scale, 0);
  } else if (scale.dims.length === 1) refuseOtherPlace(data, scale, axisOf(axis, data.dims.length));
  else throw unknown('its scale has several axes');
}

/** @param from axis of the data where the axes of the scale begin */
function refuseOtherPlace({ row, dims }: Shaped, scale: Shaped, from: number): void {
  const ofScale = scale.row && { ...scale.row, axis: scale.row.axis + from };
  const inside = row !== undefined && row.axis >= from && row.axis < from + scale.dims.length;
  if (ofScale === undefined && !inside) return;
  if (from === 0 && scale.dims.length > 1 && scale.dims.length !== dims.length) throw unknown('its scale has other axes');
  if (row === undefined || ofScale === undefined || row.axis !== ofScale.axis || !sameLayout(row, ofScale))
    throw mixed('its scales belong to other rows');
}

/** A constant that is one number. @throws Refusal if it holds rows or may hold several entries */
export function oneNumber(call: Call, ...indices: readonly number[]): void {
  for (const index of indices) {
    if (!call.has(index)) continue;
    call.constant(index);
    if (!call.tensor(index).dims.every(isOne)) throw unknown('it has several scales');
  }
}

/** Scales of the second matrix: constants, one for each column where it is a constant too. */
export function scalesOf(call: Call, matrix: Shaped, ...indices: readonly number[]): void {
  if (matrix.row !== undefined) return oneNumber(call, ...indices);
  for (const index of indices) if (call.has(index)) call.constant(index);
}

const product =
  (other: number, ofFirst: readonly number[], ofOther: readonly number[]): Rule =>
  (call) => {
    const [first, second] = [call.tensor(0), call.tensor(other)];
    oneNumber(call, ...ofFirst);
    scalesOf(call, second, ...ofOther);
    return matrixProduct(first, second);
  };

/** The range of all entries decides the scale. */
export const dynamic: Rule = (call): Tracked => {
  if (call.settled(0).row !== undefined) throw mixed('it scales rows by their common range');
  throw unknown('the shapes of its results are not known');
};

/** Operators of the default domain on quantised numbers. */
export const quantised: Readonly<Record<string, Rule>> = {
  DequantizeLinear: scaled,
  DynamicQuantizeLinear: dynamic,
  MatMulInteger: product(1, [2], [3]),
  QLinearMatMul: product(3, [1, 2, 6, 7], [4, 5]),
  QuantizeLinear: scaled,
};
