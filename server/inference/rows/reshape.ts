import { broadcast } from './broadcast.ts';
import { apart, axisOf, plain, type Call, type Rule } from './call.ts';
import {
  equal,
  exactly,
  isAxisSize,
  isNumber,
  isOne,
  isWhole,
  number,
  ONE,
  plus,
  product,
  ROWS,
  shared,
  times,
  type Size,
} from './size.ts';
import { constant, CONSTANT, mixed, MOST_ELEMENTS, plainRows, relaid, shaped, unknown, type Shaped, type Tracked } from './value.ts';

const shapeOf: Rule = (call) => {
  const { dims } = call.counting(0);
  if (dims === undefined) return CONSTANT;
  // Since version 15 a shape may be a part of one.
  const part = dims.slice(call.int('start', 0), call.attributes.int('end'));
  return constant([number(part.length)], part);
};

const sizeOf: Rule = (call) => {
  const { dims } = call.counting(0);
  return dims === undefined ? constant([]) : constant([], [product(dims)]);
};

/** The same entries, in the same order, in another shape. */
function inShape(data: Shaped, dims: readonly Size[]): Tracked {
  if (data.row === undefined) {
    if (dims.some(({ rows }) => rows)) throw mixed('it gives a constant as many entries as there are rows');
    return constant(dims, data.elements);
  }
  return shaped(dims, relaid(data, dims));
}

const reshape: Rule = (call) => {
  const data = call.shape(0);
  const wanted = targetOf(call);
  const keepsZero = call.int('allowzero', 0) === 1;
  const dims = wanted.map((size, axis) => (plain(size) === 0 && !keepsZero ? data.dims[axis] : size));
  const open = dims.findIndex((size) => plain(size) === -1);
  if (open >= 0) dims[open] = restOf(data.dims, [...dims.slice(0, open), ...dims.slice(open + 1)]);
  return inShape(data, complete(dims));
};

/** The wanted shape: an input since version 5, an attribute before. */
function targetOf(call: Call): readonly (Size | undefined)[] {
  return call.version < 5 ? (call.attributes.ints('shape') ?? []).map(number) : call.sizes(1);
}

function complete(sizes: readonly (Size | undefined)[]): Size[] {
  return sizes.map((size) => {
    if (size === undefined) throw unknown('its shape depends on rows in an unknown way');
    return size;
  });
}

/** The size that is left for the open axis. */
function restOf(dims: readonly Size[], others: readonly (Size | undefined)[]): Size {
  const [whole, part] = [product(dims), product(others)];
  if (whole === undefined || part === undefined) throw unknown('its shape depends on rows in an unknown way');
  const rest = exactly(whole, part);
  if (rest !== undefined) return rest;
  // Rows that both count cancel out; what is left are shared numbers.
  const named = whole.rows === part.rows ? shared('rest', { ...whole, rows: false }, { ...part, rows: false }) : undefined;
  if (named === undefined) throw mixed('its new shape cuts through rows');
  return named;
}

const flatten: Rule = (call) => {
  const data = call.shape(0);
  const given = call.int('axis', 1);
  const axis = given < 0 ? given + data.dims.length : given;
  const dims = [product(data.dims.slice(0, axis)), product(data.dims.slice(axis))];
  return inShape(data, complete(dims));
};

const unsqueeze: Rule = (call) => {
  const data = call.shape(0);
  const given = call.numbersOf(1, 'axes') ?? [];
  const rank = data.dims.length + given.length;
  const added = new Set(given.map((axis) => axisOf(axis, rank)));
  const kept = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !added.has(axis));
  return onAxes(data, rank, kept);
};

/** The axes of a tensor at other places, with axes of one entry between them. */
function onAxes(data: Shaped, rank: number, places: readonly number[]): Tracked {
  const dims = Array.from({ length: rank }, (_, axis) => data.dims[places.indexOf(axis)] ?? ONE);
  if (data.row === undefined) return constant(dims, data.elements);
  return shaped(dims, { ...data.row, axis: places[data.row.axis] ?? 0 });
}

const squeeze: Rule = (call) => {
  const data = call.shape(0);
  const { dims, row } = data;
  const named = call.numbersOf(1, 'axes') ?? [];
  // No axes are all axes, also where an empty list names none.
  const given = named.length === 0 ? undefined : named.map((axis) => axisOf(axis, dims.length));
  if (given === undefined && dims.some((size) => !isNumber(size))) throw mixed('it drops every axis of one entry, also that of one row');
  if (given !== undefined) apart(data, given, 'takes one row from');
  const dropped = given ?? dims.flatMap((size, axis) => (isOne(size) ? [axis] : []));
  const kept = dims.map((_, axis) => axis).filter((axis) => !dropped.includes(axis));
  const left = kept.map((axis) => dims[axis] ?? ONE);
  return row === undefined ? constant(left, data.elements) : shaped(left, { ...row, axis: kept.indexOf(row.axis) });
};

