import { axisOf, plain, type Call, type Rule } from './call.ts';
import { equal, isNumber, number, shared, times, type Size } from './size.ts';
import { mixed, numbersOf, shaped, unknown, type Shaped } from './value.ts';

type Entries = readonly (Size | undefined)[];

/** What an operator says about the axes that it resizes. */
interface Wanted {
  readonly axes: readonly number[];
  /** One for each axis, or none. */
  readonly scales: Entries;
  readonly sizes: Entries;
}

/** Each entry is interpolated along all axes whose size changes. */
const resize: Rule = (call) => {
  const data = call.tensor(0);
  const wanted = wantedOf(call, data.dims.length);
  const { axes, scales, sizes } = wanted;
  if (scales.length !== axes.length && sizes.length !== axes.length) throw unknown('its scales or sizes do not fit its input');
  if (new Set(axes).size < axes.length) throw unknown('it names an axis twice');
  if (data.row !== undefined) refuseShifts(call);
  const policy = call.attributes.text('keep_aspect_ratio_policy') ?? 'stretch';
  if (scales.length > 0) return resized(data, axes, (size, at) => scaledBy(size, scales[at]));
  if (policy === 'stretch') return resized(data, axes, (_, at) => settled(sizes[at]));
  const ratio = ratioOf(data, wanted, policy);
  return resized(data, axes, (size) => inRatio(size, ratio));
};

/** @throws Refusal if rows lie along an axis that gets another size */
function resized({ dims, row }: Shaped, axes: readonly number[], sizeOf: (size: Size, at: number) => Size): Shaped {
  const result = dims.map((size, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return size;
    const changed = sizeOf(size, at);
    if (row?.axis === axis ? !equal(changed, size) : changed.rows) throw mixed('it interpolates between rows of different calls');
    return changed;
  });
  return shaped(result, row);
}

function settled(size: Size | undefined): Size {
  if (size === undefined) throw mixed('its sizes depend on how many rows are merged');
  return size;
}

/** Version 10 has scales only; later ones have regions before them. */
function wantedOf(call: Call, rank: number): Wanted {
  const all = Array.from({ length: rank }, (_, axis) => axis);
  if (call.operator === 'Upsample') return { axes: all, scales: scalesOfUpsample(call), sizes: [] };
  if (call.version < 11) return { axes: all, scales: call.sizes(1), sizes: [] };
  const axes = call.attributes.ints('axes')?.map((axis) => axisOf(axis, rank)) ?? all;
  if (call.has(1)) call.any(1);
  const scales = call.has(2) ? call.sizes(2) : [];
  return { axes, scales, sizes: call.has(3) && scales.length === 0 ? call.sizes(3) : [] };
}

function scalesOfUpsample(call: Call): Entries {
  if (call.version >= 9) return call.sizes(1);
  const scales = call.attributes.floats('scales');
  if (scales === undefined) throw unknown('its scales are not known');
  return scales.map(number);
}

/** Places of entries move on some axes although their sizes stay. */
function refuseShifts(call: Call): void {
  const { text } = call.attributes;
  const coordinates = text('coordinate_transformation_mode') ?? '';
  if (coordinates === 'tf_crop_and_resize') throw unknown('it cuts regions');
  const rounding = text('nearest_mode') ?? 'round_prefer_floor';
  const down = text('mode') !== 'linear' && text('mode') !== 'cubic' && (rounding === 'floor' || rounding === 'round_prefer_floor');
  if (coordinates === 'tf_half_pixel_for_nn' && !down) throw unknown('it moves entries by half a place');
}

/** Products this near to a whole number may be rounded to either side. */
const NEAR = 1e-3;
const isFloat32 = (scale: number): boolean => Math.fround(scale) === scale;

/** The size times the scale without its fraction. */
function scaledBy(size: Size, scale: Size | undefined): Size {
  if (scale === undefined || scale.rows) throw mixed('its scales depend on how many rows are merged');
  const factor = plain(scale);
  if (factor === 1) return size;
  const whole = factor === undefined ? undefined : times(size, number(factor));
  if (factor !== undefined && whole !== undefined && Number.isInteger(whole.factor) && isFloat32(factor)) return whole;
  if (whole !== undefined && isNumber(whole) && Math.floor(whole.factor - NEAR) === Math.floor(whole.factor + NEAR))
    return number(Math.floor(whole.factor));
  const named = shared('scaled', size, scale);
  if (named === undefined) throw mixed('it interpolates between rows of different calls');
  return named;
}

/** The one scale of all axes that keeps the ratio of their sizes. */
function ratioOf({ dims }: Shaped, { axes, sizes }: Wanted, policy: string): Size {
  if (policy !== 'not_larger' && policy !== 'not_smaller') throw unknown('its policy is of an unknown kind');
  const before = axes.map((axis) => dims[axis]);
  const [from, to] = [numbersOf(before), numbersOf(sizes)];
  if (from !== undefined && to !== undefined) {
    const ratios = from.map((size, at) => (to[at] ?? 0) / size);
    return number(policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios));
  }
  const named = shared(policy, ...before, ...sizes);
  if (named === undefined) throw mixed('its scale depends on how many rows are merged');
  return named;
}

/** The nearest whole number of entries. */
function inRatio(size: Size, ratio: Size): Size {
  const [length, factor] = [plain(size), plain(ratio)];
  if (length !== undefined && factor !== undefined) {
    const exact = length * factor;
    if (Math.round(exact - NEAR) === Math.round(exact + NEAR)) return number(Math.round(exact));
  }
  const named = shared('inratio', size, ratio);
  if (named === undefined) throw mixed('it interpolates between rows of different calls');
  return named;
}

/** Operators of the default domain that interpolate between entries. */
export const resizing: Readonly<Record<string, Rule>> = {
  Resize: resize,
  Upsample: resize,
};
