import { refuseApart, refuseOtherRows } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { refuseOtherAxis } from './microsoft-items.ts';
import { equal, exactly, number, plus, times, ZERO, type Size } from './size.ts';
import { mixed, sameLayout, shaped, unknown, type Shaped, type Value } from './value.ts';

function known(size: Size | undefined): Size {
  if (size === undefined) throw unknown('the sizes of its heads are not known');
  return size;
}

/**
 * A mask of the steps of each item, or their number. One axis may also hold several numbers for each
 * item, one kind after the other.
 */
function refuseOtherMask(data: Shaped, mask: Shaped): void {
  refuseApart([data, mask]);
  const [items] = mask.dims;
  if (items === undefined || !equal(items, known(data.dims[0]))) throw mixed('its mask does not have one entry for each item');
}

/** What is added to all scores: one tensor for all items, or one for each. */
function refuseOtherScores(scores: Shaped, added: Shaped): void {
  if (added.dims.length !== 4) throw unknown('it expects four axes for what it adds to scores');
  refuseOtherRows(scores, added);
}

/** Places of inputs of an attention that multiplies with weights itself. */
export interface Places {
  readonly mask: number;
  readonly past: number;
  readonly scores?: number;
}

/** Queries, keys and values are products of one input with constants. */
export function projected(call: Call, { mask, past, scores }: Places): readonly Value[] {
  const [data, weights] = [call.tensor(0), call.tensor(1)];
  const [items, steps] = data.dims;
  if (items === undefined || steps === undefined || data.dims.length !== 3) throw unknown('it expects an input of three axes');
  refuseOtherAxis(data);
  if (call.int('past_present_share_buffer', 0) !== 0) throw unknown('it writes into its past');
  if (call.has(mask)) refuseOtherMask(data, call.tensor(mask));
  const all = known(plus(call.has(past) ? pastSteps(data, call.tensor(past)) : ZERO, steps));
  const heads = number(call.int('num_heads', 0));
  const own = (size: Size): Shaped => shaped([items, heads, size, all], data.row);
  if (scores !== undefined && call.has(scores)) refuseOtherScores(own(steps), call.tensor(scores));
  const widths = call.attributes.ints('qkv_hidden_sizes');
  const width = widths?.[2] === undefined ? known(weights.dims[1] && exactly(weights.dims[1], number(3))) : number(widths[2]);
  const result = shaped([items, steps, width], data.row);
  if (call.outputs === 1) return [result];
  const present = [number(2), items, heads, all, known(exactly(width, heads))];
  return [result, shaped(present, data.row && { ...data.row, axis: 1 })];
}

/** Keys and values of the past in one tensor, whose second axis holds items. */
function pastSteps({ row }: Shaped, past: Shaped): Size {
  if (past.dims.length !== 5) throw unknown('it expects a past of five axes');
  if ((row === undefined) !== (past.row === undefined)) throw mixed('it combines each row with one constant');
  if (row !== undefined && (past.row?.axis !== 1 || !sameLayout(past.row, row))) throw mixed('it combines each row with other rows');
  return known(past.dims[3]);
}

export const attention: Rule = (call) => {
  for (const index of [1, 2]) if (call.has(index)) call.constant(index);
  if (call.int('do_rotary', 0) !== 0) throw unknown('it turns its input');
  return projected(call, { mask: 3, past: 4, scores: 5 });
};

const [KEY, VALUE, BIAS, PADDING, SCORES, PAST_KEY, PAST_VALUE] = [1, 2, 3, 4, 5, 6, 7];

/** Each item attends to its own keys. Queries, keys and values come apart, or packed. */
export const multiHead: Rule = (call) => {
  const query = call.tensor(0);
  if (call.has(8) || call.has(9)) throw unknown('it writes into its past');
  refuseOtherAxis(query);
  refuseApart([query, ...[KEY, VALUE, PAST_KEY, PAST_VALUE].filter((index) => call.has(index)).map((index) => call.tensor(index))]);
  if (call.has(BIAS)) call.constant(BIAS);
  if (call.has(PADDING)) refuseOtherMask(query, call.tensor(PADDING));
  const heads = number(call.int('num_heads', 0));
  const { keys, ofKeys, ofValues, isPast } = sizesOf(call, query, heads);
  const [items, steps] = [known(query.dims[0]), known(query.dims[1])];
  const past = call.has(PAST_KEY) ? known(call.tensor(PAST_KEY).dims[2]) : ZERO;
  const all = known(plus(past, keys));
  const own = (...sizes: readonly Size[]): Shaped => shaped([items, ...sizes], query.row);
  const scores = own(heads, steps, all);
  if (call.has(SCORES)) refuseOtherScores(scores, call.tensor(SCORES));
  const present = isPast ? unknown('it takes the past as keys') : undefined;
  const result = own(steps, known(times(heads, ofValues)));
  return [result, present ?? own(heads, all, ofKeys), present ?? own(heads, all, ofValues), scores].slice(0, call.outputs);
};

interface Sizes {
  /** Steps of keys that are no part of the past. */
  readonly keys: Size;
  /** Entries of one head. */
  readonly ofKeys: Size;
  readonly ofValues: Size;
  /** True if keys have the form of a past. */
  readonly isPast: boolean;
}

function sizesOf(call: Call, query: Shaped, heads: Size): Sizes {
  const key = call.has(KEY) ? call.tensor(KEY) : query;
  const value = call.has(VALUE) ? call.tensor(VALUE) : key;
  const [ranks, apart] = [[query, key, value].map(({ dims }) => dims.length).join(' '), call.has(KEY) && call.has(VALUE)];
  const at = (dims: readonly Size[], axis: number): Size => known(dims[axis]);
  if (apart && ranks === '3 3 3') {
    const ofHead = ({ dims }: Shaped): Size => known(exactly(at(dims, 2), heads));
    return { keys: at(key.dims, 1), ofKeys: ofHead(key), ofValues: ofHead(value), isPast: false };
  }
  if (apart && ranks === '3 4 4') return { keys: at(key.dims, 2), ofKeys: at(key.dims, 3), ofValues: at(value.dims, 3), isPast: true };
  const packed = !call.has(VALUE) && (ranks === '5 5 5' || ranks === '3 5 5');
  if (!packed) throw unknown('it does not know how its inputs are packed');
  return { keys: at(key.dims, 1), ofKeys: at(key.dims, 4), ofValues: at(key.dims, 4), isPast: false };
}
