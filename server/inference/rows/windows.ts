import { plain, type Call } from './call.ts';
import { number, plus, shared, times, type Size } from './size.ts';
import { unknown } from './value.ts';

/** How a window slides along one axis. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly head: number;
  readonly tail: number;
  /** Padding is computed so that the size depends on the stride only. */
  readonly padsToStride: boolean;
  /** True if a window may reach past the end. */
  readonly ceil: boolean;
}

/**
 * The windows of a convolution or pool, one for each axis after batch and channels.
 * @param kernel sizes of the windows, in entries
 * @throws Refusal if its attributes do not fit
 */
export function windowsOf(call: Call, kernel: readonly number[]): Window[] {
  const count = kernel.length;
  const padding = call.attributes.text('auto_pad') ?? 'NOTSET';
  const listed = (name: string, otherwise: number, length: number): readonly number[] => {
    const list = call.attributes.ints(name) ?? Array.from({ length }, () => otherwise);
    if (list.length !== length) throw unknown(`its attribute ${name} does not fit its axes`);
    return list;
  };
  const [strides, dilations, pads] = [listed('strides', 1, count), listed('dilations', 1, count), listed('pads', 0, 2 * count)];
  const explicit = padding === 'NOTSET' || padding === '';
  if (!explicit && !['SAME_UPPER', 'SAME_LOWER', 'VALID'].includes(padding)) throw unknown('its padding is of an unknown kind');
  return kernel.map((size, at) => ({
    kernel: size,
    stride: strides[at] ?? 1,
    dilation: dilations[at] ?? 1,
    head: explicit ? (pads[at] ?? 0) : 0,
    tail: explicit ? (pads[at + count] ?? 0) : 0,
    padsToStride: padding.startsWith('SAME'),
    ceil: call.int('ceil_mode', 0) !== 0,
  }));
}

/** How many entries a window spans. */
const reachOf = ({ kernel, dilation }: Window): number => dilation * (kernel - 1) + 1;

/** True if each entry of the result depends on the entry at the same place only. */
export const staysInPlace = (window: Window): boolean =>
  window.kernel === 1 && window.stride === 1 && window.head === 0 && window.tail === 0;

/** How many places a window takes along an axis. @throws Refusal if the axis is too short */
export function places(size: Size, window: Window): Size {
  const { stride, head, tail, padsToStride, ceil } = window;
  const spare = head + tail - reachOf(window);
  if (staysInPlace(window)) return size;
  const length = plain(size);
  if (padsToStride) {
    if (stride === 1 && window.dilation === 1) return size;
    return length !== undefined && window.dilation === 1 && !ceil ? number(Math.ceil(length / stride)) : named('same', size, window);
  }
  if (stride === 1) return positive(plus(size, number(spare + 1)) ?? named('places', size, window));
  if (length === undefined) return named('places', size, window);
  const count = Math.floor((length + spare) / stride) + 1;
  if (!ceil || (length + spare) % stride === 0) return positive(number(count));
  // A window that starts in the padding at the end counts in some versions only.
  return count * stride < length + head ? positive(number(count + 1)) : named('places', size, window);
}

/** What a transposed window adds to a size besides its strides. */
export interface Spread {
  readonly window: Window;
  /** Entries that are added at the end. */
  readonly extra: number;
}

/** How many entries a transposed window reaches. @throws Refusal if none */
export function spread(size: Size, { window, extra }: Spread): Size {
  const { stride, head, tail } = window;
  const whole = times(size, number(stride));
  const added = extra + reachOf(window) - stride;
  if (whole === undefined) throw unknown('its size is not known');
  // Fewer entries than strides ask for cannot be padded away.
  if (window.padsToStride) return added >= 0 ? whole : named('spread', size, window, extra);
  return positive(plus(whole, number(added - head - tail)) ?? named('spread', size, window, extra));
}

function positive(size: Size): Size {
  if (size.factor <= 0) throw unknown('its window is longer than its axis');
  return size;
}

/** A size by everything that decides it. */
function named(name: string, size: Size, window: Window, extra = 0): Size {
  const { kernel, stride, dilation, head, tail, padsToStride, ceil } = window;
  const numbers = [kernel, stride, dilation, head, tail, padsToStride ? 1 : 0, ceil ? 1 : 0, extra].map(number);
  const result = shared(name, size, ...numbers);
  if (result === undefined) throw unknown('its size depends on rows');
  return result;
}
