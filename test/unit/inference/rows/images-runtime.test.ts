import { test } from 'node:test';
import { agrees } from './against-runtime.ts';

type Dims = readonly (number | 'N')[];
const floats = (...dims: Dims) => ({ type: 'float32', dims }) as const;
const filled = (dims: readonly number[], data: readonly number[]) => ({ type: 'float32', dims, data }) as const;
const whole = (...data: number[]) => ({ type: 'int64', dims: [data.length], data }) as const;
const weights = (...dims: number[]) =>
  filled(
    dims,
    Array.from({ length: dims.reduce((count, dim) => count * dim, 1) }, (_, index) => (index % 7) - 3),
  );
const scalar = { type: 'int64', dims: [], data: [16] } as const;
const image = floats('N', 2, 7, 8);
const microsoft = { domain: 'com.microsoft', version: 1 };

test('ONNX Runtime slides windows over each image as its rule says', async () => {
  const half = { kernel_shape: [3, 3], strides: [2, 2] };
  for (const auto_pad of ['VALID', 'SAME_UPPER', 'SAME_LOWER'])
    await agrees({ operator: 'Conv', attributes: { ...half, auto_pad } }, [image, weights(4, 2, 3, 3)]);
  await agrees({ operator: 'Conv', attributes: { dilations: [2, 1], pads: [0, 1, 2, 0], group: 2 } }, [image, weights(4, 1, 3, 3)]);
  const up = { strides: [2, 3], pads: [1, 0, 1, 2], output_padding: [1, 0], dilations: [1, 2] };
  await agrees({ operator: 'ConvTranspose', attributes: up }, [image, weights(2, 3, 3, 3)]);
  for (const operator of ['AveragePool', 'MaxPool', 'LpPool'])
    for (const ceil_mode of [0, 1]) await agrees({ operator, attributes: { ...half, ceil_mode, pads: [1, 1, 0, 1] } }, [image]);
  for (const operator of ['GlobalAveragePool', 'GlobalMaxPool']) await agrees({ operator }, [image]);
  await agrees({ operator: 'Col2Im' }, [floats('N', 8, 9), whole(4, 4), whole(2, 2)]);
});

test('ONNX Runtime changes the area of each image as its rule says', async () => {
  const none = filled([0], []);
  for (const mode of ['nearest', 'linear', 'cubic'])
    await agrees({ operator: 'Resize', attributes: { mode } }, [image, none, filled([4], [1, 1, 1.7, 0.6])]);
  await agrees({ operator: 'Resize', attributes: { axes: [-1] } }, [image, none, none, whole(5)]);
  await agrees({ operator: 'DepthToSpace', attributes: { blocksize: 2 } }, [floats('N', 8, 3, 2)]);
  await agrees({ operator: 'SpaceToDepth', attributes: { blocksize: 2 } }, [floats('N', 3, 4, 6)]);
  await agrees({ operator: 'GridSample' }, [image, floats('N', 3, 4, 2)]);
});

test('ONNX Runtime transforms each signal as its rule says', async () => {
  await agrees({ operator: 'DFT', version: 17, attributes: { onesided: 1 } }, [floats('N', 16, 1)]);
  await agrees({ operator: 'STFT', version: 17 }, [floats('N', 64, 1), scalar, weights(8)]);
});

test('ONNX Runtime fuses the layers of each row as their rules say', async () => {
  const [data, heads] = [floats('N', 5, 12), { num_heads: 4 }];
  const states = [floats('N', 7, 12), floats('N', 7, 8)];
  await agrees({ ...microsoft, operator: 'Attention', attributes: heads }, [data, weights(12, 36), weights(36)]);
  await agrees({ ...microsoft, operator: 'MultiHeadAttention', attributes: heads, outputs: ['float32', 'float32', 'float32'] }, [
    data,
    ...states,
  ]);
  await agrees({ ...microsoft, operator: 'SkipLayerNormalization' }, [data, data, weights(12)]);
  await agrees({ ...microsoft, operator: 'BiasGelu' }, [data, weights(12)]);
  await agrees({ ...microsoft, operator: 'FusedMatMul', attributes: { transB: 1 } }, [data, weights(6, 12)]);
  await agrees({ ...microsoft, operator: 'CDist', attributes: { metric: 'sqeuclidean' } }, [floats('N', 4), weights(6, 4)]);
});
