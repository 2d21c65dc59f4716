import { GraphBuilder } from './graph-builder.ts';
import { attribute, graph, node, tensor, value } from './onnx.ts';

/** Ridge regression: float32 X [N,10] -> variable [N,1]. */
export function ridge(): Buffer {
  const builder = new GraphBuilder('ridge', 1);
  builder.node('Gemm', ['X', builder.weights('coef', [10, 1], 300), builder.weights('intercept', [1], 100)], { output: 'variable' });
  return builder.build({ inputs: [value('X', 'float32', ['N', 10])], outputs: [value('variable', 'float32', ['N', 1])] });
}

/**
 * The diabetes regression of Azure's examples, float64 X [N,10] -> variable [N,1]; coefficients
 * from Azure/azureml-examples (MIT).
 */
export function diabetes(): Buffer {
  const coefficients = Float64Array.of(
    37.9003142582464,
    -241.96624835284422,
    542.4257534189242,
    347.7083052922809,
    -931.4612609313951,
    518.0440554737875,
    163.40353476472725,
    275.31003836682277,
    736.1890983908107,
    48.67112488280143,
  );
  const builder = new GraphBuilder('diabetes');
  const products = builder.node('MatMul', ['X', builder.constant('coefficients', 'float64', [10, 1], coefficients)]);
  const intercept = builder.constant('intercept', 'float64', [1], Float64Array.of(151.3456553477407));
  builder.node('Add', [products, intercept], { output: 'variable' });
  return builder.build({ inputs: [value('X', 'float64', ['N', 10])], outputs: [value('variable', 'float64', ['N', 1])] }, { opset: 13 });
}

/** Two dense layers: float32 input [batch,784] -> probabilities [batch,10]. */
export function mlp(): Buffer {
  const builder = new GraphBuilder('mlp', 2);
  const first = builder.node('Gemm', ['input', builder.weights('w1', [784, 512], Math.sqrt(2 / 784)), builder.filled('b1', [512], 0.01)]);
  const second = builder.node('Gemm', [
    builder.node('Relu', [first]),
    builder.weights('w2', [512, 10], Math.sqrt(2 / 512)),
    builder.filled('b2', [10], 0),
  ]);
  builder.node('Softmax', [second], { attributes: [attribute.int('axis', -1)], output: 'probabilities' });
  return builder.build({
    inputs: [value('input', 'float32', ['batch', 784])],
    outputs: [value('probabilities', 'float32', ['batch', 10])],
  });
}

/** A small convolutional net: float32 image [batch,1,28,28] -> probabilities [batch,10]. */
export function cnn(): Buffer {
  const builder = new GraphBuilder('cnn', 3);
  const pooling = { attributes: [attribute.ints('kernel_shape', [2, 2]), attribute.ints('strides', [2, 2])] };
  const half = builder.node('MaxPool', [builder.convolution('image', [1, 8], 3, 1)], pooling);
  const quarter = builder.node('MaxPool', [builder.convolution(half, [8, 16], 3, 1)], pooling);
  const scores = builder.node('Gemm', [
    builder.node('Flatten', [quarter]),
    builder.weights('fc.w', [784, 10], Math.sqrt(1 / 784)),
    builder.filled('fc.b', [10], 0),
  ]);
  builder.node('Softmax', [scores], { attributes: [attribute.int('axis', -1)], output: 'probabilities' });
  return builder.build({
    inputs: [value('image', 'float32', ['batch', 1, 28, 28])],
    outputs: [value('probabilities', 'float32', ['batch', 10])],
  });
}

