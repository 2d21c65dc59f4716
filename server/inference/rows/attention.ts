import { refuseApart, refuseOtherRows } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { exactly, number, ONE, plus, times, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';

/** Sizes of one attention. */
interface Sizes {
  readonly items: Size;
  readonly queries: Size;
  /** Keys of this call and of the past. */
  readonly keys: Size;
  readonly queryHeads: Size;
  readonly keyHeads: Size;
  /** Entries of one head. */
  readonly ofKeys: Size;
  readonly ofValues: Size;
}

const [MASK, PAST_KEY, PAST_VALUE, LENGTHS] = [3, 4, 5, 6];

/** Each item of the batch attends to its own keys. Items lie along the first axis. */
const attention: Rule = (call) => {
  const [query, key, value] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  const beside = [PAST_KEY, PAST_VALUE, LENGTHS].filter((index) => call.has(index)).map((index) => call.tensor(index));
  refuseApart([query, key, value, ...beside]);
  refuseOtherAxis(query);
  const sizes = sizesOf(call, query, key, value);
  const { row } = query;
  const { items, queries, keys, queryHeads, keyHeads, ofKeys, ofValues } = sizes;
  const scores = shaped([items, queryHeads, queries, keys], row);
  if (call.has(MASK)) refuseOtherRows(scores, call.tensor(MASK));
  const flat = query.dims.length === 3;
  return [
    shaped(flat ? [items, queries, known(times(queryHeads, ofValues))] : [items, queryHeads, queries, ofValues], row),
    shaped([items, keyHeads, keys, ofKeys], row),
    shaped([items, keyHeads, keys, ofValues], row),
    scores,
  ].slice(0, call.outputs);
};

function refuseOtherAxis({ row }: Shaped): void {
  if (row !== undefined && row.axis > 0) throw mixed('its rows lie along another axis than the batch');
}

function known(size: Size | undefined): Size {
  if (size === undefined) throw unknown('the sizes of its heads are not known');
  return size;
}

/** Tensors have the axes item, head, step, entry; or item, step, and all heads in one. */
function sizesOf(call: Call, query: Shaped, key: Shaped, value: Shaped): Sizes {
  const rank = query.dims.length;
  if ((rank !== 3 && rank !== 4) || key.dims.length !== rank || value.dims.length !== rank)
    throw unknown('it expects three or four axes for queries, keys and values');
  const heads = (tensor: Shaped, attribute: string): Size => (rank === 4 ? tensor.dims[1] : number(call.int(attribute, 0))) ?? ONE;
  const [queryHeads, keyHeads] = [heads(query, 'q_num_heads'), heads(key, 'kv_num_heads')];
  const ofHead = ({ dims }: Shaped): Size => known(rank === 4 ? dims[3] : dims[2] && exactly(dims[2], keyHeads));
  const steps = ({ dims }: Shaped): Size => known(dims[rank - 2]);
  const past = call.has(PAST_KEY) ? known(call.tensor(PAST_KEY).dims[2]) : undefined;
  return {
    items: known(query.dims[0]),
    queries: steps(query),
    keys: known(past === undefined ? steps(key) : plus(past, steps(key))),
    queryHeads,
    keyHeads,
    ofKeys: ofHead(key),
    ofValues: ofHead(value),
  };
}

/** Each item of the batch is turned by the angles of its own positions. */
const rotary: Rule = (call) => {
  const data = call.tensor(0);
  const caches = [1, 2];
  refuseOtherAxis(data);
  if (call.has(3)) {
    for (const index of caches) call.constant(index);
    refuseApart([data, call.tensor(3)]);
  } else refuseApart([data, ...caches.map((index) => call.tensor(index))]);
  return shaped(data.dims, data.row);
};

/** Operators of the default domain that let the steps of one item meet. */
export const attentions: Readonly<Record<string, Rule>> = {
  Attention: attention,
  RotaryEmbedding: rotary,
};