/** A tensor of a shape that is the same everywhere, so that its rows are, too. */
function everywhere(dims: readonly Size[]): Tracked {
  const axes = dims.flatMap(({ rows }, axis) => (rows ? [axis] : []));
  const [axis] = axes;
  const size = axis === undefined ? undefined : dims[axis];
  if (axis === undefined || size === undefined) return constant(dims);
  if (axes.length > 1) throw mixed('it makes a table of rows by rows');
  return shaped(dims, { axis, before: ONE, after: { ...size, rows: false } });
}

const expand: Rule = (call) => {
  const data = call.tensor(0);
  const wanted = complete(call.sizes(1));
  const axis = wanted.findIndex(({ rows }) => rows);
  const form = everywhere(wanted);
  const place = axis - wanted.length + data.dims.length;
  const own = data.dims[place];
  // Rows of the data stay as they lie where the wanted size is theirs.
  const keeps = data.row !== undefined && data.row.axis === place && own !== undefined && equal(own, wanted[axis] ?? ONE);
  const target = shaped(wanted, keeps && data.row !== undefined ? { ...data.row, axis } : form.row);
  const result = broadcast([data, target]);
  return result.row === undefined && data.elements?.length === 1 ? filled(result.dims, data.elements[0]) : result;
};

/** A constant of one entry. */
function filled(dims: readonly Size[], entry: Size | undefined): Tracked {
  const length = plain(product(dims));
  return length === undefined || length > MOST_ELEMENTS
    ? constant(dims)
    : constant(
        dims,
        Array.from({ length }, () => entry),
      );
}

const constantOfShape: Rule = (call) => {
  const dims = complete(call.sizes(0));
  const whole = everywhere(dims);
  if (whole.row !== undefined) return whole;
  const { elements, float } = call.attributes.tensor('value') ?? { ...constant([ONE], [number(0)]), float: true };
  return elements === undefined ? whole : { ...filled(dims, elements[0]), float };
};

const tile: Rule = (call) => {
  const data = call.tensor(0);
  if (call.version < 6) throw unknown('its version repeats along one axis');
  const repeats = complete(call.sizes(1));
  const counted = repeats.findIndex(({ rows }) => rows);
  const { row } = data;
  if ((counted >= 0 && row !== undefined) || repeats.findLastIndex((size) => size.rows) > counted)
    throw mixed('it repeats rows as often as there are rows');
  const dims = data.dims.map((size, axis) => times(size, repeats[axis] ?? ONE));
  if (counted >= 0)
    return shaped(complete(dims), {
      axis: counted,
      before: { ...(repeats[counted] ?? ONE), rows: false },
      after: data.dims[counted] ?? ONE,
    });
  if (row === undefined) return constant(complete(dims));
  const before = times(repeats[row.axis] ?? ONE, row.before);
  return shaped(complete(dims), { ...row, before: before ?? row.before });
};

const range: Rule = (call) => {
  const [start, limit, step] = [0, 1, 2].map((index) => call.sizes(index)[0]);
  if (limit !== undefined && equal(limit, ROWS) && plain(start) === 0 && plain(step) === 1)
    return { ...shaped([ROWS], plainRows(0)), place: { kind: 'number', stride: ONE, exact: true } };
  if (start === undefined || limit === undefined || step === undefined || start.rows || limit.rows || step.rows)
    throw mixed('it numbers rows');
  return numbered(start, limit, step);
};

/** The numbers from a start to below a limit. */
function numbered(start: Size, limit: Size, step: Size): Tracked {
  if (![start, limit, step].every(isWhole)) return CONSTANT;
  const [from, to, by] = [plain(start), plain(limit), plain(step)];
  const below = from === 0 && by === 1 ? limit : undefined;
  if (from === undefined || to === undefined || by === undefined) {
    const length = below !== undefined && isAxisSize(below) ? below : shared('range', start, limit, step);
    return { ...constant(length && [length]), below };
  }
  const length = Math.max(Math.ceil((to - from) / by), 0);
  const elements = length > MOST_ELEMENTS ? undefined : Array.from({ length }, (_, at) => plus(start, number(at * by)));
  return { ...constant([number(length)], elements), below };
}

const value: Rule = ({ attributes }) => {
  const float = attributes.float('value_float');
  if (float !== undefined) return { ...constant([], [number(float)]), float: true };
  const single = attributes.int('value_int');
  if (single !== undefined) return constant([], [number(single)]);
  const list = attributes.ints('value_ints');
  if (list !== undefined) return constant([number(list.length)], list.map(number));
  return attributes.tensor('value') ?? CONSTANT;
};

/** Operators of the default domain about shapes. */
export const reshaping: Readonly<Record<string, Rule>> = {
  Constant: value,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: flatten,
  Range: range,
  Reshape: reshape,
  Shape: shapeOf,
  Size: sizeOf,
  Squeeze: squeeze,
  Tile: tile,
  Unsqueeze: unsqueeze,
};
