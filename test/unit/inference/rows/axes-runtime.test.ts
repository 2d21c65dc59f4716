import { test } from 'node:test';
import { agrees } from './against-runtime.ts';

type Inputs = Parameters<typeof agrees>[1];
type Sizes = readonly (number | 'N')[];

const floats = (...dims: Sizes): Inputs[number] => ({ type: 'float32', dims });
const wholes = (...dims: Sizes): Inputs[number] => ({ type: 'int64', dims });
/** An initializer of 1, 2, 3 and so on. */
const weights = (...dims: number[]): Inputs[number] => {
  const data = Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, index) => 1 + (index % 5));
  return { type: 'float32', dims, data };
};
const known = (...data: number[]): Inputs[number] => ({ type: 'int64', dims: [data.length], data });
const places = (dims: readonly number[], ...data: number[]): Inputs[number] => ({ type: 'int64', dims, data });

test('ONNX Runtime reduces each row as its rule says', async () => {
  const operators = ['ReduceL1', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum', 'ReduceSumSquare'];
  for (const operator of operators)
    for (const keepdims of [0, 1]) {
      await agrees({ operator, version: 18, attributes: { keepdims } }, [floats(2, 'N', 3), known(-3)]);
      await agrees({ operator, version: 18, attributes: { keepdims } }, [floats('N', 2, 3), known(1, 2)]);
      await agrees({ operator, version: 18, attributes: { noop_with_empty_axes: 1 } }, [floats('N', 2)]);
      await agrees({ operator, version: 11, attributes: { keepdims, axes: [0, 2] } }, [floats(2, 'N', 3)]);
    }
  for (const operator of ['ArgMax', 'ArgMin'])
    await agrees({ operator, outputs: ['int64'], attributes: { axis: 0, keepdims: 0 } }, [floats(2, 'N', 3)]);
  await agrees({ operator: 'TopK', outputs: ['float32', 'int64'], attributes: { axis: 0 } }, [floats(3, 'N'), known(2)]);
  await agrees({ operator: 'TopK', outputs: ['float32', 'int64'], version: 10 }, [floats('N', 3), known(2)]);
  await agrees({ operator: 'CumSum', attributes: { reverse: 1 } }, [floats(2, 'N', 3), places([], 2)]);
});

test('ONNX Runtime normalises each row as its rule says', async () => {
  for (const operator of ['Softmax', 'LogSoftmax', 'Hardmax']) {
    await agrees({ operator, version: 13 }, [floats(2, 'N', 3)]);
    await agrees({ operator, version: 13, attributes: { axis: 0 } }, [floats(2, 'N', 3)]);
    await agrees({ operator, version: 11 }, [floats('N', 2, 3)]);
    await agrees({ operator, version: 11, attributes: { axis: -1 } }, [floats(2, 'N', 3)]);
  }
  const channels = Array.from({ length: 4 }, () => weights(2));
  for (const version of [7, 9, 15]) await agrees({ operator: 'BatchNormalization', version }, [floats('N', 2, 3), ...channels]);
  await agrees({ operator: 'BatchNormalization' }, [floats(3, 2, 'N'), ...channels]);
  await agrees({ operator: 'InstanceNormalization' }, [floats('N', 2, 3), weights(2), weights(2)]);
  await agrees({ operator: 'GroupNormalization', attributes: { num_groups: 1 } }, [floats('N', 2, 3), weights(2), weights(2)]);
  const statistics = ['float32', 'float32', 'float32'] as const;
  await agrees({ operator: 'LayerNormalization', outputs: statistics }, [floats(2, 'N', 3), weights(3), weights(3)]);
  await agrees({ operator: 'LayerNormalization', attributes: { axis: 1 } }, [floats('N', 2, 3), weights(2, 3)]);
  await agrees({ operator: 'LRN', attributes: { size: 3 } }, [floats('N', 3, 2, 2)]);
  await agrees({ operator: 'MeanVarianceNormalization', attributes: { axes: [1, 3] } }, [floats('N', 3, 2, 2)]);
  await agrees({ operator: 'LpNormalization', attributes: { axis: 0 } }, [floats(3, 'N')]);
});

test('ONNX Runtime multiplies each row as its rule says', async () => {
  const pairs: readonly Inputs[] = [
    [floats('N', 3), weights(3, 4)],
    [floats('N', 3), weights(2, 3, 4)],
    [floats('N', 3), weights(3)],
    [weights(5, 3), floats(3, 'N')],
    [weights(3), floats('N', 3, 4)],
    [weights(2, 5, 3), floats('N', 1, 3, 4)],
    [floats('N', 1, 2, 3), floats('N', 4, 3, 2)],
  ];
  for (const pair of pairs) await agrees({ operator: 'MatMul' }, pair);
  await agrees({ operator: 'Gemm', attributes: { transA: 1 } }, [floats(3, 'N'), weights(3, 4), weights(4)]);
  await agrees({ operator: 'Gemm', attributes: { transB: 1 } }, [weights(2, 3), floats('N', 3), weights(2, 1)]);
  const equations: readonly [string, ...Inputs][] = [
    ['...ij,jk', floats('N', 2, 3), weights(3, 4)],
    ['ca,cb', floats(2, 'N'), weights(2, 3)],
    ['b...->...b', floats('N', 2, 3)],
    ['bii', floats('N', 3, 3)],
    ['bhqd,bkhd->bhqk', floats('N', 2, 3, 4), floats('N', 3, 2, 4)],
  ];
  for (const [equation, ...inputs] of equations) await agrees({ operator: 'Einsum', attributes: { equation } }, inputs);
  await agrees({ operator: 'Det' }, [floats('N', 2, 2)]);
});

test('ONNX Runtime runs each sequence of a batch as its rule says', async () => {
  for (const [operator, gates, states] of [
    ['RNN', 1, 1],
    ['GRU', 3, 1],
    ['LSTM', 4, 2],
  ] as const)
    for (const [direction, count] of [
      ['reverse', 1],
      ['bidirectional', 2],
    ] as const) {
      const outputs = Array.from({ length: 1 + states }, () => 'float32' as const);
      const parameters = [weights(count, 2 * gates, 3), weights(count, 2 * gates, 2), weights(count, 4 * gates)];
      await agrees({ operator, outputs, attributes: { hidden_size: 2, direction } }, [floats(5, 'N', 3), ...parameters]);
    }
});

test('ONNX Runtime attends, chooses and writes in each row as its rule says', async () => {
  const keys = [floats('N', 2, 3, 4), floats('N', 2, 3, 5)];
  for (const mask of [[], [weights(3, 3)], [floats('N', 1, 3, 3)], [weights(4, 3, 3)]])
    await agrees({ operator: 'Attention', version: 23, attributes: { is_causal: 1 } }, [floats('N', 4, 3, 4), ...keys, ...mask]);
  const turned = [floats('N', 2, 3, 4), weights(3, 2), weights(3, 2), wholes('N', 3)];
  await agrees({ operator: 'RotaryEmbedding', version: 23 }, turned);
  for (const axis of [0, 1, -1])
    await agrees({ operator: 'OneHot', attributes: { axis } }, [
      wholes('N', 2),
      places([], 3),
      { type: 'float32', dims: [2], data: [0, 1] },
    ]);
  await agrees({ operator: 'Trilu', attributes: { upper: 0 } }, [floats('N', 3, 3), places([], 1)]);
  await agrees({ operator: 'ReverseSequence' }, [floats(4, 2, 'N'), known(2, 3)]);
  await agrees({ operator: 'CenterCropPad', attributes: { axes: [-1] } }, [floats('N', 2, 3), known(5)]);
  await agrees({ operator: 'ScatterElements', version: 18, attributes: { axis: 1 } }, [floats('N', 3), wholes('N', 1), floats('N', 1)]);
  await agrees({ operator: 'ScatterND' }, [floats(3, 'N', 2), places([2, 1], 0, 2), floats(2, 'N', 2)]);
  await agrees({ operator: 'ScatterND' }, [floats(3, 2, 'N'), places([1, 2], 2, 1), floats(1, 'N')]);
});
