import { apart, axisOf, plain, type Call, type Rule } from './call.ts';
import { equal, exactly, number, ONE, plus, shared, upTo, ZERO, type Size } from './size.ts';
import {
  constant,
  countsRows,
  mixed,
  MOST_ELEMENTS,
  numbersOf,
  sameLayout,
  shaped,
  unknown,
  type RowAxis,
  type Shaped,
  type Tracked,
} from './value.ts';

/**
 * Entries of a small constant at other places.
 * @param from place in the constant for a place in the result
 */
function taken(data: Shaped, dims: readonly Size[], from: (place: readonly number[]) => readonly number[]): Tracked['elements'] {
  const [source, target] = [numbersOf(data.dims), numbersOf(dims)];
  const { elements } = data;
  if (elements === undefined || source === undefined || target === undefined) return undefined;
  const length = target.reduce((whole, size) => whole * size, 1);
  if (length > MOST_ELEMENTS) return undefined;
  return Array.from({ length }, (_, at) => {
    return elements[flat(from(placeOf(at, target)), source)];
  });
}

/** The number of an entry, by its indices. */
const flat = (place: readonly number[], dims: readonly number[]): number =>
  place.reduce((at, index, axis) => at * (dims[axis] ?? 1) + index, 0);

/** Indices of an entry, by its number. */
function placeOf(at: number, dims: readonly number[]): number[] {
  let rest = at;
  return dims
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .toReversed();
}

const transpose: Rule = (call) => {
  const { dims, row, elements } = call.tensor(0);
  const order = call.attributes.ints('perm') ?? dims.map((_, axis) => dims.length - 1 - axis);
  if (order.length !== dims.length) throw unknown('its order has another number of axes');
  const moved = order.map((axis) => dims[axis] ?? ONE);
  if (row === undefined)
    return constant(
      moved,
      taken({ dims, row, elements }, moved, (place) => dims.map((_, axis) => place[order.indexOf(axis)] ?? 0)),
    );
  return shaped(moved, { ...row, axis: order.indexOf(row.axis) });
};

const concat: Rule = (call) => {
  const parts = Array.from({ length: call.count }, (_, index) => call.shape(index));
  const [first] = parts;
  if (first === undefined) throw unknown('it joins nothing');
  if (parts.length === 1) return first;
  const rank = first.dims.length;
  const axis = axisOf(call.version < 4 ? call.int('axis', 1) : call.int('axis', 0), rank);
  if (parts.every(({ row, elements }) => row === undefined && elements !== undefined) && rank === 1) {
    const elements = parts.flatMap((part) => part.elements ?? []);
    return constant([number(elements.length)], elements.length > 64 ? refuseCounting(parts) : elements);
  }
  refuseCounting(parts);
  const row = rowBeside(parts, axis);
  const dims = first.dims.map((size, at) => (at === axis ? sum(parts.map((part) => part.dims[axis])) : size));
  return shaped(dims, row);
};

function refuseCounting(parts: readonly Shaped[]): undefined {
  if (parts.some(countsRows)) throw mixed('it depends on how many rows are merged');
}

/** The rows of tensors that lie side by side along another axis. */
export function rowBeside(parts: readonly Shaped[], axis: number): RowAxis | undefined {
  const row = parts.find((part) => part.row !== undefined)?.row;
  if (row === undefined) return undefined;
  for (const part of parts) {
    apart(part, [axis], 'joins');
    if (part.row === undefined) throw mixed('it joins rows with a constant of one shape');
    if (part.row.axis !== row.axis || !sameLayout(part.row, row)) throw mixed('it joins rows along different axes');
  }
  return row;
}

function sum(sizes: readonly (Size | undefined)[]): Size {
  let whole: Size | undefined = ZERO;
  for (const size of sizes) whole = whole && size && plus(whole, size);
  if (whole === undefined) throw mixed('it joins rows with something else');
  return whole;
}

const split: Rule = (call) => {
  const data = call.shape(0);
  const axis = axisOf(call.int('axis', 0), data.dims.length);
  const count = call.outputs;
  if (call.int('num_outputs', count) !== count) throw unknown('it names another number of outputs than it has parts');
  const given = call.numbersOf(1, 'split');
  if (count > 1 || given !== undefined) apart(data, [axis], 'parts');
  const whole = data.dims[axis] ?? ONE;
  const sizes = Array.from({ length: count }, (_, at) => (given === undefined ? equalPart(whole, count, at) : number(given[at] ?? 0)));
  let from = 0;
  return sizes.map((size) => {
    const dims = data.dims.with(axis, size);
    if (data.row !== undefined) return shaped(dims, data.row);
    const length = plain(size) ?? 0;
    const elements = data.dims.length === 1 && plain(size) !== undefined ? data.elements?.slice(from, (from += length)) : undefined;
    if (elements === undefined) refuseCounting([data]);
    return constant(dims, elements);
  });
};

