import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { runRefusal } from '../../../server/inference/run-refusal.ts';
import { openSession } from '../../../server/inference/session.ts';
import type { TensorInput } from '../../../server/entry-script.ts';
import { GraphBuilder } from '../../models/graph-builder.ts';
import { attribute, type ElementType, value } from '../../models/onnx.ts';
import { folder } from '../../set-up/folder.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';
const models = folder();

interface Case {
  readonly inputs: readonly (readonly [name: string, type: ElementType, rank: number, value: TensorInput])[];
  readonly operator: string;
  readonly attributes?: readonly Buffer[];
  readonly domain?: string;
  /** A constant beside the inputs, in front of them or behind. */
  readonly constant?: 'table' | 'weights' | 'shape';
}

const zeros = (rows: number, columns: number): number[][] => Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0));
const a = (rows: number, columns: number): Case['inputs'][number] => ['a', 'float32', 2, zeros(rows, columns)];
const b = (rows: number, columns: number): Case['inputs'][number] => ['b', 'float32', 2, zeros(rows, columns)];
const indices: Case['inputs'][number] = ['i', 'int64', 2, [[11, 0]]];
const word: Case['inputs'][number] = ['s', 'string', 2, [['abc']]];
const equation = attribute.string('equation', 'ij,jk->ik');

/** Runs one node of one output on inputs that ONNX Runtime refuses. */
async function failureOf(name: string, { inputs, operator, attributes = [], domain, constant }: Case): Promise<unknown> {
  const builder = new GraphBuilder('refused');
  const names = inputs.map(([input]) => input);
  if (constant === 'table') names.unshift(builder.weights('table', [10, 2], 1));
  if (constant === 'weights') names.push(builder.weights('w', [2, 3, 3, 3], 1));
  if (constant === 'shape') names.push(builder.constant('shape', 'int64', [2], BigInt64Array.of(-1n, 4n)));
  builder.node(operator, names, { output: 'y', attributes, ...(domain !== undefined && { domain }) });
  const file = path.join(models, `${name.replaceAll(/\W+/g, '-')}.onnx`);
  const dims = (rank: number, input: string): string[] => Array.from({ length: rank }, (_, axis) => `${input}${axis}`);
  const type = operator === 'Cast' ? 'float64' : 'float32';
  const ports = { inputs: inputs.map(([input, element, rank]) => value(input, element, dims(rank, input))), outputs: [value('y', type)] };
  writeFileSync(file, builder.build(ports, { opsets: { 'ai.onnx.ml': 1 } }));
  const model = await openSession(file, { intraOpThreads: 1 });
  return model.run(Object.fromEntries(inputs.map(([input, , , given]) => [input, given]))).then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
}

const ofInput: Readonly<Record<string, Case>> = {
  'an index out of the range of Gather': { inputs: [indices], operator: 'Gather', constant: 'table' },
  'an index out of the range of GatherND': { inputs: [indices], operator: 'GatherND', constant: 'table' },
  'an index out of the range of GatherElements': { inputs: [indices], operator: 'GatherElements', constant: 'table' },
  'an index out of the range of ScatterElements': {
    inputs: [indices, ['u', 'float32', 2, [[1, 2]]]],
    operator: 'ScatterElements',
    constant: 'table',
  },
  'an index out of the range of ArrayFeatureExtractor': {
    inputs: [['i', 'int64', 1, [10]]],
    operator: 'ArrayFeatureExtractor',
    domain: 'ai.onnx.ml',
    constant: 'table',
  },
  'no row, where ArrayFeatureExtractor needs one': {
    inputs: [['i', 'int64', 1, { type: 'int64', dims: [0], data: new BigInt64Array() }]],
    operator: 'ArrayFeatureExtractor',
    domain: 'ai.onnx.ml',
    constant: 'table',
  },
  'sizes that do not broadcast': { inputs: [a(2, 3), b(3, 3)], operator: 'Add' },
  'sizes that do not broadcast in a choice': { inputs: [['c', 'bool', 2, [[true, false]]], a(1, 3), b(1, 3)], operator: 'Where' },
  'sizes that do not multiply': { inputs: [a(2, 3), b(4, 3)], operator: 'MatMul' },
  'sizes that do not multiply in Gemm': { inputs: [a(2, 3), b(4, 3)], operator: 'Gemm' },
  'sizes that do not join': { inputs: [a(2, 3), b(3, 3)], operator: 'Concat', attributes: [attribute.int('axis', 1)] },
  'sizes that do not fit an equation': { inputs: [a(2, 3), b(4, 3)], operator: 'Einsum', attributes: [equation] },
  'the channels of an image': { inputs: [['a', 'float32', 4, [[zeros(5, 5)]]]], operator: 'Conv', constant: 'weights' },
  'an image that is smaller than the kernel': {
    inputs: [['a', 'float32', 4, [[zeros(2, 2), zeros(2, 2), zeros(2, 2)]]]],
    operator: 'Conv',
    constant: 'weights',
  },
  'an image that is smaller than a window of MaxPool': {
    inputs: [['a', 'float32', 4, [[zeros(1, 5)]]]],
    operator: 'MaxPool',
    attributes: [attribute.ints('kernel_shape', [3, 3])],
  },
  'an image that is smaller than a window of AveragePool': {
    inputs: [['a', 'float32', 4, [[zeros(1, 2)]]]],
    operator: 'AveragePool',
    attributes: [attribute.ints('kernel_shape', [3, 3])],
  },
  'an image that is smaller than a window of LpPool': {
    inputs: [['a', 'float32', 4, [[zeros(1, 2)]]]],
    operator: 'LpPool',
    attributes: [attribute.ints('kernel_shape', [3, 3])],
  },
  'a text that is no number': { inputs: [word], operator: 'Cast', attributes: [attribute.int('to', 11)] },
  'an unknown category': {
    inputs: [word],
    operator: 'OneHotEncoder',
    domain: 'ai.onnx.ml',
    attributes: [attribute.strings('cats_strings', ['x']), attribute.int('zeros', 0)],
  },
};

