import { refuseOtherRows } from './broadcast.ts';
import { apart, axisOf, type Call, type Rule } from './call.ts';
import { ONE } from './size.ts';
import { mixed, shaped, unknown, type Shaped, type Tracked } from './value.ts';

/** Statistics that a model brings are constants, so that no entry meets another. */
const batch: Rule = (call) => {
  const data = call.tensor(0);
  for (let index = 1; index < 5; index++) call.constant(index);
  if (trains(call)) throw mixed('it takes statistics of all rows');
  apart(data, [1], 'has parameters for');
  if (call.version < 9 && call.int('spatial', 1) === 0 && data.row !== undefined && data.row.axis > 0)
    throw mixed('it has parameters for rows of different calls');
  return shaped(data.dims, data.row);
};

/** An attribute says so, or before version 14 the outputs that only a training run has. */
function trains(call: Call): boolean {
  if (call.version >= 14) return call.int('training_mode', 0) !== 0;
  return call.outputs > 1 || (call.version < 7 && call.int('is_test', 0) === 0);
}

/** Statistics of one item: its first axis holds items, all others meet. */
const item: Rule = (call) => {
  const data = call.tensor(0);
  for (let index = 1; index < call.count; index++) call.constant(index);
  if (data.row !== undefined && data.row.axis > 0) throw mixed('it normalises rows of different calls');
  return shaped(data.dims, data.row);
};

/** Statistics of the axes from one on. */
export const layer: Rule = (call) => {
  const data = call.tensor(0);
  const from = axisOf(call.int('axis', -1), data.dims.length);
  if (data.row !== undefined && data.row.axis >= from) throw mixed('it normalises rows of different calls');
  for (const parameter of call.tensors(1)) refuseOtherRows(data, parameter);
  if (call.outputs === 1) return shaped(data.dims, data.row);
  const statistics = shaped(
    data.dims.map((size, axis) => (axis < from ? size : ONE)),
    data.row,
  );
  return [shaped(data.dims, data.row), statistics, statistics];
};

const meanVariance: Rule = (call) => {
  if (call.version < 9) throw unknown('its axes are not known');
  const data = call.tensor(0);
  const axes = call.attributes.ints('axes') ?? [0, 2, 3];
  return normalised(
    data,
    axes.map((axis) => axisOf(axis, data.dims.length)),
  );
};

function normalised(data: Shaped, axes: readonly number[]): Tracked {
  apart(data, axes, 'normalises');
  return shaped(data.dims, data.row);
}

/** Operators of the default domain that scale entries by statistics. */
export const normalisations: Readonly<Record<string, Rule>> = {
  BatchNormalization: batch,
  GroupNormalization: item,
  InstanceNormalization: item,
  LRN: (call) => normalised(call.tensor(0), [1]),
  LayerNormalization: layer,
  MeanVarianceNormalization: meanVariance,
  RMSNormalization: layer,
};