/** Parts are equal but for the last one, which may be smaller (version 18). */
function equalPart(whole: Size, count: number, at: number): Size {
  const size = plain(whole);
  if (size === undefined) return exactly(whole, number(count)) ?? shared(`part${at}`, whole, number(count)) ?? ONE;
  const part = Math.ceil(size / count);
  return number(Math.max(Math.min(part, size - at * part), 0));
}

/** Above every size: exporters write the greatest int32 or int64 for "to the end". */
const TO_THE_END = 2 ** 31 - 1;

interface Cut {
  readonly axis: number;
  readonly start: Size | undefined;
  readonly end: Size | undefined;
  readonly step: number;
}

const slice: Rule = (call) => {
  const data = call.shape(0);
  const cuts = cutsOf(call, data.dims.length);
  let { dims } = data;
  for (const cut of cuts) {
    const size = data.dims[cut.axis] ?? ONE;
    if (data.row?.axis === cut.axis) refuseCutRows(cut, size);
    else dims = dims.with(cut.axis, cutSize(size, cut));
  }
  if (data.row !== undefined) return shaped(dims, data.row);
  const elements = cutElements(data, dims, cuts);
  if (elements === undefined) refuseCounting([data]);
  return constant(dims, elements);
};

function cutsOf(call: Call, rank: number): Cut[] {
  const old = call.version < 10;
  const starts = old ? (call.attributes.ints('starts') ?? []).map(number) : call.sizes(1);
  const ends = old ? (call.attributes.ints('ends') ?? []).map(number) : call.sizes(2);
  const axes = (old ? call.attributes.ints('axes') : call.has(3) ? call.numbers(3) : undefined) ?? starts.map((_, index) => index);
  const steps = !old && call.has(4) ? call.numbers(4) : [];
  return axes.map((axis, index) => ({ axis: axisOf(axis, rank), start: starts[index], end: ends[index], step: steps[index] ?? 1 }));
}

function refuseCutRows({ start, end, step }: Cut, size: Size): void {
  const toTheEnd = end !== undefined && (equal(end, size) || (plain(end) ?? 0) >= TO_THE_END);
  if (plain(start) !== 0 || !toTheEnd || step !== 1) throw mixed('it picks rows by their place');
}

function cutSize(size: Size, { start, end, step }: Cut): Size {
  const [from, to, whole] = [plain(start), plain(end), plain(size)];
  if (from === 0 && step === 1 && end !== undefined && ((to ?? 0) >= TO_THE_END || equal(end, size))) return size;
  if (from !== undefined && to !== undefined && whole !== undefined) return number(extent(whole, from, to, step).count);
  const named =
    (from === 0 && step === 1 && whole !== undefined && end && upTo(end, size)) || shared('slice', size, start, end, number(step));
  if (named === undefined) throw mixed('it cuts by the number of rows');
  return named;
}

/** The first entry that a cut takes of an axis, and how many it takes. */
function extent(whole: number, start: number, end: number, step: number): { readonly from: number; readonly count: number } {
  const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + whole : at, step < 0 ? -1 : 0), step < 0 ? whole - 1 : whole);
  const [from, to] = [step < 0 ? Math.max(clamp(start), 0) : clamp(start), step < 0 && end < -whole ? -1 : clamp(end)];
  return { from, count: Math.max(Math.ceil((to - from) / step), 0) };
}

/** Entries of a small constant behind cuts, or undefined if one is not known. */
function cutElements(data: Shaped, dims: readonly Size[], cuts: readonly Cut[]): Tracked['elements'] {
  const steps = data.dims.map(() => ({ from: 0, step: 1 }));
  for (const { axis, start, end, step } of cuts) {
    const [from, to, whole] = [plain(start), plain(end), plain(data.dims[axis])];
    if (from === undefined || to === undefined || whole === undefined) return undefined;
    steps[axis] = { from: extent(whole, from, to, step).from, step };
  }
  return taken(data, dims, (place) => place.map((index, axis) => (steps[axis]?.from ?? 0) + index * (steps[axis]?.step ?? 1)));
}

