import { refuseApart, refuseOtherRows } from './broadcast.ts';
import { apart, type Call, type Rule } from './call.ts';
import { all } from './elementwise.ts';
import { layer } from './normalisations.ts';
import { named, refuseOtherAxis, refuseOtherItems } from './items.ts';
import { attention, multiHead, quantisedAttention } from './microsoft-attention.ts';
import { ONE, type Size } from './size.ts';
import { constant, mixed, sameSizes, shaped, unknown } from './value.ts';

/** Training alone needs the statistics of these operators. */
const unused = unknown('ONNX Runtime does not compute this output');

/**
 * The sum of two tensors is normalised along its last axis. The second one starts anew behind its
 * last entry, and ONNX Runtime refuses other sizes of the last two axes only.
 */
const skipLayer =
  (parameters: readonly number[]): Rule =>
  (call) => {
    const [data, skip] = [call.tensor(0), call.tensor(1)];
    const rank = data.dims.length;
    refuseOtherRows(data, skip);
    apart(data, [rank - 1], 'normalises');
    for (const index of parameters) if (call.has(index)) call.constant(index);
    if (data.row !== undefined && skip.row === undefined && (rank !== 3 || data.row.axis !== 0))
      throw mixed('it combines each row with one constant');
    const fits = skip.dims.length === rank && (skip.row?.axis === 0 || sameSizes(data.dims, skip.dims));
    if (skip.row !== undefined && !fits) throw unknown('it expects two tensors of one shape');
    const whole = shaped(data.dims, data.row);
    return named(call, [whole, unused, unused, whole]);
  };

const simplified: Rule = (call) => {
  const values = layer(call);
  return Array.isArray(values) ? named(call, values) : values;
};

/** Words, positions and segments are looked up, added and normalised. */
const embed: Rule = (call) => {
  const words = call.tensor(0);
  refuseOtherAxis(words);
  for (const index of [2, 3, 4, 5, 6]) if (call.has(index)) call.constant(index);
  for (const index of [1, 7]) if (call.has(index)) refuseApart([words, call.tensor(index)]);
  if (call.has(8)) refuseOtherItems(words, call.tensor(8));
  const [items, steps] = words.dims;
  const width = call.tensor(2).dims[1];
  if (items === undefined || steps === undefined || width === undefined || words.dims.length !== 2) throw unknown('it expects words');
  const embedded = shaped([items, steps, width], words.row);
  return named(call, [embedded, shaped([items], words.row), embedded]);
};

/** Each item is turned by the angles of its own positions. */
const rotary: Rule = (call) => {
  const [data, positions] = [call.tensor(0), call.tensor(1)];
  if (call.int('is_packed_batching', 0) !== 0) throw unknown('its items have several lengths');
  refuseOtherAxis(data);
  for (const index of [2, 3]) call.constant(index);
  if (positions.dims.length === 1) call.constant(1);
  else refuseApart([data, positions]);
  return shaped(data.dims, data.row);
};

/** Statistics of one item. What is added first belongs to the same item. */
const group: Rule = (call) => {
  const data = call.tensor(0);
  refuseOtherAxis(data);
  for (const index of [1, 2, 4]) if (call.has(index)) call.constant(index);
  if (call.has(3)) refuseApart([data, call.tensor(3)]);
  const whole = shaped(data.dims, data.row);
  return named(call, [whole, whole]);
};

/** A bias by the distance of two steps, the same for all items. */
const relativePosition: Rule = (call) => {
  call.constant(0);
  const heads = call.tensor(0).dims[1];
  const [queries, keys] = [stepsOf(call, 1), stepsOf(call, 2)];
  if (heads === undefined) throw unknown('it expects a table');
  return constant([ONE, heads, queries, keys]);
};

function stepsOf(call: Call, index: number): Size {
  const [size] = call.sizes(index);
  if (size === undefined || size.rows) throw mixed('it depends on how many rows are merged');
  return size;
}

/** Normalisation of the default domain that ONNX Runtime alone knows. */
export const transformersOfDefault: Readonly<Record<string, Rule>> = {
  SimplifiedLayerNormalization: simplified,
};

/** Operators of ONNX Runtime that transformers are fused to. */
export const transformers: Readonly<Record<string, Rule>> = {
  ...all(group, 'GroupNorm SkipGroupNorm'),
  Attention: attention,
  EmbedLayerNormalization: embed,
  MultiHeadAttention: multiHead,
  QAttention: quantisedAttention,
  RelativePositionBias: relativePosition,
  RotaryEmbedding: rotary,
  SimplifiedLayerNormalization: simplified,
  SkipLayerNormalization: skipLayer([2, 3, 4]),
  SkipSimplifiedLayerNormalization: skipLayer([2, 3]),
};
