import { refuseApart } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { named, refuseOtherAxis, refuseOtherItems } from './items.ts';
import { oneNumber } from './quantised.ts';
import { equal, exactly, isOne, number, plus, times, type Size } from './size.ts';
import { mixed, sameLayout, shaped, unknown, type RowAxis, type Shaped } from './value.ts';

function known(size: Size | undefined): Size {
  if (size === undefined) throw unknown('the sizes of its heads are not known');
  return size;
}

/** One mask for each item: as many as items, not counted in another way. */
function refuseOtherMask(data: Shaped, mask: Shaped): void {
  refuseApart([data, mask]);
  if (mask.dims.length > 1) return;
  const plain = mask.row === undefined || (isOne(mask.row.before) && isOne(mask.row.after));
  if (!plain || mask.dims[0] === undefined || data.dims[0] === undefined || !equal(mask.dims[0], data.dims[0]))
    throw unknown('its mask is no list of lengths');
}

/** Past states of keys and values: the second axis holds items. */
function pastSteps(data: Shaped, past: Shaped): Size {
  const { row } = past;
  if ((row === undefined) !== (data.row === undefined)) throw mixed('it combines each row with one constant');
  if (row !== undefined && (row.axis !== 1 || data.row === undefined || !sameLayout(row, data.row)))
    throw mixed('it combines each row with other rows');
  return known(past.dims[3]);
}

/** Inputs of an attention by their place. */
interface Places {
  readonly mask: number;
  readonly past: number;
}

/** Each item attends to its own steps. Weights of all projections are one constant. */
function projected(call: Call, { mask, past }: Places): ReturnType<Rule> {
  const [data, weights] = [call.tensor(0), call.tensor(1)];
  const [items, steps] = data.dims;
  if (data.dims.length !== 3 || call.int('past_present_share_buffer', 0) !== 0) throw unknown('it shares the past with its result');
  refuseOtherAxis(data);
  if (call.has(mask)) refuseOtherMask(data, call.tensor(mask));
  const before = call.has(past) ? pastSteps(data, call.tensor(past)) : number(0);
  const given = call.attributes.ints('qkv_hidden_sizes')?.[2];
  const width = given === undefined ? known(weights.dims[1] && exactly(weights.dims[1], number(3))) : number(given);
  const heads = number(call.int('num_heads', 0));
  const result = shaped([known(items), known(steps), width], data.row);
  if (call.outputs === 1) return result;
  const row: RowAxis | undefined = data.row && { ...data.row, axis: 1 };
  const all = known(plus(before, known(steps)));
  return named(call, [result, shaped([number(2), known(items), heads, all, known(exactly(width, heads))], row)]);
}

export const attention: Rule = (call) => {
  for (const index of [1, 2]) if (call.has(index)) call.constant(index);
  if (call.has(5)) refuseOtherItems(call.tensor(0), call.tensor(5));
  if (call.has(6)) throw unknown('it shares the past with its result');
  return projected(call, { mask: 3, past: 4 });
};

export const quantisedAttention: Rule = (call) => {
  for (const index of [1, 2, 4, 7]) if (call.has(index)) call.constant(index);
  oneNumber(call, 3, 6);
  return projected(call, { mask: 5, past: 8 });
};

/** Queries, keys and values may be packed in one or two tensors. */
export const multiHead: Rule = (call) => {
  const query = call.tensor(0);
  const given = [0, 1, 2, 6, 7].filter((index) => call.has(index)).map((index) => call.tensor(index));
  if (call.has(8) || call.has(9)) throw unknown('it shares the past with its result');
  refuseApart(given);
  refuseOtherAxis(query);
  if (call.has(3)) call.constant(3);
  if (call.has(4)) refuseOtherMask(query, call.tensor(4));
  if (call.has(5)) refuseOtherItems(query, call.tensor(5));
  const heads = number(call.int('num_heads', 0));
  const [items, steps] = query.dims;
  const { row } = query;
  const width = known(widthOf(call, query, heads));
  const result = shaped([known(items), known(steps), width], row);
  if (call.outputs === 1) return result;
  return named(call, [result, ...presentOf(call, query, heads, width)]);
};

/** The width of all heads of the values. */
function widthOf(call: Call, query: Shaped, heads: Size): Size | undefined {
  const packed = query.dims.length === 5 ? query : call.has(2) ? undefined : call.tensor(1);
  if (packed !== undefined) return packed.dims[4] && times(heads, packed.dims[4]);
  const { dims } = call.tensor(2);
  if (dims.length === 3) return dims[2];
  return dims[3] && times(heads, dims[3]);
}

/** Keys and values of all steps, where they come as tensors of three axes. */
function presentOf(call: Call, query: Shaped, heads: Size, width: Size): Shaped[] {
  if (call.outputs > 3 || query.dims.length !== 3 || !call.has(1) || !call.has(2)) throw unknown('the shape of its past is not known');
  const [key, value] = [call.tensor(1), call.tensor(2)];
  if (key.dims.length !== 3 || value.dims.length !== 3) throw unknown('the shape of its past is not known');
  const past = call.has(6) ? known(call.tensor(6).dims[2]) : number(0);
  const steps = known(plus(past, known(key.dims[1])));
  const items = known(query.dims[0]);
  return [known(key.dims[2]), width].map((size) => shaped([items, heads, steps, known(exactly(size, heads))], query.row));
}