const ofModel: Readonly<Record<string, Case>> = {
  'a shape that the model fixes': { inputs: [a(3, 3)], operator: 'Reshape', constant: 'shape' },
  'a size that is negative': { inputs: [['s', 'int64', 1, [-2]]], operator: 'ConstantOfShape' },
  'a step of zero': {
    inputs: [
      ['from', 'float32', 0, 0],
      ['to', 'float32', 0, 5],
      ['step', 'float32', 0, 0],
    ],
    operator: 'Range',
  },
};

describe('what ONNX Runtime refuses at run time', () => {
  for (const [name, each] of Object.entries(ofInput)) {
    it(`is the fault of the input: ${name}`, async () => {
      const thrown = await failureOf(name, each);
      assert.ok(thrown instanceof Error && 'code' in thrown, String(thrown));
      assert.equal(thrown.code, 'input_refused', thrown.message);
      assert.match(thrown.message, new RegExp(`^model [\\w-]+: ONNX Runtime refused the input \\(operator ${each.operator}\\): \\S`));
      assert.doesNotMatch(thrown.message, /onnxruntime|\.(?:cc|h):\d|\[with|\n/);
    });
  }

  for (const [name, each] of Object.entries(ofModel)) {
    it(`is, in doubt, the fault of the model: ${name}`, async () => {
      const thrown = await failureOf(name, each);
      assert.ok(thrown instanceof Error && 'code' in thrown, String(thrown));
      assert.deepEqual(
        [thrown.code, 'clientMessage' in thrown && thrown.clientMessage],
        ['model_failed', 'The model failed on this input. Check the logs for more info.'],
      );
      assert.match(thrown.message, new RegExp(`^model [\\w-]+ failed: .*${each.operator} node`));
    });
  }

  it('is the fault of the input where its own shape is refused', () => {
    for (const text of [
      'Got invalid dimensions for input: x for the following indices\n index: 1 Got: 11 Expected: 10',
      'Invalid rank for input: x Got: 1 Expected: 2 Please fix either the inputs/outputs or the model.',
    ]) {
      const { code, message } = runRefusal('m', new Error(text));
      assert.deepEqual([code, message.startsWith('model m: ONNX Runtime refused the input: ')], ['input_refused', true]);
    }
  });

  it('is the fault of the model for a text that only holds a known sentence, for other values and for no text', () => {
    const odd = [
      'stod',
      'Unknown Category and zeros = 0.',
      "Non-zero status code returned while running Foo node. Name:'' Status Message: out of memory",
      "Non-zero status code returned while running Foo node. Name:'' Status Message: the input index out of range of Foo",
      '',
    ];
    for (const text of odd) assert.equal(runRefusal('m', new Error(text)).code, 'model_failed', text);
    for (const thrown of [undefined, null, 7, {}]) assert.equal(runRefusal('m', thrown).code, 'model_failed');
  });
});
