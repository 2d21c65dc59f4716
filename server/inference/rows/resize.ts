import { axisOf, plain, type Call, type Rule } from './call.ts';
import { equal, isOne, number, shared, times, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';

/** Inputs that say how much a tensor grows. */
const [SCALES, SIZES] = [2, 3];

/**
 * Tensors are scaled along axes. Rows stay apart where their axis keeps its size and no entry
 * comes from two places along it.
 */
export const resize: Rule = (call) => {
  const data = call.tensor(0);
  if (call.version < 11) return scaled(call, data, 1);
  const mode = call.attributes.text('coordinate_transformation_mode') ?? 'half_pixel';
  if (mode === 'tf_crop_and_resize') throw unknown('it reads a region, which may lie across rows');
  if (call.has(1)) call.constant(1);
  if (!call.has(SIZES) || isEmpty(call, SIZES)) return scaled(call, data, SCALES);
  if (call.has(SCALES)) call.counting(SCALES);
  return sized(call, data);
};

/** Before version 9, scales are attributes. */
export const upsample: Rule = (call) => {
  const data = call.tensor(0);
  if (call.version >= 9) return scaled(call, data, 1);
  const scales = call.version < 7 ? scalesOfImages(call) : call.attributes.floats('scales');
  if (scales === undefined) throw unknown('its scales are not known');
  return grown(call, data, scales.map(number));
};

/** The first version scales the last two of four axes. */
function scalesOfImages(call: Call): number[] | undefined {
  const [height, width] = [call.attributes.float('height_scale'), call.attributes.float('width_scale')];
  return height === undefined || width === undefined ? undefined : [1, 1, height, width];
}

const isEmpty = (call: Call, index: number): boolean => plain(call.shape(index).dims[0]) === 0;

const scaled = (call: Call, data: Shaped, index: number): Shaped => grown(call, data, spread(call, data, call.sizes(index)));

/** One entry for each axis; undefined where the axis keeps its size. */
function spread(call: Call, { dims }: Shaped, entries: readonly (Size | undefined)[]): (Size | undefined)[] {
  const axes = (call.attributes.ints('axes') ?? dims.map((_, axis) => axis)).map((axis) => axisOf(axis, dims.length));
  if (axes.length !== entries.length) throw unknown('its scales do not fit its axes');
  if (entries.includes(undefined)) throw unknown('its scales are not known');
  return dims.map((_, axis) => entries[axes.indexOf(axis)]);
}

function grown(call: Call, data: Shaped, scales: readonly (Size | undefined)[]): Shaped {
  if (scales.length !== data.dims.length) throw unknown('its scales do not fit its axes');
  const { row } = data;
  const ofRows = row && scales[row.axis];
  if (ofRows !== undefined && !isOne(ofRows)) throw isPlain(ofRows) ? mixed('it scales along rows') : unknown('its scales are not known');
  refuseBetween(call, data);
  const dims = data.dims.map((size, axis) => {
    const scale = scales[axis];
    return scale === undefined || isOne(scale) ? size : grownSize(size, scale);
  });
  return shaped(dims, row);
}

const isPlain = (size: Size): boolean => plain(size) !== undefined;

/** The whole entries of the product, which ONNX Runtime takes in single precision. */
function grownSize(size: Size, scale: Size): Size {
  const [length, factor] = [plain(size), plain(scale)];
  if (length !== undefined && factor !== undefined) return number(Math.floor(Math.fround(Math.fround(factor) * Math.fround(length))));
  const whole = factor !== undefined && Number.isInteger(factor) ? times(size, scale) : shared('scaled', size, scale);
  if (whole === undefined || whole.rows) throw mixed('it depends on how many rows are merged');
  return whole;
}

function sized(call: Call, data: Shaped): Shaped {
  const { row } = data;
  const sizes = spread(call, data, call.sizes(SIZES));
  const fits = (call.attributes.text('keep_aspect_ratio_policy') ?? 'stretch') !== 'stretch';
  const ofRows = row && sizes[row.axis];
  if (ofRows !== undefined && row !== undefined) {
    if (fits) throw mixed('it scales along rows');
    const rows = data.dims[row.axis];
    if (rows === undefined || !equal(ofRows, rows)) throw mixed('its number of rows is fixed');
  }
  if (sizes.some((size, axis) => size?.rows === true && axis !== row?.axis)) throw mixed('it depends on how many rows are merged');
  refuseBetween(call, data);
  const dims = data.dims.map((size, axis) => (sizes[axis] === undefined ? size : fits ? fitted(call, data, sizes, axis) : sizes[axis]));
  return shaped(dims, row);
}

/** One scale for all axes keeps the ratio of the sizes. */
function fitted(call: Call, { dims }: Shaped, sizes: readonly (Size | undefined)[], axis: number): Size {
  const policy = call.attributes.text('keep_aspect_ratio_policy') ?? '';
  const pairs = dims.flatMap((size, at) => (sizes[at] === undefined ? [] : [size, sizes[at]]));
  const size = shared(policy, dims[axis], ...pairs);
  if (size === undefined) throw mixed('it scales along rows');
  return size;
}

/**
 * Between places, a value is a mean of its neighbours: one that weighs nothing still counts if it
 * is no number. ONNX Runtime takes no neighbours along the first axis of images and volumes.
 * @throws Refusal if rows may be neighbours
 */
function refuseBetween(call: Call, { dims, row }: Shaped): void {
  if (row === undefined || (call.attributes.text('mode') ?? 'nearest') === 'nearest') return;
  if (row.axis !== 0 || (dims.length !== 4 && dims.length !== 5)) throw unknown('it takes means of neighbours along rows');
}
