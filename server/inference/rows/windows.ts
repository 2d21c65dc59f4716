import { plain, type Call } from './call.ts';
import { number, ONE, plus, shared, times, type Size } from './size.ts';
import { unknown } from './value.ts';

/** How a window slides along one axis. */
interface Slide {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Entries that are added before and after the axis. */
  readonly pads: readonly [number, number];
}

/** Sizes of the axes after a window slid along them. @param kernel its size along each axis */
export function slid(call: Call, sizes: readonly Size[], kernel: readonly number[]): Size[] {
  const form = call.attributes.text('auto_pad') ?? 'NOTSET';
  const slides = slidesOf(call, sizes.length, kernel, form === 'NOTSET');
  return sizes.map((size, axis) => {
    const slide = slides[axis];
    if (slide === undefined) throw unknown('its window does not fit its input');
    if (form.startsWith('SAME_')) return same(size, slide, call.int('ceil_mode', 0) !== 0);
    if (form !== 'NOTSET' && form !== 'VALID') throw unknown('its padding is not known');
    return call.int('ceil_mode', 0) === 0 ? steps(size, slide) : upwards(size, slide, form);
  });
}

function slidesOf(call: Call, axes: number, kernel: readonly number[], padded: boolean): Slide[] {
  const each = (name: string): readonly number[] => call.attributes.ints(name) ?? Array.from({ length: axes }, () => 1);
  const [strides, dilations] = [each('strides'), each('dilations')];
  const pads = (padded ? call.attributes.ints('pads') : undefined) ?? Array.from({ length: axes * 2 }, () => 0);
  if ([kernel, strides, dilations].some(({ length }) => length !== axes) || pads.length !== axes * 2)
    throw unknown('its window does not fit its input');
  return kernel.map((size, axis) => ({
    kernel: size,
    stride: strides[axis] ?? 1,
    dilation: dilations[axis] ?? 1,
    pads: [pads[axis] ?? 0, pads[axis + axes] ?? 0],
  }));
}

/** Entries beyond the first window, less those of the axis itself. */
const margin = ({ kernel, dilation, pads }: Slide): number => pads[0] + pads[1] - dilation * (kernel - 1) - 1;

function known(size: Size | undefined): Size {
  if (size === undefined) throw unknown('its window slides along rows');
  return size;
}

/** The whole steps of a window, and its first place. */
function steps(size: Size, slide: Slide): Size {
  const { stride } = slide;
  const rest = margin(slide);
  const length = plain(size);
  if (length !== undefined) {
    if (length + rest < 0) throw unknown('its window is longer than its input');
    return number(Math.floor((length + rest) / stride) + 1);
  }
  if (Number.isInteger(size.factor / stride)) {
    const part = { ...size, factor: size.factor / stride };
    return known(plus(part, number(Math.floor(rest / stride) + 1)));
  }
  return known(shared('slide', size, number(rest), number(stride)));
}

/** Pads make up for the window: only the stride counts. Dilations have no settled meaning here. */
function same(size: Size, slide: Slide, ceil: boolean): Size {
  if (slide.dilation !== 1 || (ceil && slide.kernel < slide.stride)) throw unknown('its padding is not known');
  return steps(size, { ...slide, kernel: 1, dilation: 1, pads: [0, 0] });
}

/** A last window that is not full counts, unless it starts behind the axis. */
function upwards(size: Size, slide: Slide, form: string): Size {
  const length = plain(size);
  const low = steps(size, slide);
  if (slide.stride === 1) return low;
  const most = length === undefined ? undefined : Math.ceil((length + margin(slide)) / slide.stride) + 1;
  if (most !== undefined && length !== undefined) {
    const inside = (most - 1) * slide.stride < length + slide.pads[0];
    if (plain(low) === most || (inside && form === 'NOTSET')) return number(most);
  }
  const parts = [slide.kernel, slide.stride, slide.dilation, ...slide.pads].map(number);
  return known(shared(`ceil${form}`, size, ...parts));
}

/** Sizes of the axes before a window slid along them, as a transposed convolution makes them. */
export function unslid(call: Call, sizes: readonly Size[], kernel: readonly number[]): Size[] {
  const form = call.attributes.text('auto_pad') ?? 'NOTSET';
  const slides = slidesOf(call, sizes.length, kernel, form === 'NOTSET');
  const given = call.attributes.ints('output_shape');
  if (given !== undefined && given.length > 0) {
    if (given.length !== sizes.length) throw unknown('its output shape does not fit its input');
    return given.map(number);
  }
  if (form !== 'NOTSET' && form !== 'VALID') throw unknown('its padding is not known');
  const added = call.attributes.ints('output_padding') ?? [];
  return sizes.map((size, axis) => {
    const slide = slides[axis];
    if (slide === undefined) throw unknown('its window does not fit its input');
    const beyond = (added[axis] ?? 0) - margin(slide) - slide.stride;
    return known(plus(known(times(size, number(slide.stride))), number(beyond)));
  });
}

/** Plain sizes of the last axes of weights, which an attribute may repeat. */
export function kernelOf(call: Call, weights: readonly (Size | undefined)[]): number[] {
  return weights.map((size, axis) => {
    const length = plain(size) ?? call.attributes.ints('kernel_shape')?.[axis];
    if (length === undefined) throw unknown('the size of its window is not known');
    return length;
  });
}

/** As many axes of one entry. */
export const ones = (count: number): Size[] => Array.from({ length: count }, () => ONE);
