import assert from 'node:assert/strict';
import test from 'node:test';
import { agrees } from './against-runtime.ts';
import { fixed, follow, rows } from './follow-operator.ts';

const ACROSS_ROWS = /^mixed: its window spans rows of different calls$/;
const AMONG_CHANNELS = /^mixed: its channels are rows of different calls$/;
const images = rows('N', 3, 8, 10);

/** Weights of `made` channels, all of them whole numbers. */
const weights = (...dims: number[]): { type: 'float32'; dims: number[]; data: number[] } => ({
  type: 'float32',
  dims,
  data: Array.from({ length: dims.reduce((whole, dim) => whole * dim, 1) }, (_, at) => (at % 5) - 2),
});

test('a convolution keeps items apart and computes its size', () => {
  assert.equal(follow('Conv', [images, fixed(4, 3, 3, 3)]), 'rows@0 [rows, 4, 6, 8]');
  assert.equal(follow('Conv', [images, fixed(4, 3, 3, 3), fixed(4)], { pads: [1, 1, 1, 1] }), 'rows@0 [rows, 4, 8, 10]');
  assert.equal(follow('Conv', [images, fixed(4, 3, 3, 3)], { strides: [2, 3], dilations: [2, 1] }), 'rows@0 [rows, 4, 2, 3]');
  assert.equal(follow('Conv', [images, fixed(4, 3, 3, 3)], { strides: [2, 3], auto_pad: 'SAME_UPPER' }), 'rows@0 [rows, 4, 4, 4]');
  assert.equal(follow('Conv', [images, fixed(4, 3, 3, 3)], { auto_pad: 'VALID', pads: [1, 1, 1, 1] }), 'rows@0 [rows, 4, 6, 8]');
  assert.equal(follow('Conv', [rows('4N', 3, 9), fixed(6, 1, 2)], { group: 3 }), 'rows@0 (1 x rows x 4) [4*rows, 6, 8]');
});

