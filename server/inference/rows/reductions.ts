import { apart, axisOf, type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { isExact, isWhole, number, ONE, plus, product, shared, ZERO, type Size } from './size.ts';
import { constant, mixed, numbersOf, shaped, unknown, type RowAxis, type Shaped, type Tracked } from './value.ts';

type Entries = readonly (Size | undefined)[];

/** One entry from all entries of a small constant; undefined: it may depend on rows. */
type Fold = (entries: Entries) => Size | undefined;

/** Axes become one entry each, or none. @throws Refusal if rows lie along one of them */
function reduced(tensor: Shaped, axes: readonly number[], keep: boolean): Shaped {
  apart(tensor, axes, 'reduces');
  const { dims, row } = tensor;
  if (keep)
    return shaped(
      dims.map((size, axis) => (axes.includes(axis) ? ONE : size)),
      row,
    );
  const left = dims.filter((_, axis) => !axes.includes(axis));
  return shaped(left, row && without(row, axes));
}

/** The axis of rows after other axes are gone. */
const without = (row: RowAxis, axes: readonly number[]): RowAxis => ({
  ...row,
  axis: row.axis - axes.filter((axis) => axis < row.axis).length,
});

/** Axes of a reduction, each once; undefined where it reduces nothing. */
function axesOf(call: Call, rank: number): readonly number[] | undefined {
  const named = call.numbersOf(1, 'axes') ?? [];
  if (named.length > 0) return [...new Set(named.map((axis) => axisOf(axis, rank)))];
  return call.int('noop_with_empty_axes', 0) === 0 ? Array.from({ length: rank }, (_, axis) => axis) : undefined;
}

const reduce: Rule = (call) => {
  const data = call.tensor(0);
  const axes = axesOf(call, data.dims.length);
  return axes === undefined ? shaped(data.dims, data.row) : reduced(data, axes, call.int('keepdims', 1) !== 0);
};

/** A reduction that also computes sizes, so that small constants of one axis are folded. */
const folding =
  (fold: Fold): Rule =>
  (call) => {
    const { elements, dims, row } = call.counting(0);
    if (row !== undefined || elements === undefined || dims?.length !== 1) return reduce(call);
    if (axesOf(call, 1) === undefined) return constant(dims, elements);
    return constant(call.int('keepdims', 1) === 0 ? [] : [ONE], [fold(elements)]);
  };

function sum(entries: Entries): Size | undefined {
  let whole: Size | undefined = ZERO;
  for (const entry of entries) whole = whole && entry && plus(whole, entry);
  return roundless(whole, 'reducesum', entries);
}

function multiplied(entries: Entries): Size | undefined {
  return roundless(product(entries), 'reduceprod', entries);
}

/** A number that floats may round gets a name. */
const roundless = (whole: Size | undefined, name: string, entries: Entries): Size | undefined =>
  whole === undefined || (isWhole(whole) && isExact(whole.factor)) ? whole : shared(name, ...entries);

/** Folds plain numbers by a function; other shared numbers get a name. */
const named =
  (name: string, of: (...numbers: readonly number[]) => number): Fold =>
  (entries) => {
    const numbers = numbersOf(entries);
    const value = numbers === undefined ? NaN : of(...numbers);
    if (isExact(value)) return number(value);
    return entries.length === 1 ? entries[0] : shared(name, ...entries);
  };

/** The place of the greatest or smallest entry. */
const place: Rule = (call) => {
  const data = call.tensor(0);
  return reduced(data, [axisOf(call.int('axis', 0), data.dims.length)], call.int('keepdims', 1) !== 0);
};

const topK: Rule = (call) => {
  const data = call.tensor(0);
  const axis = axisOf(call.int('axis', -1), data.dims.length);
  apart(data, [axis], 'ranks');
  const most = call.version < 10 ? number(call.int('k', 0)) : call.sizes(1)[0];
  if (most === undefined || most.rows) throw mixed('it depends on how many rows are merged');
  return shaped(data.dims.with(axis, most), data.row);
};

/** Each entry depends on the others along one axis. */
function along(tensor: Shaped, axis: number, what: string): Tracked {
  apart(tensor, [axisOf(axis, tensor.dims.length)], what);
  return shaped(tensor.dims, tensor.row);
}

const running: Rule = (call) => {
  const data = call.tensor(0);
  const [axis] = call.numbers(1);
  if (axis === undefined) throw unknown('its axis is not known');
  return along(data, axis, 'sums');
};

/** Before version 13, all axes from one on are normalised together. */
const softmax: Rule = (call) => {
  const data = call.tensor(0);
  if (call.version >= 13) return along(data, call.int('axis', -1), 'normalises');
  const from = axisOf(call.int('axis', 1), data.dims.length);
  if (data.row !== undefined && data.row.axis >= from) throw mixed('it normalises rows of different calls');
  return shaped(data.dims, data.row);
};

/** Operators of the default domain that join the entries along axes. */
export const reductions: Readonly<Record<string, Rule>> = {
  ...all(reduce, 'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean ReduceSumSquare'),
  ReduceMax: folding(named('reducemax', Math.max)),
  ReduceMin: folding(named('reducemin', Math.min)),
  ReduceProd: folding(multiplied),
  ReduceSum: folding(sum),
  ...all(place, 'ArgMax ArgMin'),
  CumSum: running,
  ...all(softmax, 'Softmax LogSoftmax Hardmax'),
  LpNormalization: (call) => along(call.tensor(0), call.int('axis', -1), 'normalises'),
  TopK: topK,
};
