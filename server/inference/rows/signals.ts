import { apart, axisOf, plain, type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { number, ONE, shared, type Size } from './size.ts';
import { constant, mixed, shaped, unknown } from './value.ts';

/** Frequencies that are told apart: half of them where the others mirror them. */
function frequencies(length: Size, half: boolean): Size {
  if (!half) return length;
  const entries = plain(length);
  const size = entries === undefined ? shared('half', length) : number(Math.floor(entries / 2) + 1);
  if (size === undefined) throw mixed('it transforms along rows of different calls');
  return size;
}

/** One number of an input, which may be a size. */
function sizeAt(call: Call, index: number): Size {
  const [size, more] = call.sizes(index);
  if (size === undefined || more !== undefined) throw unknown(`input ${index} is not known`);
  if (size.rows) throw mixed('it depends on how many rows are merged');
  return size;
}

const fourier: Rule = (call) => {
  const data = call.tensor(0);
  const last = data.dims.length - 1;
  const given = call.version < 20 ? call.int('axis', 1) : call.has(2) ? call.numbers(2)[0] : -2;
  const axis = axisOf(given ?? -2, data.dims.length);
  const half = call.int('onesided', 0) !== 0;
  if (axis === last || (half && call.int('inverse', 0) !== 0)) throw unknown('the shape of its result is not known');
  apart(data, [axis, last], 'transforms along');
  const length = call.has(1) ? sizeAt(call, 1) : (data.dims[axis] ?? ONE);
  return shaped(data.dims.with(axis, frequencies(length, half)).with(last, number(2)), data.row);
};

/** A window moves along each signal; each place is transformed. */
const shortTime: Rule = (call) => {
  const data = call.tensor(0);
  const [items, steps, parts] = data.dims;
  if (data.row !== undefined && data.row.axis > 0) throw mixed('it transforms along rows of different calls');
  if (items === undefined || steps === undefined || (parts !== undefined && data.dims.length > 3)) throw unknown('it expects signals');
  if (call.has(2)) call.constant(2);
  const step = sizeAt(call, 1);
  const length = call.has(3) ? sizeAt(call, 3) : call.tensor(2).dims[0];
  if (length === undefined) throw unknown('the length of its frames is not known');
  return shaped([items, frames(steps, length, step), frequencies(length, call.int('onesided', 1) !== 0), number(2)], data.row);
};

function frames(steps: Size, length: Size, step: Size): Size {
  const [whole, frame, hop] = [plain(steps), plain(length), plain(step)];
  const known = whole !== undefined && frame !== undefined && hop !== undefined;
  const size = known ? number(Math.floor((whole - frame) / hop) + 1) : shared('frames', steps, length, step);
  if (size === undefined) throw mixed('it transforms along rows of different calls');
  return size;
}

/** Operators of the default domain on signals. */
export const signals: Readonly<Record<string, Rule>> = {
  ...all((call) => constant([sizeAt(call, 0)]), 'BlackmanWindow HammingWindow HannWindow'),
  DFT: fourier,
  MelWeightMatrix: (call) => {
    for (let index = 2; index < 5; index++) call.constant(index);
    return constant([frequencies(sizeAt(call, 1), true), sizeAt(call, 0)]);
  },
  STFT: shortTime,
};
