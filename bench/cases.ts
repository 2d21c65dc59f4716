/** The models, and one row for each, which every request repeats. */

import { mkdirSync } from 'node:fs';
import { randomNumbers } from '../test/models/graph-builder.ts';
import { type ModelName, writeModel } from '../test/models/models.ts';

export interface CaseInput {
  readonly name: string;
  readonly datatype: 'FP32' | 'INT64';
  readonly shape: readonly number[];
  /** As they are written in JSON. */
  readonly values: readonly number[];
}

interface CaseDefinition {
  readonly title: string;
  readonly model: ModelName;
  readonly inputs: readonly CaseInput[];
  /** What is asked for. */
  readonly output: string;
  /** Inference takes most of the time of a request. */
  readonly slow: boolean;
}

export interface Case extends CaseDefinition {
  readonly name: string;
  readonly file: string;
  /** What ONNX Runtime answers to the row. */
  readonly expected: readonly number[];
}

/**
 * Numbers between 0 and 1, with the given decimals or with all digits of the nearest float32 (about
 * 17, as Python's `tolist()` writes).
 */
function numbers(count: number, decimals?: number): number[] {
  const random = randomNumbers(count);
  return Array.from({ length: count }, () => (decimals === undefined ? Math.fround(random()) : Number(random().toFixed(decimals))));
}

const float = (name: string, shape: readonly number[], decimals?: number): CaseInput => ({
  name,
  datatype: 'FP32',
  shape,
  values: numbers(
    shape.reduce((product, size) => product * size, 1),
    decimals,
  ),
});

const token = (name: string, length: number, value: (index: number) => number): CaseInput => ({
  name,
  datatype: 'INT64',
  shape: [1, length],
  values: Array.from({ length }, (_, index) => value(index)),
});

const tokens = (length: number): CaseInput[] => [
  token('input_ids', length, (index) => 1000 + ((index * 7919) % 20_000)),
  token('attention_mask', length, () => 1),
  token('token_type_ids', length, () => 0),
];

const definitions = {
  ridge: { title: 'ridge regression 10 -> 1', model: 'ridge', slow: false, inputs: [float('X', [1, 10], 4)], output: 'variable' },
  'ridge-sklearn': {
    title: 'ridge regression 10 -> 1; a score.py has it from scikit-learn',
    model: 'ridge',
    slow: false,
    inputs: [float('X', [1, 10], 4)],
    output: 'variable',
  },
  mlp: {
    title: 'MLP 784-512-10, numbers of 6 decimals',
    model: 'mlp',
    slow: false,
    inputs: [float('input', [1, 784], 6)],
    output: 'probabilities',
  },
  'mlp-long': {
    title: 'MLP 784-512-10, all digits of a float32',
    model: 'mlp',
    slow: false,
    inputs: [float('input', [1, 784])],
    output: 'probabilities',
  },
  gbdt: {
    title: '100 trees of depth 6, 30 features',
    model: 'gbdt',
    slow: false,
    inputs: [float('input', [1, 30], 4)],
    output: 'variable',
  },
  minilm16: { title: 'MiniLM-shaped, 16 tokens', model: 'minilm', slow: true, inputs: tokens(16), output: 'sentence_embedding' },
  minilm128: { title: 'MiniLM-shaped, 128 tokens', model: 'minilm', slow: true, inputs: tokens(128), output: 'sentence_embedding' },
  resnet50: {
    title: 'ResNet-50-shaped, all digits of a float32',
    model: 'resnet50',
    slow: true,
    inputs: [float('image', [1, 3, 224, 224])],
    output: 'logits',
  },
} satisfies Record<string, CaseDefinition>;

export type CaseName = keyof typeof definitions;
export const caseNames = Object.keys(definitions) as CaseName[];
export const isSlow = (name: CaseName): boolean => definitions[name].slow;

/**
 * Writes the model into the folder. ONNX Runtime computes the answer that every subject must give.
 */
export async function prepareCase(name: CaseName, folder: string): Promise<Case> {
  const definition: CaseDefinition = definitions[name];
  mkdirSync(folder, { recursive: true });
  const file = writeModel(definition.model, folder);
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const feeds = definition.inputs.map(({ name: input, datatype, shape, values }) => [
    input,
    datatype === 'FP32' ? new Tensor('float32', values, shape) : new Tensor('int64', values.map(BigInt), shape),
  ]);
  const results = await session.run(Object.fromEntries(feeds), [definition.output]);
  const expected = Array.from((results[definition.output]?.data ?? []) as Float32Array);
  await session.release();
  return { ...definition, name, file, expected };
}

/** The values as arrays in arrays. */
function nested({ shape, values }: CaseInput): unknown[] {
  let rows: unknown[] = [...values];
  for (const size of shape.slice(1).toReversed())
    rows = Array.from({ length: rows.length / size }, (_, row) => rows.slice(row * size, (row + 1) * size));
  return rows;
}

export const byName = (row: Case): Record<string, unknown> => Object.fromEntries(row.inputs.map((input) => [input.name, nested(input)]));

/** The values as the bytes that the model reads. */
export const bytes = ({ datatype, values }: CaseInput): Uint8Array =>
  new Uint8Array((datatype === 'FP32' ? Float32Array.from(values) : BigInt64Array.from(values, BigInt)).buffer);
