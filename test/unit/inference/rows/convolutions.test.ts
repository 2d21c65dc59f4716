import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';

const image = rows('N', 3, 224, 224);

test('a convolution keeps rows and has the size that its window leaves', () => {
  const seven = { kernel_shape: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3] };
  assert.equal(follow('Conv', [image, fixed(64, 3, 7, 7), fixed(64)], seven), 'rows@0 [rows, 64, 112, 112]');
  assert.equal(follow('Conv', [image, fixed(8, 3, 3, 3)], { dilations: [2, 1] }), 'rows@0 [rows, 8, 220, 222]');
  assert.equal(follow('Conv', [image, fixed(8, 3, 3, 3)], { auto_pad: 'VALID', strides: [2, 2] }), 'rows@0 [rows, 8, 111, 111]');
  assert.equal(follow('Conv', [rows('N', 3, 7), fixed(8, 3, 3)], { auto_pad: 'SAME_LOWER', strides: [2] }), 'rows@0 [rows, 8, 4]');
  assert.equal(follow('ConvInteger', [image, fixed(8, 3, 1, 1), scalar(1)]), 'rows@0 [rows, 8, 224, 224]');
});

test('a convolution over an axis of unknown size names the result by what decides it', () => {
  const open = rows('N', 3, 'h');
  assert.equal(follow('Conv', [open, fixed(8, 3, 3)], { pads: [1, 1] }), 'rows@0 [rows, 8, h]');
  const wide = follow('Conv', [open, fixed(8, 3, 3)], { pads: [1, 1], strides: [2] });
  assert.equal(wide, 'rows@0 [rows, 8, slide(h,-1,2)]');
  assert.equal(follow('Conv', [open, fixed(8, 3, 1)], { strides: [2] }), wide);
  assert.equal(follow('Conv', [rows('N', 3, '4h'), fixed(8, 3, 1)], { strides: [2] }), 'rows@0 [rows, 8, 2*h]');
});

test('a convolution refuses rows among weights, channels and areas', () => {
  assert.match(String(follow('Conv', [image, rows('N', 3, 3, 3)])), /^mixed: /);
  assert.match(String(follow('Conv', [fixed(1, 3, 8, 8), rows('N', 3, 3, 3)])), /^mixed: /);
  assert.match(String(follow('Conv', [image, fixed(8, 3, 3, 3), rows('N')])), /^mixed: /);
  assert.match(String(follow('Conv', [rows(1, 'N', 8), fixed(8, 3, 3)])), /^mixed: /);
  assert.match(String(follow('Conv', [rows(1, 3, 'N'), fixed(8, 3, 3)])), /^mixed: /);
  assert.match(String(follow('ConvTranspose', [rows(1, 3, 'N'), fixed(3, 8, 3)])), /^mixed: /);
  assert.match(String(follow('QLinearConv', [image, rows('N'), scalar(0), fixed(8, 3, 3, 3), scalar(1), scalar(0)])), /^mixed: /);
});

test('a transposed convolution grows the area', () => {
  const up = { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] };
  assert.equal(follow('ConvTranspose', [rows('N', 8, 14, 'w'), fixed(8, 4, 3, 3)], { ...up, group: 2 }), 'rows@0 [rows, 8, 28, 2*w]');
  assert.equal(follow('ConvTranspose', [rows('N', 8, 14), fixed(8, 4, 3)], { output_shape: [20] }), 'rows@0 [rows, 4, 20]');
  assert.match(String(follow('ConvTranspose', [rows('N', 8, 14), fixed(8, 4, 3)], { auto_pad: 'SAME_UPPER' })), /^unknown: /);
});

test('offsets of a deformable convolution belong to the same rows', () => {
  const [offset, weights] = [rows('N', 18, 222, 222), fixed(8, 3, 3, 3)];
  assert.equal(follow('DeformConv', [image, weights, offset]), 'rows@0 [rows, 8, 222, 222]');
  assert.match(String(follow('DeformConv', [image, weights, fixed(1, 18, 222, 222)])), /^mixed: /);
  assert.match(String(follow('DeformConv', [image, weights, offset, undefined, fixed(1, 9, 222, 222)])), /^mixed: /);
});

test('a pool keeps rows along images or channels', () => {
  const window = { kernel_shape: [3, 3], strides: [2, 2] };
  assert.equal(follow('AveragePool', [image], window), 'rows@0 [rows, 3, 111, 111]');
  assert.equal(follow('MaxPool', [rows(1, 'N', 112, 112)], { ...window, ceil_mode: 1 }), 'rows@1 [1, rows, 56, 56]');
  assert.equal(follow('GlobalAveragePool', [image]), 'rows@0 [rows, 3, 1, 1]');
  assert.equal(follow('LpPool', [rows('N', 3, 'h')], { kernel_shape: [2], strides: [2] }), 'rows@0 [rows, 3, slide(h,-2,2)]');
  assert.match(String(follow('MaxPool', [rows(1, 3, 'N')], { kernel_shape: [2] })), /^mixed: /);
  assert.match(String(follow('GlobalMaxPool', [rows(1, 3, 'N')])), /^mixed: /);
  assert.match(String(follow('AveragePool', [image], { ...window, auto_pad: 'ELSE' })), /^unknown: /);
});

test('indices of a pool count over all rows', () => {
  const [values, indices] = follow('MaxPool', [image], { kernel_shape: [2, 2] }, { outputs: 2 });
  assert.equal(values, 'rows@0 [rows, 3, 223, 223]');
  assert.match(String(indices), /^mixed: /);
  assert.match(String(follow('MaxUnpool', [image, image], { kernel_shape: [2, 2] })), /^mixed: /);
});

test('columns become images', () => {
  assert.equal(follow('Col2Im', [rows('N', 12, 9), known(4, 4), known(2, 2)]), 'rows@0 [rows, 3, 4, 4]');
  assert.match(String(follow('Col2Im', [rows(1, 'N', 9), known(4, 4), known(2, 2)])), /^mixed: /);
});
