import { refuseApart } from './broadcast.ts';
import { type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { number, ONE, times, type Size } from './size.ts';
import { mixed, numbersOf, shaped, unknown, type Shaped } from './value.ts';
import { places, spread, staysInPlace, windowsOf, type Window } from './windows.ts';

/**
 * The result of a convolution: axes of batch, channels, and one for each window.
 * @param weights output channels × input channels of a group × windows
 * @throws Refusal if rows are channels, or a window spans several
 */
export function convolved(call: Call, data: Shaped, weights: Shaped): Shaped {
  const [channels, , ...kernel] = weights.dims;
  if (channels === undefined || data.dims.length !== weights.dims.length) throw unknown('its weights do not fit its input');
  if (data.row?.axis === 1) throw mixed('its channels are rows of different calls');
  const { dims, row } = slid(data, windowsOf(call, kernelOf(kernel)));
  return shaped(dims.with(1, channels), row);
}

function kernelOf(sizes: readonly Size[]): number[] {
  const numbers = numbersOf(sizes);
  if (numbers === undefined) throw unknown('the size of its window is not known');
  return numbers;
}

/** Windows slide along the axes after batch and channels. */
function slid({ dims, row }: Shaped, windows: readonly Window[]): Shaped {
  const window = row && windows[row.axis - 2];
  if (window !== undefined && !staysInPlace(window)) throw mixed('its window spans rows of different calls');
  return shaped(
    dims.map((size, axis) => (axis < 2 || axis === row?.axis ? size : places(size, windowAt(windows, axis - 2)))),
    row,
  );
}

function windowAt(windows: readonly Window[], at: number): Window {
  const window = windows[at];
  if (window === undefined) throw unknown('its windows do not fit its input');
  return window;
}

const convolution: Rule = (call) => {
  if (call.has(2)) call.constant(2);
  call.constant(1);
  return convolved(call, call.tensor(0), call.tensor(1));
};

/** Weights of a transposed convolution: input channels × output channels of a group × windows. */
const transposed: Rule = (call) => {
  const data = call.tensor(0);
  call.constant(1);
  if (call.has(2)) call.constant(2);
  const weights = call.tensor(1);
  const [, channels, ...kernel] = weights.dims;
  const group = number(call.int('group', 1));
  const made = channels && times(channels, group);
  if (made === undefined || data.dims.length !== weights.dims.length) throw unknown('its weights do not fit its input');
  refuseSpatial(data, 'its window spans rows of different calls');
  const [items = ONE, , ...spatial] = data.dims;
  return shaped([items, made, ...spreadSizes(call, spatial, windowsOf(call, kernelOf(kernel)))], data.row);
};

function spreadSizes(call: Call, spatial: readonly Size[], windows: readonly Window[]): readonly Size[] {
  const wanted = call.attributes.ints('output_shape') ?? [];
  if (wanted.length > 0) {
    if (wanted.length !== spatial.length) throw unknown('its attribute output_shape does not fit its axes');
    return wanted.map(number);
  }
  const extras = call.attributes.ints('output_padding') ?? [];
  return spatial.map((size, at) => spread(size, { window: windowAt(windows, at), extra: extras[at] ?? 0 }));
}

/** Rows may lie along the first axis only. */
function refuseSpatial({ row }: Shaped, reason: string): void {
  if (row !== undefined && row.axis > 0) throw mixed(row.axis === 1 ? 'its channels are rows of different calls' : reason);
}

/** A pool keeps channels apart, so that they may be rows. */
function pooled(call: Call): Shaped {
  const { dims, row } = call.tensor(0);
  const kernel = call.attributes.ints('kernel_shape');
  if (kernel === undefined || kernel.length + 2 !== dims.length) throw unknown('its windows do not fit its input');
  return slid(shaped(dims, row), windowsOf(call, kernel));
}

const maxPool: Rule = (call) => {
  const result = pooled(call);
  if (call.outputs === 1) return result;
  // Places count from the first entry of the whole tensor.
  return [result, result.row === undefined ? result : mixed('it counts places over all rows')];
};

const globalPool: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  if (row !== undefined && row.axis > 1) throw mixed('it pools rows of different calls');
  return shaped(
    dims.map((size, axis) => (axis < 2 ? size : ONE)),
    row,
  );
};

/** Offsets and masks say for each item where windows read. */
const deformed: Rule = (call) => {
  const [data, offsets] = [call.tensor(0), call.tensor(2)];
  call.constant(1);
  if (call.has(3)) call.constant(3);
  refuseApart(call.has(4) ? [data, offsets, call.tensor(4)] : [data, offsets]);
  refuseSpatial(data, 'its window spans rows of different calls');
  const { dims } = convolved(call, data, call.tensor(1));
  const [items = ONE, channels = ONE] = dims;
  return shaped([items, channels, ...offsets.dims.slice(2)], data.row);
};

/** Its indices count from the first entry of the whole tensor. */
const unpool: Rule = (call) => {
  for (let index = 0; index < call.count; index++) {
    if (call.has(index) && call.settled(index).row !== undefined) throw mixed('it counts places over all rows');
  }
  throw unknown('its shape is not known');
};

/** Operators of the default domain that slide windows. */
export const convolutions: Readonly<Record<string, Rule>> = {
  ...all(pooled, 'AveragePool LpPool'),
  ...all(globalPool, 'GlobalAveragePool GlobalLpPool GlobalMaxPool'),
  Conv: convolution,
  ConvTranspose: transposed,
  DeformConv: deformed,
  MaxPool: maxPool,
  MaxUnpool: unpool,
};
