import { apart, axisOf, plain, type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { number, ONE, shared, type Size } from './size.ts';
import { constant, mixed, shaped, unknown, type Shaped } from './value.ts';

const TWO = number(2);

/** One number that no row decides. @throws Refusal if it is not known */
function sizeAt(call: Call, index: number): Size {
  const [size, ...more] = call.sizes(index);
  if (size === undefined || size.rows) throw mixed('its length depends on how many rows are merged');
  if (more.length > 0) throw unknown(`input ${index} is not one number`);
  return size;
}

/** A number from shared numbers, computed where they are known. */
function computed(name: string, sizes: readonly Size[], of: (...numbers: readonly number[]) => number): Size {
  const numbers = sizes.flatMap((size) => plain(size) ?? []);
  if (numbers.length === sizes.length) return number(of(...numbers));
  const named = shared(name, ...sizes);
  if (named === undefined) throw mixed('its length depends on how many rows are merged');
  return named;
}

/** Frequencies of a real signal: those above half of its length repeat the others. */
const half = (length: Size): Size => computed('half', [length], (entries = 0) => Math.floor(entries / 2) + 1);

/** The last axis holds one real number, or a real and an imaginary one. */
function refuseOtherParts({ dims, row }: Shaped): void {
  const last = dims.length - 1;
  const parts = plain(dims[last]);
  if (row?.axis === last) throw mixed('its numbers have rows of different calls as parts');
  if (last < 1 || (parts !== 1 && parts !== 2)) throw unknown('its last axis does not hold one or two parts of a number');
}

/** The axis of the transform is an input since version 20, an attribute before. */
function axisOfTransform(call: Call, rank: number): number {
  const [given] = call.version < 20 ? [call.int('axis', 1)] : call.has(2) ? call.numbers(2) : [-2];
  if (given === undefined) throw unknown('its axis is not known');
  const axis = axisOf(given, rank);
  if (axis === rank - 1) throw unknown('its axis holds the parts of a number');
  return axis;
}

const transform: Rule = (call) => {
  const data = call.tensor(0);
  const axis = axisOfTransform(call, data.dims.length);
  refuseOtherParts(data);
  apart(data, [axis], 'transforms');
  const oneSided = call.int('onesided', 0) !== 0;
  // Versions of the runtime differ in what they answer.
  if (oneSided && call.int('inverse', 0) !== 0) throw unknown('it restores a real signal');
  const length = call.has(1) ? sizeAt(call, 1) : (data.dims[axis] ?? ONE);
  const dims = data.dims.with(axis, oneSided ? half(length) : length).with(data.dims.length - 1, TWO);
  return shaped(dims, data.row);
};

/** Items × entries, or items × entries × parts: frames of one item are transformed. */
const shortTransforms: Rule = (call) => {
  const data = call.tensor(0);
  const [items, entries] = data.dims;
  if (items === undefined || entries === undefined || data.dims.length > 3) throw unknown('it expects signals of two or three axes');
  if (data.dims.length === 3) refuseOtherParts(data);
  apart(data, [1], 'transforms');
  const step = sizeAt(call, 1);
  if (call.has(2)) call.constant(2);
  const length = call.has(3) ? sizeAt(call, 3) : call.has(2) ? call.tensor(2).dims[0] : undefined;
  if (length === undefined) throw unknown('the length of its frames is not known');
  const frames = computed('frames', [entries, length, step], (whole = 0, part = 0, by = 1) => Math.floor((whole - part) / by) + 1);
  return shaped([items, frames, call.int('onesided', 1) === 0 ? length : half(length), TWO], data.row);
};

/** Weights of a frame: they depend on its length only. */
const window: Rule = (call) => constant([sizeAt(call, 0)]);

/** Frequencies of half a transform × bands. */
const bands: Rule = (call) => {
  for (let index = 2; index < call.count; index++) call.constant(index);
  const [count, length] = [sizeAt(call, 0), sizeAt(call, 1)];
  return constant([half(length), count]);
};

/** Operators of the default domain on signals. */
export const signals: Readonly<Record<string, Rule>> = {
  ...all(window, 'BlackmanWindow HammingWindow HannWindow'),
  DFT: transform,
  MelWeightMatrix: bands,
  STFT: shortTransforms,
};
