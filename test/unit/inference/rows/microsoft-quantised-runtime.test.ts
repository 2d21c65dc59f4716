import { test } from 'node:test';
import { agrees } from './against-runtime.ts';

type Inputs = Parameters<typeof agrees>[1];
type Sizes = readonly (number | 'N')[];

const domain = { domain: 'com.microsoft', version: 1 };
const bytes = (...dims: Sizes): Inputs[number] => ({ type: 'uint8', dims });
const filled = (type: 'uint8' | 'int32' | 'float32', dims: readonly number[], data: (index: number) => number): Inputs[number] => ({
  type,
  dims,
  data: Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, (_, index) => data(index)),
});
/** An initializer of 1, 2, 3 and so on. */
const weights = (...dims: number[]): Inputs[number] => filled('uint8', dims, (index) => 1 + (index % 5));
const scale = filled('float32', [], () => 0.5);
const zero = filled('uint8', [], () => 1);
const scales = (count: number): Inputs[number] => filled('float32', [count], (index) => 2 ** -index);
const zeros = (count: number): Inputs[number] => filled('uint8', [count], () => 1);

test('ONNX Runtime combines quantised tensors of each row as their rules say', async () => {
  const outputs = ['uint8'] as const;
  for (const operator of ['QLinearAdd', 'QLinearMul'])
    for (const other of [bytes(2, 'N', 3), weights(3), bytes('N', 1)])
      await agrees({ ...domain, outputs, operator }, [bytes(2, 'N', 3), scale, zero, other, scale, zero, scale, zero]);
  for (const operator of ['QLinearSigmoid', 'QLinearLeakyRelu'])
    await agrees({ ...domain, outputs, operator }, [bytes(2, 'N'), scale, zero, scale, zero]);
  const condition = { type: 'bool', dims: ['N', 1] } as const;
  const choices = [weights(3), scale, zero, bytes('N', 3), scale, zero];
  await agrees({ ...domain, outputs, operator: 'QLinearWhere' }, [condition, ...choices, scale, zero]);
  const parts = [bytes(2, 'N'), scale, zero, bytes(3, 'N'), scale, zero];
  await agrees({ ...domain, outputs, operator: 'QLinearConcat', attributes: { axis: 0 } }, [scale, zero, ...parts]);
});

test('ONNX Runtime normalises and pools quantised rows as their rules say', async () => {
  const outputs = ['uint8'] as const;
  const parameters = [scale, zero, scale, zero];
  const softmax = { ...domain, outputs, operator: 'QLinearSoftmax' } as const;
  await agrees({ ...softmax, attributes: { opset: 13 } }, [bytes(2, 'N', 3), ...parameters]);
  await agrees({ ...softmax, attributes: { opset: 13, axis: 0 } }, [bytes(2, 'N', 3), ...parameters]);
  await agrees({ ...softmax, attributes: { opset: 12 } }, [bytes('N', 2, 3), ...parameters]);
  await agrees({ ...softmax, attributes: { opset: 11, axis: 2 } }, [bytes(2, 'N', 3), ...parameters]);
  const pool = { ...domain, outputs, operator: 'QLinearGlobalAveragePool' } as const;
  await agrees(pool, [bytes('N', 2, 3, 4), ...parameters]);
  await agrees({ ...pool, attributes: { channels_last: 1 } }, [bytes('N', 3, 4, 2), ...parameters]);
});

test('ONNX Runtime scales rows as its rules say', async () => {
  for (const parameters of [
    [scale, zero],
    [scales(3), zeros(3)],
  ])
    await agrees({ ...domain, operator: 'DequantizeLinear' }, [bytes('N', 3), ...parameters]);
  const quantize = { ...domain, outputs: ['uint8'], operator: 'QuantizeLinear' } as const;
  await agrees({ ...quantize, attributes: { axis: 2 } }, [{ type: 'float32', dims: [2, 'N', 3] }, scales(3), zeros(3)]);
});

test('ONNX Runtime multiplies quantised rows as its rules say', async () => {
  const added = filled('int32', [4], (index) => index);
  const gemm = [bytes('N', 3), scale, zero, weights(4, 3), scales(4), zeros(4), added];
  await agrees({ ...domain, operator: 'QGemm', attributes: { transB: 1 } }, gemm);
  await agrees({ ...domain, operator: 'QGemm', attributes: { transB: 1 }, outputs: ['uint8'] }, [...gemm, scale, zero]);
  await agrees({ ...domain, operator: 'QGemm', attributes: { transA: 1 } }, [bytes(3, 'N'), scale, zero, weights(3, 4), scale, zero]);
  const product = { ...domain, operator: 'MatMulIntegerToFloat' } as const;
  await agrees(product, [bytes('N', 2, 3), weights(3, 4), scale, scales(4), zero, zeros(4), scales(4)]);
  await agrees(product, [bytes('N', 2, 3), bytes('N', 3, 4), scale, scale, zero, zero]);
});

test('ONNX Runtime attends in quantised rows as its rule says', async () => {
  const attributes = { num_heads: 2, unidirectional: 1 };
  const outputs = ['float32', 'float32'] as const;
  const data = [bytes('N', 3, 6), weights(6, 24), scales(24), scale, scale];
  const attends = { ...domain, operator: 'QAttention', attributes, outputs } as const;
  for (const mask of [undefined, { type: 'int32', dims: ['N'] }, { type: 'int32', dims: ['N', 3] }] as const)
    await agrees(attends, [...data, mask, zero, zero]);
  await agrees(attends, [...data, undefined, zero, zero, { type: 'float32', dims: [2, 'N', 2, 5, 4] }]);
});
