/**
 * Nets of the size that people serve, with random weights: as fast and as large as the real ones
 * (about 100 MB each).
 */

import { GraphBuilder } from './graph-builder.ts';
import { attribute, elementTypes, value } from './onnx.ts';

/**
 * ResNet-50 v1.5, batch normalisation folded into the convolutions: float32 image [batch,3,224,224]
 * -> logits [batch,1000].
 */
export function resnet50(): Buffer {
  const builder = new GraphBuilder('resnet50', 4);
  const stem = builder.convolution('image', [3, 64], 7, 3, { stride: 2 });
  let last = builder.node('MaxPool', [stem], {
    attributes: [attribute.ints('kernel_shape', [3, 3]), attribute.ints('strides', [2, 2]), attribute.ints('pads', [1, 1, 1, 1])],
  });
  let channels = 64;
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const narrow = 64 << stage;
    for (let block = 0; block < blocks; block++) {
      last = bottleneck(builder, last, [channels, narrow], block === 0, block === 0 && stage > 0 ? 2 : 1);
      channels = narrow * 4;
    }
  }
  const features = builder.node('Flatten', [builder.node('GlobalAveragePool', [last])]);
  builder.node('Gemm', [features, builder.weights('fc.w', [2048, 1000], Math.sqrt(1 / 2048)), builder.filled('fc.b', [1000], 0)], {
    output: 'logits',
  });
  return builder.build({
    inputs: [value('image', 'float32', ['batch', 3, 224, 224])],
    outputs: [value('logits', 'float32', ['batch', 1000])],
  });
}

/** Three convolutions beside a shortcut, which is a convolution itself where sizes change. */
function bottleneck(builder: GraphBuilder, input: string, [from, narrow]: [number, number], first: boolean, stride: number): string {
  const wide = narrow * 4;
  const reduced = builder.convolution(input, [from, narrow], 1, 0);
  const filtered = builder.convolution(reduced, [narrow, narrow], 3, 1, { stride });
  const expanded = builder.convolution(filtered, [narrow, wide], 1, 0, { relu: false, scale: 0.2 });
  const shortcut = first ? builder.convolution(input, [from, wide], 1, 0, { stride, relu: false, scale: 1 }) : input;
  return builder.node('Relu', [builder.node('Add', [expanded, shortcut])]);
}

const [HIDDEN, HEADS, FEED_FORWARD, LAYERS] = [384, 12, 1536, 6];

/**
 * A transformer encoder of the size of MiniLM-L6: int64 input_ids, attention_mask, token_type_ids
 * [batch,sequence]
 * -> last_hidden_state [batch,sequence,384], sentence_embedding [batch,384] (mean over the mask).
 */
export function minilm(): Buffer {
  const builder = new GraphBuilder('minilm-l6-shaped', 5);
  constants(builder);
  const mask = builder.node('Cast', ['attention_mask'], { attributes: [attribute.int('to', elementTypes.float32)] });
  const hidden = builder.node('Mul', [builder.node('Sub', ['one_f', builder.node('Unsqueeze', [mask, 'axes_1_2'])]), 'minus_many']);
  let last = embeddings(builder);
  for (let layer = 0; layer < LAYERS; layer++) last = encoderLayer(builder, last, hidden, `l${layer}`);
  builder.node('Identity', [last], { output: 'last_hidden_state' });
  const weights = builder.node('Unsqueeze', [mask, 'axis_2']);
  const dropped = { attributes: [attribute.int('keepdims', 0)] };
  const sum = builder.node('ReduceSum', [builder.node('Mul', [last, weights]), 'axis_1'], dropped);
  builder.node('Div', [sum, builder.node('ReduceSum', [weights, 'axis_1'], dropped)], { output: 'sentence_embedding' });
  const tokens = ['batch', 'sequence'];
  return builder.build({
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => value(name, 'int64', tokens)),
    outputs: [value('last_hidden_state', 'float32', [...tokens, HIDDEN]), value('sentence_embedding', 'float32', ['batch', HIDDEN])],
  });
}