/** A hundred complete trees of depth 6: float32 input [N,30] -> variable [N,1]. */
export function gbdt(): Buffer {
  const builder = new GraphBuilder('gbdt', 8);
  const [trees, inner, all, features] = [100, 63, 127, 30];
  const rows = Array.from({ length: trees * all }, (_, row) => {
    const [tree, id] = [Math.floor(row / all), row % all];
    const leaf = id >= inner;
    const feature = leaf ? 0 : Math.floor(builder.random() * features);
    const threshold = leaf ? 0 : builder.random() * 2 - 1;
    return { tree, id, leaf, feature, threshold, weight: leaf ? (builder.random() * 2 - 1) * 0.1 : 0 };
  });
  const leaves = rows.filter((row) => row.leaf);
  const attributes = [
    attribute.ints(
      'nodes_treeids',
      rows.map((row) => row.tree),
    ),
    attribute.ints(
      'nodes_nodeids',
      rows.map((row) => row.id),
    ),
    attribute.ints(
      'nodes_featureids',
      rows.map((row) => row.feature),
    ),
    attribute.floats(
      'nodes_values',
      rows.map((row) => row.threshold),
    ),
    attribute.strings(
      'nodes_modes',
      rows.map((row) => (row.leaf ? 'LEAF' : 'BRANCH_LEQ')),
    ),
    attribute.ints(
      'nodes_truenodeids',
      rows.map((row) => (row.leaf ? 0 : 2 * row.id + 1)),
    ),
    attribute.ints(
      'nodes_falsenodeids',
      rows.map((row) => (row.leaf ? 0 : 2 * row.id + 2)),
    ),
    attribute.ints(
      'target_treeids',
      leaves.map((row) => row.tree),
    ),
    attribute.ints(
      'target_nodeids',
      leaves.map((row) => row.id),
    ),
    attribute.ints(
      'target_ids',
      leaves.map(() => 0),
    ),
    attribute.floats(
      'target_weights',
      leaves.map((row) => row.weight),
    ),
    attribute.int('n_targets', 1),
    attribute.string('post_transform', 'NONE'),
    attribute.string('aggregate_function', 'SUM'),
    attribute.floats('base_values', [0.5]),
  ];
  builder.node('TreeEnsembleRegressor', ['input'], { attributes, output: 'variable', domain: 'ai.onnx.ml' });
  return builder.build(
    { inputs: [value('input', 'float32', ['N', features])], outputs: [value('variable', 'float32', ['N', 1])] },
    { opsets: { 'ai.onnx.ml': 1 } },
  );
}

/**
 * Uses the processor for a time that grows with int64 `iterations` (a scalar): loops a 256x256
 * product. Gives float32 mean.
 */
export function busy(): Buffer {
  const builder = new GraphBuilder('busy', 10);
  builder.weights('W', [256, 256], 1 / 16);
  builder.constant('cond0', 'bool', [], Uint8Array.of(1));
  builder.filled('h0', [256, 256], 0.01);
  const body = graph({
    name: 'body',
    nodes: [node('MatMul', ['h_in', 'W'], ['h_mm']), node('Tanh', ['h_mm'], ['h_out']), node('Identity', ['cond_in'], ['cond_out'])],
    inputs: [value('iter', 'int64', []), value('cond_in', 'bool', []), value('h_in', 'float32', [256, 256])],
    outputs: [value('cond_out', 'bool', []), value('h_out', 'float32', [256, 256])],
  });
  const last = builder.node('Loop', ['iterations', 'cond0', 'h0'], { attributes: [attribute.graph('body', body)] });
  builder.node('ReduceMean', [last], { attributes: [attribute.int('keepdims', 0)], output: 'mean' });
  return builder.build({ inputs: [value('iterations', 'int64', [])], outputs: [value('mean', 'float32', [])] });
}

/** Gives float32 ones y [a,b] of the size that int64 shape [rank] asks for. */
export function alloc(): Buffer {
  const builder = new GraphBuilder('alloc', 11);
  const one = attribute.tensor('value', tensor('', 'float32', [1], Float32Array.of(1)));
  builder.node('ConstantOfShape', ['shape'], { attributes: [one], output: 'y' });
  return builder.build({ inputs: [value('shape', 'int64', ['rank'])], outputs: [value('y', 'float32', ['a', 'b'])] });
}
