import { test } from 'node:test';
import { agrees } from './against-runtime.ts';

type Inputs = Parameters<typeof agrees>[1];
type Sizes = readonly (number | 'N')[];

const domain = { domain: 'com.microsoft', version: 1 };
const floats = (...dims: Sizes): Inputs[number] => ({ type: 'float32', dims });
const entries = (dims: readonly number[]): number[] =>
  Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, index) => 1 + (index % 5));
const wholes = (...dims: Sizes): Inputs[number] => ({ type: 'int32', dims });
/** An initializer of 1, 2, 3 and so on. */
const weights = (...dims: number[]): Inputs[number] => ({ type: 'float32', dims, data: entries(dims) });

test('ONNX Runtime computes fused activations of each row as their rules say', async () => {
  for (const operator of ['Gelu', 'QuickGelu', 'FastGelu']) await agrees({ ...domain, operator }, [floats(2, 'N', 4)]);
  for (const operator of ['BiasGelu', 'FastGelu']) await agrees({ ...domain, operator }, [floats(2, 'N', 4), weights(4)]);
});

test('ONNX Runtime multiplies each row with transposed matrices as its rule says', async () => {
  const cases: readonly [Record<string, number>, ...Inputs][] = [
    [{ transB: 1 }, floats('N', 2, 3), weights(4, 3)],
    [{ transB: 1 }, floats('N', 2, 3, 4), floats('N', 2, 5, 4)],
    [{ transA: 1 }, floats(3, 'N'), weights(3, 4)],
    [{ transA: 1 }, floats('N', 3, 2), weights(3, 4)],
    [{ transB: 1 }, floats('N', 3), weights(3)],
    [{ transA: 1 }, weights(3), floats('N', 3, 4)],
    [{ transBatchA: 1 }, floats(2, 'N', 3), weights(1, 3, 4)],
    [{ transBatchA: 1 }, floats(2, 'N', 3), floats('N', 3, 4)],
    [{ transBatchA: 1, transA: 1 }, floats(3, 'N', 2), floats('N', 3, 4)],
    [{ transBatchB: 1 }, floats('N', 2, 3), floats(3, 'N', 4)],
    [{ transBatchA: 1, transA: 1, transBatchB: 1, transB: 1 }, floats(3, 'N', 2), floats(4, 'N', 3)],
    [{ transBatchA: 1, transBatchB: 1 }, floats(2, 5, 'N', 3), floats(3, 5, 'N', 4)],
  ];
  for (const [attributes, ...inputs] of cases) await agrees({ ...domain, operator: 'FusedMatMul', attributes }, inputs);
  await agrees({ ...domain, operator: 'TransposeMatMul', attributes: { transA: 1 } }, [floats(3, 'N'), weights(3, 4)]);
  const gemm = { transB: 1, activation: 'Relu' };
  await agrees({ ...domain, operator: 'FusedGemm', attributes: gemm }, [floats('N', 3), weights(4, 3), weights(4)]);
});

test('ONNX Runtime reads matrices and tables of each row as their rules say', async () => {
  await agrees({ ...domain, operator: 'Inverse' }, [floats('N', 2, 2)]);
  await agrees({ ...domain, operator: 'CDist', attributes: { metric: 'sqeuclidean' } }, [floats('N', 3), weights(5, 3)]);
  await agrees({ ...domain, operator: 'CDist', attributes: { metric: 'euclidean' } }, [weights(5, 3), floats('N', 3)]);
});

test('ONNX Runtime multiplies each row with packed weights as its rule says', async () => {
  const bytes = (...dims: number[]): Inputs[number] => ({ type: 'uint8', dims, data: entries(dims) });
  for (const accuracy_level of [0, 4]) {
    const attributes = { K: 32, N: 4, bits: 4, block_size: 16, accuracy_level };
    await agrees({ ...domain, operator: 'MatMulNBits', attributes }, [floats('N', 2, 32), bytes(4, 2, 8), weights(4, 2)]);
  }
  const attributes = { K: 32, N: 4, quant_type: 1, block_size: 16 };
  // Pairs of 1, 0 and -1, so that all sums are exact.
  const codes = Array.from({ length: 64 }, (_, index) => [0xf7, 0x70, 0x0f][index % 3] ?? 0);
  const numbers = { type: 'uint8', dims: [64], data: codes } as const;
  await agrees({ ...domain, operator: 'MatMulBnb4', attributes }, [floats('N', 32), numbers, weights(8)]);
});

