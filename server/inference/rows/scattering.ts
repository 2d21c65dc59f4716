import { refuseApart } from './broadcast.ts';
import { axisOf, plain, type Rule } from './call.ts';
import { mixed, sameLayout, shaped, unknown, type RowAxis, type Shaped } from './value.ts';

/** An entry is written beside its place along one axis, so that others stay apart. */
const scatterElements: Rule = (call) => {
  const [data, indices, updates] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  const axis = axisOf(call.int('axis', 0), data.dims.length);
  refuseApart([data, indices, updates]);
  if (data.row?.axis === axis) throw mixed('it writes at places among rows of different calls');
  return shaped(data.dims, data.row);
};

/**
 * Tuples of constants choose slices, which hold the rows of data and updates. Tuples that depend on
 * rows, or count them, are refused.
 */
const scatterND: Rule = (call) => {
  const [data, updates] = [call.tensor(0), call.tensor(2)];
  const indices = call.tensor(1);
  if (indices.row !== undefined) throw mixed('it writes at places that depend on rows');
  if (data.row === undefined && updates.row === undefined) return shaped(data.dims, undefined);
  const depth = plain(indices.dims.at(-1));
  if (depth === undefined) throw unknown('the number of axes that it indexes is not known');
  if (data.row === undefined) throw mixed('it writes rows into a constant');
  if (data.row.axis < depth) throw mixed('it writes at places among rows of different calls');
  refuseOtherSlices(updates, { ...data.row, axis: data.row.axis - depth + indices.dims.length - 1 });
  return shaped(data.dims, data.row);
};

function refuseOtherSlices({ row }: Shaped, expected: RowAxis): void {
  if (row?.axis !== expected.axis || !sameLayout(row, expected)) throw mixed('it writes something else than the same rows');
}

/** Each item of the batch is written into its own cache. */
const tensorScatter: Rule = (call) => {
  const [cache, update] = [call.tensor(0), call.tensor(1)];
  if (axisOf(call.int('axis', -2), cache.dims.length) === 0) throw unknown('its sequence lies along the axis of the batch');
  const all = [cache, update, ...(call.has(2) ? [call.tensor(2)] : [])];
  refuseApart(all);
  if (cache.row !== undefined && cache.row.axis > 0) throw mixed('its rows lie along another axis than the batch');
  return shaped(cache.dims, cache.row);
};

/** Operators of the default domain that write at places. */
export const scattering: Readonly<Record<string, Rule>> = {
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  TensorScatter: tensorScatter,
};