function constants(builder: GraphBuilder): void {
  const integers = (name: string, values: readonly number[], dims: readonly number[] = [values.length]): string =>
    builder.constant(name, 'int64', dims, BigInt64Array.from(values, BigInt));
  integers('zero', [0], []);
  integers('one', [1], []);
  integers('axis_1', [1]);
  integers('axis_2', [2]);
  integers('axes_1_2', [1, 2]);
  integers('split_heads', [0, 0, HEADS, HIDDEN / HEADS]);
  integers('merge_heads', [0, 0, HIDDEN]);
  const floats = { one_f: 1, half: 0.5, minus_many: -10_000, sqrt_2: Math.SQRT2, scale: Math.sqrt(HIDDEN / HEADS) };
  for (const [name, number] of Object.entries(floats)) builder.filled(name, [], number);
}

/** Word, type and position embeddings, added and normalised. */
function embeddings(builder: GraphBuilder): string {
  const look = (name: string, rows: number, ids: string): string =>
    builder.node('Gather', [builder.weights(name, [rows, HIDDEN], 0.02), ids]);
  const length = builder.node('Gather', [builder.node('Shape', ['input_ids']), 'one'], { attributes: [attribute.int('axis', 0)] });
  const positions = builder.node('Range', ['zero', length, 'one']);
  const words = builder.node('Add', [look('word_emb', 30_522, 'input_ids'), look('type_emb', 2, 'token_type_ids')]);
  return normalised(builder, builder.node('Add', [words, look('pos_emb', 512, positions)]), 'emb.ln');
}

/** Self-attention and a feed-forward net (GELU), each added to its input and normalised. */
function encoderLayer(builder: GraphBuilder, input: string, hidden: string, name: string): string {
  const heads = (projected: string, order: readonly number[]): string =>
    builder.node('Transpose', [builder.node('Reshape', [projected, 'split_heads'])], { attributes: [attribute.ints('perm', order)] });
  const project = (part: string): string => linear(builder, input, [HIDDEN, HIDDEN], `${name}.${part}`);
  const [query, key, values] = [heads(project('q'), [0, 2, 1, 3]), heads(project('k'), [0, 2, 3, 1]), heads(project('v'), [0, 2, 1, 3])];
  const scaled = builder.node('Div', [builder.node('MatMul', [query, key]), 'scale']);
  const attention = builder.node('Softmax', [builder.node('Add', [scaled, hidden])], { attributes: [attribute.int('axis', -1)] });
  const attended = builder.node('Transpose', [builder.node('MatMul', [attention, values])], {
    attributes: [attribute.ints('perm', [0, 2, 1, 3])],
  });
  const mixed = linear(builder, builder.node('Reshape', [attended, 'merge_heads']), [HIDDEN, HIDDEN], `${name}.o`);
  const middle = normalised(builder, builder.node('Add', [mixed, input]), `${name}.ln1`);

  const wide = linear(builder, middle, [HIDDEN, FEED_FORWARD], `${name}.f1`);
  const gate = builder.node('Add', [builder.node('Erf', [builder.node('Div', [wide, 'sqrt_2'])]), 'one_f']);
  const gelu = builder.node('Mul', [builder.node('Mul', [wide, gate]), 'half']);
  const narrow = linear(builder, gelu, [FEED_FORWARD, HIDDEN], `${name}.f2`);
  return normalised(builder, builder.node('Add', [narrow, middle]), `${name}.ln2`);
}

function linear(builder: GraphBuilder, input: string, [from, to]: [number, number], name: string): string {
  const weights = builder.weights(`${name}.w`, [from, to], 0.02 * Math.sqrt(768 / from));
  return builder.node('Add', [builder.node('MatMul', [input, weights]), builder.filled(`${name}.b`, [to], 0)]);
}

function normalised(builder: GraphBuilder, input: string, name: string): string {
  return builder.node('LayerNormalization', [input, builder.filled(`${name}.g`, [HIDDEN], 1), builder.filled(`${name}.b`, [HIDDEN], 0)], {
    attributes: [attribute.int('axis', -1), attribute.float('epsilon', 1e-12)],
  });
}