test('ONNX Runtime normalises sums and embeds words of each row as its rules say', async () => {
  const outputs = ['float32'] as const;
  for (const [operator, ...parameters] of [
    ['SkipLayerNormalization', weights(4), weights(4), weights(4)],
    ['SkipSimplifiedLayerNormalization', weights(4), weights(4)],
  ] as const) {
    for (const skip of [floats('N', 2, 4), weights(1, 2, 4), weights(2, 4)])
      await agrees({ ...domain, outputs, operator }, [floats('N', 2, 4), skip, ...parameters]);
    await agrees({ ...domain, outputs, operator }, [floats('N', 4), floats('N', 4), ...parameters]);
    await agrees({ ...domain, outputs, operator }, [floats(2, 'N', 4), floats(2, 'N', 4), ...parameters]);
  }
  await agrees({ operator: 'SimplifiedLayerNormalization', attributes: { axis: 1 } }, [floats('N', 2, 4), weights(2, 4)]);
  const tables = [weights(9, 4), weights(9, 4), weights(3, 4), weights(4), weights(4)];
  const embeds = { ...domain, operator: 'EmbedLayerNormalization', outputs: ['float32', 'int32', 'float32'] } as const;
  await agrees(embeds, [wholes('N', 3), wholes('N', 3), ...tables, wholes('N', 3), wholes('N', 3)]);
  const positions = { type: 'int32', dims: [1, 3], data: [4, 2, 0] } as const;
  await agrees(embeds, [wholes('N', 3), undefined, tables[0], tables[1], undefined, tables[3], tables[4], undefined, positions]);
});

test('ONNX Runtime attends in each row as its rule says', async () => {
  const data = [floats('N', 3, 6), weights(6, 24), weights(24)];
  const outputs = ['float32', 'float32'] as const;
  const attends = { ...domain, operator: 'Attention', outputs } as const;
  for (const unidirectional of [0, 1])
    for (const mask of [undefined, wholes('N'), wholes('N', 3), wholes('N', 3, 3)])
      await agrees({ ...attends, attributes: { num_heads: 2, unidirectional } }, [...data, mask]);
  for (const scores of [weights(1, 2, 3, 3), floats('N', 2, 3, 3), floats('N', 1, 3, 3)])
    await agrees({ ...attends, attributes: { num_heads: 2 } }, [...data, undefined, undefined, scores]);
  await agrees({ ...attends, attributes: { num_heads: 2 } }, [...data, undefined, floats(2, 'N', 2, 5, 4)]);
  const sizes = { num_heads: 2, qkv_hidden_sizes: [8, 8, 6] };
  await agrees({ ...domain, operator: 'Attention', attributes: sizes }, [floats('N', 3, 6), weights(6, 22), weights(22)]);
});

test('ONNX Runtime attends to keys of each row as its rule says', async () => {
  const attends = { ...domain, operator: 'MultiHeadAttention', attributes: { num_heads: 2 } } as const;
  const apart = [floats('N', 3, 8), floats('N', 5, 8), floats('N', 5, 6)];
  for (const mask of [undefined, wholes('N', 5), wholes('N', 3, 5)]) await agrees(attends, [...apart, undefined, mask]);
  for (const scores of [weights(1, 2, 3, 5), weights(1, 1, 3, 5), floats('N', 2, 3, 5)])
    await agrees(attends, [...apart, undefined, undefined, scores]);
  const outputs = ['float32', 'float32', 'float32'] as const;
  await agrees({ ...attends, outputs }, [...apart, weights(22)]);
  const past = [floats('N', 2, 4, 4), floats('N', 2, 4, 4)];
  const steps = [floats('N', 1, 8), floats('N', 1, 8), floats('N', 1, 8)];
  await agrees({ ...attends, outputs }, [...steps, undefined, undefined, undefined, ...past]);
  await agrees(attends, [floats('N', 3, 8), floats('N', 2, 5, 4), floats('N', 2, 5, 4)]);
});

test('ONNX Runtime turns steps of each row as its rule says', async () => {
  const caches = [weights(9, 4), weights(9, 4)];
  const turns = { ...domain, operator: 'RotaryEmbedding' } as const;
  const places = (...dims: Sizes): Inputs[number] => ({ type: 'int64', dims });
  const offset = { type: 'int64', dims: [1], data: [2] } as const;
  for (const positions of [places('N', 3), offset]) {
    await agrees(turns, [floats('N', 3, 16), positions, ...caches]);
    await agrees(turns, [floats('N', 2, 3, 8), positions, ...caches]);
    await agrees({ ...turns, attributes: { num_heads: 2, rotary_embedding_dim: 8 } }, [floats('N', 3, 24), positions, ...caches]);
  }
});