const gather: Rule = (call) => {
  const data = call.counting(0);
  const indices = call.tensor(1);
  if (data.dims === undefined) throw unknown('the shape of a constant is not known');
  const axis = axisOf(call.int('axis', 0), data.dims.length);
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  const { row } = data;
  if (row === undefined && indices.row === undefined) return picked(call, dims, { ...data, dims: data.dims }, indices, axis);
  const entries = call.settled(0);
  if (row !== undefined && indices.row !== undefined) throw mixed('it picks entries of one row by those of another');
  apart(entries, [axis], 'picks entries among');
  if (row !== undefined) return shaped(dims, { ...row, axis: row.axis < axis ? row.axis : row.axis + indices.dims.length - 1 });
  return shaped(dims, indices.row && { ...indices.row, axis: indices.row.axis + axis });
};

function picked(call: Call, dims: readonly Size[], data: Shaped, indices: Shaped, axis: number): Tracked {
  const [places, shape] = [numbersOf(indices.elements), numbersOf(indices.dims)];
  const [rank, whole] = [indices.dims.length, plain(data.dims[axis]) ?? 0];
  const elements =
    places &&
    shape &&
    taken(data, dims, (place) => {
      const index = places[flat(place.slice(axis, axis + rank), shape)] ?? 0;
      return [...place.slice(0, axis), index < 0 ? index + whole : index, ...place.slice(axis + rank)];
    });
  if (elements === undefined) call.settled(0);
  return constant(dims, elements);
}

const gatherElements: Rule = (call) => {
  const [data, indices] = [call.tensor(0), call.tensor(1)];
  const axis = axisOf(call.int('axis', 0), data.dims.length);
  if (data.row === undefined && indices.row?.axis === axis) return shaped(indices.dims, indices.row);
  if (data.row === undefined && indices.row === undefined) return constant(indices.dims);
  apart(data, [axis], 'picks entries among');
  return shaped(indices.dims, rowBeside([data, indices], axis));
};

const gatherND: Rule = (call) => {
  const [data, indices] = [call.tensor(0), call.tensor(1)];
  const batch = call.int('batch_dims', 0);
  const depth = plain(indices.dims.at(-1));
  if (depth === undefined) throw unknown('the number of axes that it indexes is not known');
  const last = indices.dims.length - 1;
  const dims = [...indices.dims.slice(0, last), ...data.dims.slice(batch + depth)];
  if (indices.row?.axis === last) throw mixed('it reads a place across rows');
  if (data.row === undefined) {
    if (indices.row !== undefined && indices.row.axis < batch) throw mixed('it picks entries of a constant by the place of a row');
    return indices.row === undefined ? constant(dims) : shaped(dims, indices.row);
  }
  if (data.row.axis < batch) return shaped(dims, rowBeside([data, indices], -1));
  if (indices.row !== undefined || data.row.axis < batch + depth) throw mixed('it picks entries among rows of different calls');
  return shaped(dims, { ...data.row, axis: data.row.axis - batch - depth + last });
};

const pad: Rule = (call) => {
  const data = call.tensor(0);
  const rank = data.dims.length;
  const pads = padsOf(call);
  const axes = call.has(3) ? call.numbers(3).map((axis) => axisOf(axis, rank)) : data.dims.map((_, axis) => axis);
  if (call.has(2)) call.constant(2);
  let { dims } = data;
  for (const [index, axis] of axes.entries()) {
    const ends = [pads[index], pads[index + axes.length]];
    if (ends.every((size) => plain(size) === 0)) continue;
    apart(data, [axis], 'pads between');
    dims = dims.with(axis, sum([data.dims[axis], ...ends]));
  }
  return data.row === undefined ? constant(dims) : shaped(dims, data.row);
};

/** How many entries are added: an input since version 11, an attribute before. */
function padsOf(call: Call): readonly (Size | undefined)[] {
  if (call.version >= 11) return call.sizes(1);
  return (call.attributes.ints(call.version < 2 ? 'paddings' : 'pads') ?? []).map(number);
}

/** Operators of the default domain that move entries. */
export const moving: Readonly<Record<string, Rule>> = {
  Concat: concat,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  Pad: pad,
  Slice: slice,
  Split: split,
  Transpose: transpose,
};
