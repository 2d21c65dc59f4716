import { test } from 'node:test';
import { agrees } from './against-runtime.ts';

type Inputs = Parameters<typeof agrees>[1];
type Sizes = readonly (number | 'N')[];

const domain = { domain: 'com.microsoft', version: 1 };
const floats = (...dims: Sizes): Inputs[number] => ({ type: 'float32', dims });
const entries = (dims: readonly number[]): number[] =>
  Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, index) => 1 + (index % 5));
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
