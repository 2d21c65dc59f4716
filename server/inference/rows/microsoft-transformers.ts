import { refuseApart, refuseOtherRows } from './broadcast.ts';
import { apart, axisOf, plain, type Call, type Rule } from './call.ts';
import { attention, multiHead } from './microsoft-attention.ts';
import { refuseOtherAxis, refuseOtherItems } from './microsoft-items.ts';
import { mixed, sameSizes, shaped, unknown, type Shaped } from './value.ts';

/** Outputs that no processor computes. */
const unused = unknown('ONNX Runtime does not compute this output');

/**
 * A tensor and another one are added, and normalised along their last axis. The other one starts
 * anew behind its last entry, as often as the first one has entries.
 * @param parameters places of scales and biases
 */
const skipLayer =
  (...parameters: readonly number[]): Rule =>
  (call) => {
    const [data, skip] = [call.tensor(0), call.tensor(1)];
    const rank = data.dims.length;
    for (const index of parameters) if (call.has(index)) call.constant(index);
    apart(data, [axisOf(-1, rank)], 'normalises');
    refuseOtherRows(data, skip);
    if (data.row !== undefined && skip.row === undefined && (rank !== 3 || data.row.axis !== 0))
      throw mixed('it combines each row with one constant');
    // ONNX Runtime refuses other sizes of the last two axes only.
    const fits = skip.dims.length === rank && (skip.row?.axis === 0 || sameSizes(data.dims, skip.dims));
    if (skip.row !== undefined && !fits) throw unknown('it adds tensors of different shapes');
    const whole = shaped(data.dims, data.row);
    return [whole, unused, unused, whole].slice(0, call.outputs);
  };

const [SEGMENTS, WORDS, MASK, POSITIONS] = [1, 2, 7, 8];

/** The vectors of words, positions and segments are added, and normalised along their last axis. */
const embedding: Rule = (call) => {
  const words = call.tensor(0);
  const [items, steps] = words.dims;
  if (items === undefined || steps === undefined || words.dims.length !== 2) throw unknown('it expects words of two axes');
  refuseOtherAxis(words);
  for (const index of [2, 3, 4, 5, 6]) if (call.has(index)) call.constant(index);
  const beside = [SEGMENTS, MASK].filter((index) => call.has(index)).map((index) => call.tensor(index));
  refuseApart([words, ...beside]);
  if (call.has(POSITIONS)) refuseOtherItems(words, call.tensor(POSITIONS));
  const [, width] = call.tensor(WORDS).dims;
  if (width === undefined) throw unknown('the size of its vectors is not known');
  const vectors = shaped([items, steps, width], words.row);
  return [vectors, shaped([items], words.row), vectors].slice(0, call.outputs);
};

/** Each item is turned by the angles of its own positions, or of one offset. */
const rotary: Rule = (call) => {
  const [data, positions] = [call.tensor(0), call.tensor(1)];
  for (const index of [2, 3]) call.constant(index);
  refuseOtherAxis(data);
  if (call.int('is_packed_batching', 0) !== 0) throw unknown('its items have different lengths');
  if (positions.dims.length === 2) refuseApart([data, positions]);
  else call.constant(1);
  if (data.row !== undefined) refuseOtherHeads(call, data);
  return shaped(data.dims, data.row);
};

/**
 * ONNX Runtime computes where an item starts from the sizes of its heads.
 * @throws Refusal if heads may not fill an item
 */
function refuseOtherHeads(call: Call, { dims }: Shaped): void {
  const [heads, turned] = [call.int('num_heads', 0), call.int('rotary_embedding_dim', 0)];
  const half = plain(call.tensor(2).dims[1]);
  const [count, size] = dims.length === 4 ? [plain(dims[1]), plain(dims[3])] : [1, plain(dims[2])];
  if (half === undefined || count === undefined || size === undefined || (dims.length !== 3 && dims.length !== 4))
    throw unknown('the sizes of its heads are not known');
  const ofHead = turned === 0 ? 2 * half : (count * size) / heads;
  const fills = dims.length === 4 ? ofHead === size && (heads === 0 || heads === count) : isWhole(size, ofHead, heads);
  if (!fills) throw unknown('its heads do not fill an item');
}

const isWhole = (size: number, ofHead: number, heads: number): boolean =>
  Number.isInteger(ofHead) && size % ofHead === 0 && (heads === 0 || heads * ofHead === size);

/** Operators of the domain `com.microsoft` of which transformers are made. */
export const microsoftTransformers: Readonly<Record<string, Rule>> = {
  Attention: attention,
  EmbedLayerNormalization: embedding,
  MultiHeadAttention: multiHead,
  RotaryEmbedding: rotary,
  SkipLayerNormalization: skipLayer(2, 3, 4),
  SkipSimplifiedLayerNormalization: skipLayer(2, 3),
};
