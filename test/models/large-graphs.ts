import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { attribute, graph, model, node, tensor, value } from './onnx.ts';

/** Nodes of one block of a deep graph. */
const BLOCK = 8;
const WIDTH = 8;

/**
 * A model of so many nodes whose rows are alone. Its blocks are as exporters write them: a layer, a
 * shape that is computed from its own, and names of 30 characters and more.
 */
export function deepGraph(nodes: number): Buffer {
  const blocks = Array.from({ length: nodes / BLOCK }, (_, layer) => blockOf(layer));
  const last = blocks.length;
  return model(
    {
      name: 'deep',
      nodes: [...blocks.flat(), node('Identity', [valueOf(last, 'Softmax')], ['y'])],
      initializers: [
        tensor('encoder.attention.dense.weight', 'float32', [WIDTH, WIDTH], new Float32Array(WIDTH * WIDTH).fill(0.1)),
        tensor('encoder.attention.dense.bias', 'float32', [WIDTH], new Float32Array(WIDTH)),
        tensor('onnx::Gather_0', 'int64', [], new BigInt64Array(1)),
        tensor('onnx::Unsqueeze_0', 'int64', [1], new BigInt64Array(1)),
        tensor('onnx::Concat_width', 'int64', [1], BigInt64Array.of(BigInt(WIDTH))),
      ],
      inputs: [value(valueOf(0, 'Softmax'), 'float32', ['N', WIDTH])],
      outputs: [value('y', 'float32', ['N', WIDTH])],
    },
    { opset: 17 },
  );
}

/** A name as exporters write it. */
const valueOf = (layer: number, operator: string): string => `/encoder/layer.${String(layer).padStart(5, '0')}/${operator}_output_0`;

function blockOf(layer: number): Buffer[] {
  const of = (operator: string): string => valueOf(layer + 1, operator);
  const make = (operator: string, inputs: readonly string[], attributes: readonly Buffer[] = []): Buffer =>
    node(operator, inputs, [of(operator)], attributes);
  return [
    make('MatMul', [valueOf(layer, 'Softmax'), 'encoder.attention.dense.weight']),
    make('Add', [of('MatMul'), 'encoder.attention.dense.bias']),
    make('Shape', [of('Add')]),
    make('Gather', [of('Shape'), 'onnx::Gather_0'], [attribute.int('axis', 0)]),
    make('Unsqueeze', [of('Gather'), 'onnx::Unsqueeze_0']),
    make('Concat', [of('Unsqueeze'), 'onnx::Concat_width'], [attribute.int('axis', 0)]),
    make('Reshape', [of('Add'), of('Concat')]),
    make('Softmax', [of('Reshape')], [attribute.int('axis', -1)]),
  ];
}

/** Key and length of a protobuf field that has a length in front. */
function head(field: number, length: number): Buffer {
  const bytes = [(field << 3) | 2];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/**
 * Writes a model with so many bytes of weights inside. They are a hole in the file, which takes no
 * space on the disk.
 */
export function writeLargeWeights(file: string, weights: number): void {
  const width = weights / 4;
  const inner = graph({
    name: 'large',
    nodes: [node('Add', ['x', 'w'], ['y'])],
    inputs: [value('x', 'float32', ['N', width])],
    outputs: [value('y', 'float32', ['N', width])],
  });
  // Its bytes would follow the key and the length of raw_data, the last field.
  const named = Buffer.concat([tensor('w', 'float32', [width], new Uint8Array(0)).subarray(0, -2), head(9, weights)]);
  const initializer = Buffer.concat([head(5, named.length + weights), named]);
  const start = Buffer.concat([IR_8, head(7, inner.length + initializer.length + weights), inner, initializer]);
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, start, 0, start.length, 0);
    ftruncateSync(fd, start.length + weights);
    writeSync(fd, OPSET_17, 0, OPSET_17.length, start.length + weights);
  } finally {
    closeSync(fd);
  }
}

/** Fields of ModelProto: the version of the format, and the version of the default domain. */
const IR_8 = Buffer.from([0x08, 8]);
const OPSET_17 = Buffer.from([0x42, 4, 0x0a, 0, 0x10, 17]);
