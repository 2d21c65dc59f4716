import type { Call, Rule } from './call.ts';
import { equal, isOne, type Size } from './size.ts';
import { mixed, NUMBERS_ROWS, Refusal, shaped, unknown, type Place, type Shaped, type Tracked, type Value } from './value.ts';

// Exporters read each row's own mask by its number: Range(0, rows), then Gather or GatherND.

const OTHER: Place = { kind: 'other' };

/** The value of a rule for an operator with one output. */
function one(values: Value | readonly Value[]): Tracked {
  const value = isList(values) ? values[0] : values;
  if (value === undefined) throw unknown('its rule gives no value');
  if (value instanceof Refusal) throw value;
  return value;
}

const isList = (values: Value | readonly Value[]): values is readonly Value[] => Array.isArray(values);

/** The first input moves, and its entries stay what they are. */
const moved =
  (rule: Rule): Rule =>
  (call) => {
    const { place, below } = call.placed(0);
    for (let index = 1; index < call.count; index++) if (call.has(index)) call.counting(index);
    return { ...one(rule(call.withoutPlaces())), below, ...(place && { place: place.kind === 'number' ? place : OTHER }) };
  };

/** Dtypes of onnx.proto that hold every place: int32 and int64. */
const WHOLE = new Set([6, 7]);

/** Entries stay what they are in a dtype that holds them. */
const converted =
  (rule: Rule): Rule =>
  (call) =>
    WHOLE.has(call.int('to', 0)) ? moved(rule)(call) : blurred(rule)(call);

/** The shape does not depend on entries. */
const formOnly =
  (rule: Rule): Rule =>
  (call) => {
    call.placed(0);
    return rule(call.withoutPlaces());
  };

/** Entries that depend on places in a way that nothing but a shape may use. */
const blurred =
  (rule: Rule): Rule =>
  (call) => ({ ...one(rule(call.withoutPlaces())), ...(readAll(call) ? { place: OTHER } : {}) });

/** Reads all inputs. True if one depends on places. */
function readAll(call: Call): boolean {
  let placed = false;
  for (let index = 0; index < call.count; index++) if (call.has(index)) placed = call.placed(index).place !== undefined || placed;
  return placed;
}

/** The place × stride times a shared number has a larger stride. */
const multiplied =
  (rule: Rule): Rule =>
  (call) => {
    const [first, second] = [call.placed(0), call.placed(1)];
    const [numbered, factor] = first.place === undefined ? [second, first] : [first, second];
    const { place } = numbered;
    const isPlace = place?.kind === 'number' && place.exact && isOne(place.stride);
    const stride = isPlace && factor.row === undefined ? only(factor) : undefined;
    if (stride === undefined) return blurred(rule)(call);
    return { ...one(rule(call.withoutPlaces())), place: { kind: 'number', stride, exact: true } };
  };

/** The entry of a constant of one entry that is a size. */
function only({ elements }: Tracked): Size | undefined {
  const [entry] = elements ?? [];
  return elements?.length === 1 && entry !== undefined && !entry.rows && entry.factor > 0 ? entry : undefined;
}

/** The place × stride plus a number below the stride stays within its row. */
const added =
  (rule: Rule): Rule =>
  (call) => {
    const [first, second] = [call.placed(0), call.placed(1)];
    const [numbered, offset] = first.place === undefined ? [second, first] : [first, second];
    const { place } = numbered;
    if (place?.kind !== 'number' || !place.exact || offset.place !== undefined) return blurred(rule)(call);
    if (offset.below === undefined || !equal(offset.below, place.stride)) return blurred(rule)(call);
    // A second offset could leave the row, so the sum is not exact.
    return { ...one(rule(call.withoutPlaces())), place: { ...place, exact: false } };
  };

/** The place in front of other indices. */
const joined =
  (rule: Rule): Rule =>
  (call) => {
    const parts = Array.from({ length: call.count }, (_, index) => call.placed(index));
    const whole = one(rule(call.withoutPlaces()));
    const [first, ...others] = parts;
    const axis = call.int('axis', 0);
    const isLast = axis === -1 || axis === (whole.dims?.length ?? 0) - 1;
    const leads = first?.place?.kind === 'number' && isOne(first.place.stride) && isOne(first.dims?.at(-1) ?? first.place.stride);
    if (!parts.some(({ place }) => place !== undefined)) return whole;
    const rest = others.every(({ place }) => place === undefined);
    return { ...whole, place: isLast && leads && rest && first.dims !== undefined ? { kind: 'leads' } : OTHER };
  };

function indexed(call: Call): [Shaped, Shaped] {
  const indices = call.placed(1);
  if (indices.dims === undefined) throw unknown('the shape of its indices is not known');
  return [call.tensor(0), { ...indices, dims: indices.dims }];
}

/** Each row reads entries of itself: `place` × entries of a row, and an offset within it. */
const gathered =
  (rule: Rule): Rule =>
  (call) => {
    if (call.placed(1).place === undefined) return rule(call.withoutPlaces());
    const [data, indices] = indexed(call);
    const { place } = indices;
    const axis = call.int('axis', 0);
    if (data.row === undefined || data.row.axis !== axis || !isOne(data.row.before)) throw mixed(NUMBERS_ROWS);
    if (place?.kind !== 'number' || !equal(place.stride, data.row.after)) throw mixed(NUMBERS_ROWS);
    const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
    return shaped(dims, indices.row && { ...indices.row, axis: indices.row.axis + axis });
  };

const gatheredND =
  (rule: Rule): Rule =>
  (call) => {
    if (call.placed(1).place === undefined) return rule(call.withoutPlaces());
    const [data, indices] = indexed(call);
    const depth = indices.dims.at(-1);
    const own =
      indices.place?.kind === 'leads' ||
      (indices.place?.kind === 'number' && isOne(indices.place.stride) && depth !== undefined && isOne(depth));
    if (!own || call.int('batch_dims', 0) !== 0 || data.row?.axis !== 0 || !isOne(data.row.before) || !isOne(data.row.after))
      throw mixed(NUMBERS_ROWS);
    if (depth === undefined || depth.rows || depth.symbols.length > 0) throw unknown('the number of axes that it indexes is not known');
    return shaped([...indices.dims.slice(0, -1), ...data.dims.slice(depth.factor)], indices.row);
  };

const wraps: Readonly<Record<string, (rule: Rule) => Rule>> = {
  Add: added,
  Cast: converted,
  Concat: joined,
  Equal: blurred,
  Expand: moved,
  Gather: gathered,
  GatherND: gatheredND,
  GreaterOrEqual: blurred,
  Identity: moved,
  Max: blurred,
  Min: blurred,
  Mul: multiplied,
  Reshape: moved,
  Shape: formOnly,
  Unsqueeze: moved,
};

/** The rules, where some also follow values that depend on the places of rows. */
export function followingPlaces(rules: Readonly<Record<string, Rule>>): Readonly<Record<string, Rule>> {
  const followed = Object.entries(rules).map(([operator, rule]): [string, Rule] => {
    const withPlaces = Object.hasOwn(wraps, operator) ? wraps[operator]?.(rule) : undefined;
    return [operator, withPlaces === undefined ? rule : (call) => (call.hasPlaces ? withPlaces(call) : rule(call))];
  });
  return Object.fromEntries(followed);
}
