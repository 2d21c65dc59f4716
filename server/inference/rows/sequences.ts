import { apart, axisOf, plain, type Call, type Rule } from './call.ts';
import { equal, exactly, number, ONE, plus, times, ZERO, type Size } from './size.ts';
import { constant, mixed, same, shaped, unknown, type Shaped, type Tracked } from './value.ts';

/**
 * A sequence whose tensors all have one form. The only entry of its elements is its length, which
 * never depends on rows.
 */
function sequenceOf({ dims, row }: Tracked, length: Size | undefined): Tracked {
  return { dims, row, sequence: true, ...(length === undefined ? {} : { elements: [length] }) };
}

const lengthOf = ({ elements }: Tracked): Size | undefined => elements?.[0];

const elementOf = ({ dims, row }: Tracked): Tracked => ({ dims, row });

function isEmpty(sequence: Tracked): boolean {
  const length = lengthOf(sequence);
  return length !== undefined && equal(length, ZERO);
}

/** A position, which must not depend on rows. An absent one is the end. */
function readPosition(call: Call, index: number): void {
  if (call.has(index)) call.constant(index);
}

const construct: Rule = (call) => {
  let form = elementOf(call.settled(0));
  for (let index = 1; index < call.count; index++) form = same(form, elementOf(call.settled(index)));
  return sequenceOf(form, number(call.count));
};

const insert: Rule = (call) => {
  const sequence = call.sequence(0);
  const added = elementOf(call.settled(1));
  readPosition(call, 2);
  const length = lengthOf(sequence);
  return sequenceOf(isEmpty(sequence) ? added : same(elementOf(sequence), added), length && plus(length, ONE));
};

const erase: Rule = (call) => {
  const sequence = call.sequence(0);
  readPosition(call, 1);
  const length = lengthOf(sequence);
  return sequenceOf(sequence, length && plus(length, number(-1)));
};

const at: Rule = (call) => {
  readPosition(call, 1);
  return elementOf(call.sequence(0));
};

const length: Rule = (call) => {
  const known = lengthOf(call.sequence(0));
  return constant([], known && [known]);
};

const concatenate: Rule = (call) => {
  const sequence = call.sequence(0);
  const { dims, row } = sequence;
  const [axis, count] = [call.attributes.int('axis'), lengthOf(sequence)];
  if (axis === undefined || dims === undefined || count === undefined) throw unknown('the length of its sequence is not known');
  if (call.int('new_axis', 0) === 1) {
    const place = axisOf(axis, dims.length + 1);
    return shaped(dims.toSpliced(place, 0, count), row && { ...row, axis: row.axis + (row.axis >= place ? 1 : 0) });
  }
  const place = axisOf(axis, dims.length);
  const size = times(dims[place] ?? ONE, count);
  if (size === undefined || (size.rows && !equal(count, ONE))) throw mixed('it joins rows of different calls');
  return shaped(dims.with(place, size), row);
};

const split: Rule = (call) => {
  const data = call.tensor(0);
  const axis = axisOf(call.int('axis', 0), data.dims.length);
  const whole = data.dims[axis] ?? ONE;
  apart(data, [axis], 'parts');
  if (whole.rows) throw mixed('the length of its sequence depends on how many rows are merged');
  const keeps = call.int('keepdims', 1) !== 0;
  if (!call.has(1)) return sequenceOf(keeps ? shaped(data.dims.with(axis, ONE), data.row) : without(data, axis), whole);
  const { size, count } = partsOf(call, whole, keeps);
  return sequenceOf(shaped(data.dims.with(axis, size), data.row), count);
};

function without({ dims, row }: Shaped, axis: number): Shaped {
  return shaped(dims.toSpliced(axis, 1), row && { ...row, axis: row.axis - (row.axis > axis ? 1 : 0) });
}

/**
 * Size and number of parts of one size: one number is the size of all, a list has one for each.
 * @throws Refusal if parts may have different sizes
 */
function partsOf(call: Call, whole: Size, keeps: boolean): { readonly size: Size; readonly count: Size } {
  const sizes = call.numbers(1);
  const [first = 0] = sizes;
  if (call.tensor(1).dims.length > 0) {
    if (sizes.some((size) => size !== first)) throw unknown('its parts have different sizes');
    return { size: number(first), count: number(sizes.length) };
  }
  // Why: ONNX keeps the axis here, and ONNX Runtime does not.
  if (!keeps) throw unknown('whether it keeps its axis is not known');
  const count = exactly(whole, number(first));
  if (count !== undefined) return { size: number(first), count };
  if ((plain(whole) ?? Infinity) <= first) return { size: whole, count: ONE };
  throw unknown('its parts have different sizes');
}

const optional: Rule = (call) => call.any(0);

/** Operators of the default domain on sequences and optional values. */
export const sequences: Readonly<Record<string, Rule>> = {
  ConcatFromSequence: concatenate,
  Optional: optional,
  OptionalGetElement: optional,
  OptionalHasElement: (call) => {
    if (call.has(0)) call.any(0);
    return constant([]);
  },
  SequenceAt: at,
  SequenceConstruct: construct,
  SequenceEmpty: () => sequenceOf({ dims: undefined, row: undefined }, ZERO),
  SequenceErase: erase,
  SequenceInsert: insert,
  SequenceLength: length,
  SplitToSequence: split,
};
