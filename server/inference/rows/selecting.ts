import { refuseApart } from './broadcast.ts';
import { apart, axisOf, plain, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { equal, number, product } from './size.ts';
import { CONSTANT, constant, mixed, numbersOf, shaped, unknown } from './value.ts';

const oneHot: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const [depth] = call.sizes(1);
  if (depth === undefined || depth.rows) throw mixed('it depends on how many rows are merged');
  if (!Number.isInteger(depth.factor)) throw unknown('its number of classes is no whole number');
  call.constant(2);
  const axis = axisOf(call.int('axis', -1), dims.length + 1);
  return shaped(dims.toSpliced(axis, 0, depth), row && { ...row, axis: row.axis < axis ? row.axis : row.axis + 1 });
};

/** The place along the axis of rows decides, so that an item gets other entries in a batch. */
const identity: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  if (row !== undefined) throw mixed('it writes by the place of a row');
  return shaped(dims, undefined);
};

/** The places of entries that are not zero. Their number depends on all entries. */
const nonZero: Rule = (call) => {
  const { dims, elements } = call.constant(0);
  const entries = numbersOf(elements);
  if (entries === undefined || dims?.length !== 1) return CONSTANT;
  const places = entries.flatMap((entry, index) => (entry === 0 ? [] : [number(index)]));
  return constant([number(1), number(places.length)], places);
};

const compress: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const { elements } = call.constant(1);
  const named = call.attributes.int('axis');
  if (named === undefined && row !== undefined) throw mixed('it picks entries among rows of different calls');
  const axis = named === undefined ? undefined : axisOf(named, dims.length);
  if (axis !== undefined) apart({ dims, row }, [axis], 'picks entries among');
  // A condition may be longer than the entries that it is for.
  const length = plain(axis === undefined ? product(dims) : dims[axis]);
  const kept = length === undefined ? undefined : numbersOf(elements?.slice(0, length))?.filter((entry) => entry !== 0).length;
  if (kept === undefined) throw unknown('the entries that it keeps are not known');
  return axis === undefined ? shaped([number(kept)], undefined) : shaped(dims.with(axis, number(kept)), row);
};

/** The last two axes are a matrix, of which one triangle is kept. */
const triangle: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  if (call.has(1)) call.constant(1);
  apart({ dims, row }, [dims.length - 2, dims.length - 1], 'reads a matrix across');
  return shaped(dims, row);
};

/** Without training, entries stay as they are. */
const dropout: Rule = (call) => {
  for (let index = 1; index < call.count; index++) if (call.has(index)) call.constant(index);
  const trains = call.version < 7 ? call.int('is_test', 0) === 0 : call.has(2) && call.numbers(2).some((entry) => entry !== 0);
  if (trains) return random(call);
  const { dims, row } = call.settled(0);
  return { dims, row };
};

/** A refusal that is returned also where all inputs are constants. */
const random: Rule = (call) => {
  for (let index = 0; index < call.count; index++) if (call.has(index)) call.any(index);
  return mixed('it draws random numbers');
};

/** How many entries come out depends on all entries. */
const counting =
  (reason: string): Rule =>
  (call) => {
    for (let index = 0; index < call.count; index++) if (call.has(index) && call.settled(index).row !== undefined) throw mixed(reason);
    return CONSTANT;
  };

/** The steps of one item are turned round, as many as its length says. */
const reverse: Rule = (call) => {
  const [data, lengths] = [call.tensor(0), call.tensor(1)];
  const [items, steps] = [call.int('batch_axis', 1), call.int('time_axis', 0)].map((axis) => axisOf(axis, data.dims.length));
  const { dims, row } = data;
  if (row !== undefined && row.axis === steps) throw mixed('its steps are rows of different calls');
  if (row?.axis === items || lengths.row !== undefined)
    refuseApart([shaped(dims, row && { ...row, axis: row.axis - (items ?? 0) }), lengths]);
  return shaped(dims, row);
};

const cropOrPad: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const sizes = call.sizes(1);
  const axes = call.attributes.ints('axes')?.map((axis) => axisOf(axis, dims.length)) ?? dims.map((_, axis) => axis);
  let result = dims;
  for (const [index, axis] of axes.entries()) {
    const [before, after] = [dims[axis], sizes[index]];
    if (before === undefined || after === undefined) throw unknown('its shape is not known');
    if (axis === row?.axis ? !equal(before, after) : after.rows) throw mixed('it crops by the number of rows');
    result = result.with(axis, after);
  }
  return shaped(result, row);
};

/** Operators of the default domain that choose entries, make masks or draw numbers. */
export const selecting: Readonly<Record<string, Rule>> = {
  ...all(random, 'Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike'),
  CenterCropPad: cropOrPad,
  Compress: compress,
  Dropout: dropout,
  EyeLike: identity,
  NonMaxSuppression: counting('it chooses boxes among all rows'),
  NonZero: nonZero,
  OneHot: oneHot,
  ReverseSequence: reverse,
  Trilu: triangle,
  Unique: counting('it compares rows of different calls'),
};
