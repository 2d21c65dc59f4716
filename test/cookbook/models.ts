/** The models of docs/cookbook: a few hundred bytes each, the same on every machine. */

import { readFileSync } from 'node:fs';
import { GraphBuilder } from '../models/graph-builder.ts';
import { attribute, elementTypes, value } from '../models/onnx.ts';

/** The models of each recipe, by their files below docs/cookbook. */
export const models: Readonly<Record<string, () => Buffer>> = {
  'caching/prices.onnx': prices,
  'csv/prices.onnx': prices,
  'image-upload/colours.onnx': colours,
  'model-chain/classifier.onnx': classifier,
  'model-chain/encoder.onnx': encoder,
  'text/sentiment.onnx': sentiment,
  'unit-test/prices.onnx': prices,
};

const axis = (index: number): Buffer => attribute.int('axis', index);
const noKeptDims = attribute.int('keepdims', 0);

/** Float32 features [N,2] (rooms, area) -> price [N,1]: 10 for a room, 2 for a square metre. */
function prices(): Buffer {
  const builder = new GraphBuilder('prices');
  builder.node('MatMul', ['features', builder.constant('w', 'float32', [2, 1], Float32Array.of(10, 2))], { output: 'price' });
  return builder.build({ inputs: [value('features', 'float32', ['N', 2])], outputs: [value('price', 'float32', ['N', 1])] });
}

/** Float32 image [N,3,8,8] -> int64 label [N]: the channel with the highest mean. */
function colours(): Buffer {
  const builder = new GraphBuilder('colours');
  const means = builder.node('Flatten', [builder.node('GlobalAveragePool', ['image'])]);
  builder.node('ArgMax', [means], { attributes: [axis(1), noKeptDims], output: 'label' });
  return builder.build({ inputs: [value('image', 'float32', ['N', 3, 8, 8])], outputs: [value('label', 'int64', ['N'])] });
}

/** Float32 features [N,4] -> embedding [N,3]. */
function encoder(): Buffer {
  const builder = new GraphBuilder('encoder');
  const weights = builder.constant('w', 'float32', [4, 3], Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, -1, 1, 0.5));
  builder.node('Relu', [builder.node('MatMul', ['features', weights])], { output: 'embedding' });
  return builder.build({ inputs: [value('features', 'float32', ['N', 4])], outputs: [value('embedding', 'float32', ['N', 3])] });
}

/** Float32 embedding [N,3] -> float32 scores [N,2], int64 label [N]. */
function classifier(): Buffer {
  const builder = new GraphBuilder('classifier');
  const weights = builder.constant('w', 'float32', [3, 2], Float32Array.of(1, 0, 0, 1, 0.5, -0.5));
  builder.node('MatMul', ['embedding', weights], { output: 'scores' });
  builder.node('ArgMax', ['scores'], { attributes: [axis(1), noKeptDims], output: 'label' });
  return builder.build({
    inputs: [value('embedding', 'float32', ['N', 3])],
    outputs: [value('scores', 'float32', ['N', 2]), value('label', 'int64', ['N'])],
  });
}

/**
 * Int64 input_ids and attention_mask [N,L] -> int64 label [N]: 1 where the words of a text are more
 * positive than negative.
 */
function sentiment(): Buffer {
  const builder = new GraphBuilder('sentiment');
  const vocabulary = vocabularyOfText();
  const weights = new Float32Array(vocabulary.length * 2);
  for (const [index, word] of vocabulary.entries()) {
    weights[index * 2] = NEGATIVE.has(word) ? 1 : 0;
    weights[index * 2 + 1] = POSITIVE.has(word) ? 1 : 0;
  }
  const words = builder.node('Gather', [builder.constant('embedding', 'float32', [vocabulary.length, 2], weights), 'input_ids']);
  const mask = builder.node('Cast', ['attention_mask'], { attributes: [attribute.int('to', elementTypes.float32)] });
  const column = builder.node('Unsqueeze', [mask, builder.constant('last', 'int64', [1], BigInt64Array.of(2n))]);
  const kept = builder.node('Mul', [words, column]);
  const sums = builder.node('ReduceSum', [kept, builder.constant('words', 'int64', [1], BigInt64Array.of(1n))], {
    attributes: [noKeptDims],
  });
  builder.node('ArgMax', [sums], { attributes: [axis(1), noKeptDims], output: 'label' });
  return builder.build({
    inputs: [value('input_ids', 'int64', ['N', 'L']), value('attention_mask', 'int64', ['N', 'L'])],
    outputs: [value('label', 'int64', ['N'])],
  });
}

const POSITIVE = new Set(['good', 'great', 'fine']);
const NEGATIVE = new Set(['bad', 'dull', 'slow']);

/** The words of the recipe's tokeniser, in the order of their ids. */
function vocabularyOfText(): string[] {
  const file = new URL('../../docs/cookbook/text/tokenizer/tokenizer.json', import.meta.url);
  const { model } = JSON.parse(readFileSync(file, 'utf8')) as { model: { vocab: Record<string, number> } };
  return Object.keys(model.vocab);
}