test('a size that is a symbol stays where padding keeps it', () => {
  assert.equal(follow('Conv', [rows('N', 3, 'h'), fixed(4, 3, 3)], { pads: [1, 1] }), 'rows@0 [rows, 4, h]');
  assert.equal(follow('Conv', [rows('N', 3, 'h'), fixed(4, 3, 3)], { auto_pad: 'SAME_LOWER' }), 'rows@0 [rows, 4, h]');
  assert.equal(follow('Conv', [rows('N', 3, 'h'), fixed(4, 3, 3)]), 'rows@0 [rows, 4, +(h,-2)]');
  const strided = follow('Conv', [rows('N', 3, 'h'), fixed(4, 3, 3)], { strides: [2] });
  assert.match(String(strided), /^rows@0 \[rows, 4, places\(h,3,2,/);
  assert.notEqual(follow('Conv', [rows('N', 3, 'h'), fixed(4, 3, 3)], { strides: [2], pads: [0, 1] }), strided);
});

test('a convolution of rows with each other is mixed', () => {
  assert.match(String(follow('Conv', [rows(1, 'N', 8, 8), fixed(4, 3, 3, 3)])), AMONG_CHANNELS);
  assert.match(String(follow('Conv', [rows(1, 3, 'N', 8), fixed(4, 3, 3, 1)])), ACROSS_ROWS);
  assert.match(String(follow('Conv', [rows(1, 3, 'N', 8), fixed(4, 3, 1, 1)], { strides: [2, 1] })), ACROSS_ROWS);
  assert.match(String(follow('Conv', [rows(1, 3, 'N', 8), fixed(4, 3, 1, 1)], { pads: [1, 0, 0, 0] })), ACROSS_ROWS);
  assert.equal(follow('Conv', [rows(1, 3, 'N', 8), fixed(4, 3, 1, 3)]), 'rows@2 [1, 4, rows, 6]');
  assert.equal(follow('Conv', [images, rows('N', 3, 3, 3)]), 'mixed: input 1 depends on rows');
  assert.equal(follow('Conv', [images, fixed(4, 3, 3, 3), rows('N')]), 'mixed: input 2 depends on rows');
});

test('a convolution whose size is not settled is unknown', () => {
  assert.match(String(follow('Conv', [images, fixed(4, 3, 3)])), /^unknown: its weights do not fit/);
  assert.match(String(follow('Conv', [images, fixed(4, 3, 'k', 3)])), /^unknown: the size of its window/);
  assert.match(String(follow('Conv', [rows('N', 3, 2), fixed(4, 3, 3)])), /^unknown: its window is longer/);
  assert.match(String(follow('Conv', [images, fixed(4, 3, 3, 3)], { pads: [1, 1] })), /^unknown: its attribute pads/);
});

test('a transposed convolution computes its size from strides, paddings or a wanted shape', () => {
  const one = fixed(3, 4, 3, 3);
  assert.equal(follow('ConvTranspose', [images, one], { strides: [2, 2] }), 'rows@0 [rows, 4, 17, 21]');
  const padded = { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] };
  assert.equal(follow('ConvTranspose', [images, one], padded), 'rows@0 [rows, 4, 16, 20]');
  assert.equal(follow('ConvTranspose', [rows('N', 3, 'h', 'w'), one], padded), 'rows@0 [rows, 4, 2*h, 2*w]');
  assert.equal(follow('ConvTranspose', [images, one], { strides: [2, 2], auto_pad: 'SAME_UPPER' }), 'rows@0 [rows, 4, 16, 20]');
  assert.equal(follow('ConvTranspose', [images, one], { strides: [2, 2], output_shape: [17, 20] }), 'rows@0 [rows, 4, 17, 20]');
  assert.equal(follow('ConvTranspose', [images, fixed(3, 2, 3, 3), fixed(6)], { group: 3 }), 'rows@0 [rows, 6, 10, 12]');
  assert.match(String(follow('ConvTranspose', [rows(1, 'N', 8, 8), one])), AMONG_CHANNELS);
  assert.match(String(follow('ConvTranspose', [rows(1, 3, 'N', 8), one])), ACROSS_ROWS);
  assert.equal(follow('ConvTranspose', [images, rows('N', 4, 3, 3)]), 'mixed: input 1 depends on rows');
});

test('a pool keeps items and channels apart', () => {
  for (const operator of ['MaxPool', 'AveragePool', 'LpPool']) {
    const window = { kernel_shape: [2, 2], strides: [2, 3] };
    assert.equal(follow(operator, [images], window), 'rows@0 [rows, 3, 4, 3]');
    assert.equal(follow(operator, [images], { ...window, ceil_mode: 1 }), 'rows@0 [rows, 3, 4, 4]');
    assert.equal(follow(operator, [images], { ...window, auto_pad: 'SAME_LOWER' }), 'rows@0 [rows, 3, 4, 4]');
    assert.equal(follow(operator, [rows(2, 'N', 4, 4)], window), 'rows@1 [2, rows, 2, 1]');
    assert.match(String(follow(operator, [rows(1, 3, 'N', 8)], window)), ACROSS_ROWS);
    assert.match(String(follow(operator, [rows(1, 3, 8, 'N')], { kernel_shape: [1, 2] })), ACROSS_ROWS);
    assert.equal(follow(operator, [rows(1, 3, 8, 'N')], { kernel_shape: [2, 1] }), 'rows@3 [1, 3, 7, rows]');
    assert.match(String(follow(operator, [rows('N', 3, 8)], window)), /^unknown: its windows do not fit/);
    assert.match(String(follow(operator, [images])), /^unknown: its windows do not fit/);
  }
});

test('a last window that starts in the padding gives a size of its own name', () => {
  const window = { kernel_shape: [2], strides: [2], pads: [1, 1], ceil_mode: 1 };
  assert.match(String(follow('AveragePool', [rows('N', 3, 5)], window)), /^rows@0 \[rows, 3, places\(5,/);
});

test('places of greatest entries count over all rows', () => {
  const window = { kernel_shape: [2, 2] };
  const answer = ['rows@0 [rows, 3, 7, 9]', 'mixed: it counts places over all rows'];
  assert.deepEqual(follow('MaxPool', [images], window, { outputs: 2 }), answer);
  assert.deepEqual(follow('MaxPool', [fixed(1, 3, 4, 4)], window, { outputs: 2 }), ['constant [1, 3, 3, 3]', 'constant [1, 3, 3, 3]']);
  assert.equal(follow('MaxUnpool', [images, fixed(1, 3, 8, 10)], window), 'mixed: it counts places over all rows');
});

test('a pool of everything keeps items and channels apart', () => {
  for (const operator of ['GlobalAveragePool', 'GlobalLpPool', 'GlobalMaxPool']) {
    assert.equal(follow(operator, [images]), 'rows@0 [rows, 3, 1, 1]');
    assert.equal(follow(operator, [rows(1, 'N', 'h')]), 'rows@1 [1, rows, 1]');
    assert.match(String(follow(operator, [rows(1, 3, 'N', 8)])), /^mixed: it pools/);
  }
});

test('a deformed convolution reads offsets of the same item', () => {
  const [one, offsets, mask] = [fixed(4, 3, 3, 3), rows('N', 18, 6, 8), rows('N', 9, 6, 8)];
  assert.equal(follow('DeformConv', [images, one, offsets, fixed(4), mask]), 'rows@0 [rows, 4, 6, 8]');
  assert.equal(follow('DeformConv', [images, one, offsets]), 'rows@0 [rows, 4, 6, 8]');
  assert.match(String(follow('DeformConv', [images, one, fixed(1, 18, 6, 8)])), /^mixed: /);
  assert.match(String(follow('DeformConv', [fixed(1, 3, 8, 10), one, offsets])), /^mixed: /);
  assert.match(String(follow('DeformConv', [images, one, offsets, fixed(4), fixed(1, 9, 6, 8)])), /^mixed: /);
  assert.match(String(follow('DeformConv', [rows(1, 'N', 8, 10), one, rows(1, 'N', 6, 8)])), AMONG_CHANNELS);
});

test('sizes and rows of windows are those of ONNX Runtime', async () => {
  const data = { type: 'float32', dims: ['N', 2, 9, 7] } as const;
  const filters = weights(4, 2, 3, 2);
  await agrees({ operator: 'Conv' }, [data, filters]);
  await agrees({ operator: 'Conv', attributes: { strides: [2, 3], pads: [1, 0, 2, 1], dilations: [2, 1] } }, [data, filters]);
  for (const padding of ['SAME_UPPER', 'SAME_LOWER', 'VALID'])
    await agrees({ operator: 'Conv', attributes: { strides: [2, 4], auto_pad: padding } }, [data, filters]);
  await agrees({ operator: 'Conv', attributes: { strides: [4, 3], auto_pad: 'SAME_UPPER' } }, [data, weights(4, 2, 1, 1)]);
  await agrees({ operator: 'Conv' }, [{ type: 'float32', dims: [1, 2, 'N', 7] }, weights(4, 2, 1, 2)]);
});

test('sizes and rows of transposed windows are those of ONNX Runtime', async () => {
  const data = { type: 'float32', dims: ['N', 2, 5, 4] } as const;
  const filters = weights(2, 3, 3, 2);
  const steps = [
    { strides: [2, 3] },
    { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 2] },
    { strides: [2, 2], dilations: [2, 1], pads: [1, 0, 0, 0] },
    { strides: [2, 2], auto_pad: 'SAME_UPPER' },
    { strides: [1, 2], auto_pad: 'SAME_LOWER' },
    { strides: [2, 2], output_shape: [10, 8] },
    { auto_pad: 'VALID' },
  ];
  for (const attributes of steps) await agrees({ operator: 'ConvTranspose', attributes }, [data, filters]);
});

test('sizes and rows of pools are those of ONNX Runtime', async () => {
  const data = { type: 'float32', dims: ['N', 2, 9, 7] } as const;
  const steps = [
    { kernel_shape: [3, 2], strides: [2, 3] },
    { kernel_shape: [3, 2], strides: [2, 3], ceil_mode: 1 },
    { kernel_shape: [2, 3], strides: [3, 2], pads: [1, 0, 0, 1], ceil_mode: 1 },
    { kernel_shape: [3, 2], strides: [2, 3], auto_pad: 'SAME_UPPER' },
    { kernel_shape: [3, 2], strides: [4, 3], auto_pad: 'SAME_LOWER' },
  ];
  for (const version of [12, 22])
    for (const operator of ['MaxPool', 'AveragePool'])
      for (const attributes of steps) await agrees({ operator, attributes, version }, [data]);
  await agrees({ operator: 'MaxPool', attributes: { kernel_shape: [2, 3], dilations: [3, 1], ceil_mode: 1 } }, [data]);
  await agrees({ operator: 'MaxPool', attributes: { kernel_shape: [2, 1] } }, [{ type: 'float32', dims: [1, 2, 3, 'N'] }]);
  await agrees({ operator: 'GlobalMaxPool' }, [{ type: 'float32', dims: [2, 'N', 3] }]);
  await agrees({ operator: 'LpPool', attributes: { kernel_shape: [2, 2], p: 1 } }, [data]);
});
