import { equal, isNumber, isOne, isUpTo, ONE, shared, sizeText, type Size } from './size.ts';
import { mixed, sameLayout, shaped, unknown, type RowAxis, type Shaped } from './value.ts';

/**
 * The shape and rows of tensors that are combined entry by entry (numpy's rules, ONNX
 * "Multidirectional Broadcasting").
 * @throws Refusal if rows of one meet anything but the same row, or no row, of another
 */
export function broadcast(tensors: readonly Shaped[]): Shaped {
  const [first] = tensors;
  if (first !== undefined && tensors.length === 1) return shaped(first.dims, first.row);
  const rank = tensors.reduce((most, { dims }) => Math.max(most, dims.length), 0);
  const row = commonRow(tensors, rank);
  const dims = Array.from({ length: rank }, (_, axis) => {
    let size = ONE;
    for (const { dims: each } of tensors) size = broadcastSize(size, each[axis - rank + each.length] ?? ONE);
    return size;
  });
  return shaped(dims, row);
}

/**
 * For a tensor that is combined with another one, whose shape the result has (ONNX
 * "Unidirectional Broadcasting").
 * @throws Refusal if its rows meet anything but the same row
 */
export function refuseOtherRows(data: Shaped, added: Shaped): void {
  if (data.row === undefined && added.row === undefined) return;
  if (data.row === undefined) throw mixed('it combines each row with one constant');
  if (broadcast([data, added]).dims.length > data.dims.length) throw unknown('it combines rows with a tensor of more axes');
}

/** @throws Refusal if rows lie along different axes, or only some of the tensors hold rows */
export function refuseApart(tensors: readonly Shaped[]): void {
  const row = tensors.find((tensor) => tensor.row !== undefined)?.row;
  if (row === undefined) return;
  for (const { row: other } of tensors) {
    if (other === undefined) throw mixed('it combines each row with one constant');
    if (other.axis !== row.axis || !sameLayout(other, row)) throw mixed('it combines each row with other rows');
  }
}

/** The axis of rows that all tensors with rows share, counted in the result. */
function commonRow(tensors: readonly Shaped[], rank: number): RowAxis | undefined {
  let common: RowAxis | undefined;
  for (const { dims, row } of tensors) {
    if (row === undefined) continue;
    const moved = { ...row, axis: row.axis + rank - dims.length };
    if (common !== undefined && (common.axis !== moved.axis || !sameLayout(common, moved)))
      throw mixed('it combines each row with every other row');
    common = moved;
  }
  return common;
}

function broadcastSize(one: Size, other: Size): Size {
  if (isOne(one)) return other;
  if (isOne(other) || equal(one, other)) return one;
  if (one.rows || other.rows) throw againstRows(one.rows ? other : one);
  if (isUpTo(other, one)) return one;
  if (isUpTo(one, other)) return other;
  if (isNumber(one)) return one;
  if (isNumber(other)) return other;
  return shared('wide', one, other) ?? one;
}

/** The refusal where rows stand beside a size that does not count them. */
function againstRows(size: Size): Error {
  return isNumber(size)
    ? mixed(`it combines rows with a constant of ${sizeText(size)} entries along the same axis`)
    : unknown('rows stand beside a size that may be another one');
}
