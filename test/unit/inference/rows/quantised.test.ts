import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows, scalar } from './follow-operator.ts';

const [data, one, zero] = [rows('N', 3, 4), scalar(0.5), scalar(0)];
const microsoft = { domain: 'com.microsoft' };

test('a scale for all, or along another axis than rows, keeps rows', () => {
  assert.equal(follow('QuantizeLinear', [data, one, zero]), 'rows@0 [rows, 3, 4]');
  assert.equal(follow('DequantizeLinear', [data, fixed(3), fixed(3)]), 'rows@0 [rows, 3, 4]');
  assert.equal(follow('DequantizeLinear', [data, fixed(1)], { axis: 0 }), 'rows@0 [rows, 3, 4]');
  assert.equal(follow('QuantizeLinear', [data, rows('N'), rows('N')], { axis: -3 }), 'rows@0 [rows, 3, 4]');
  assert.equal(follow('QuantizeLinear', [data, rows('N', 3, 2)], { axis: 2, block_size: 2 }), 'rows@0 [rows, 3, 4]');
});

test('a scale that belongs to other rows mixes them', () => {
  assert.match(String(follow('QuantizeLinear', [data, fixed(3)], { axis: 0 })), /^mixed: /);
  assert.match(String(follow('QuantizeLinear', [data, rows('N')])), /^mixed: /);
  assert.match(String(follow('QuantizeLinear', [data, one, rows('N')])), /^mixed: /);
  assert.match(String(follow('QuantizeLinear', [fixed(3, 4), rows('N')], { axis: 0 })), /^mixed: /);
  assert.match(String(follow('DequantizeLinear', [data, rows('N', 3, 4)], { axis: 0, block_size: 2 })), /^mixed: /);
  assert.match(String(follow('DequantizeLinear', [data, fixed(2, 3, 4)], { axis: 2, block_size: 2 })), /^mixed: /);
});

test('a scale from the range of all entries mixes rows', () => {
  assert.match(String(follow('DynamicQuantizeLinear', [data])), /^mixed: /);
  assert.match(String(follow('DynamicQuantizeMatMul', [data, fixed(4, 2), one], {}, microsoft)), /^mixed: /);
  assert.match(String(follow('DynamicQuantizeLSTM', [data, fixed(1, 3, 4)], {}, microsoft)), /^mixed: /);
});

test('a product of integers keeps the rows of one side', () => {
  const weights = fixed(4, 7);
  assert.equal(follow('MatMulInteger', [data, weights, zero, fixed(7)]), 'rows@0 [rows, 3, 7]');
  assert.equal(follow('QLinearMatMul', [data, one, zero, weights, fixed(7), fixed(7), one, zero]), 'rows@0 [rows, 3, 7]');
  assert.equal(follow('MatMulInteger', [data, rows('N', 4, 2), zero, zero]), 'rows@0 [rows, 3, 2]');
  assert.match(String(follow('MatMulInteger', [data, rows('N', 4, 2), zero, fixed(2)])), /^unknown: /);
  assert.match(String(follow('QLinearMatMul', [rows('N', 4), rows('N'), zero, weights, one, zero, one, zero])), /^mixed: /);
  assert.match(String(follow('QLinearMatMul', [rows('N', 4), fixed(3), zero, weights, one, zero, one, zero])), /^unknown: /);
  assert.match(String(follow('MatMulInteger', [rows(3, 'N'), weights])), /^mixed: /);
});

test('a fused product of integers keeps rows', () => {
  const weights = fixed(4, 7);
  const inputs = [data, weights, one, fixed(7), zero, fixed(7), fixed(7)];
  assert.equal(follow('MatMulIntegerToFloat', inputs, {}, microsoft), 'rows@0 [rows, 3, 7]');
  const of = (first: ReturnType<typeof rows>) => [first, one, zero, weights, one, zero, fixed(7)];
  assert.equal(follow('QGemm', of(rows('N', 4)), {}, microsoft), 'rows@0 [rows, 7]');
  assert.equal(follow('QGemm', of(rows(4, 'N')), { transA: 1 }, microsoft), 'rows@0 [rows, 7]');
  assert.match(String(follow('QGemm', of(rows('N', 4)), { transA: 1 }, microsoft)), /^mixed: /);
});

test('quantised tensors are combined row by row', () => {
  assert.equal(follow('QLinearAdd', [data, one, zero, fixed(4), one, zero, one, zero], {}, microsoft), 'rows@0 [rows, 3, 4]');
  assert.match(String(follow('QLinearMul', [data, rows('N'), zero, data, one, zero, one, zero], {}, microsoft)), /^mixed: /);
  assert.equal(follow('QLinearSigmoid', [data, one, zero, one, zero], {}, microsoft), 'rows@0 [rows, 3, 4]');
  assert.equal(
    follow('QLinearWhere', [rows('N', 1, 1), data, one, zero, data, one, zero, one, zero], {}, microsoft),
    'rows@0 [rows, 3, 4]',
  );
  const join = [one, zero, data, one, zero, rows('N', 's', 4), one, zero];
  assert.equal(follow('QLinearConcat', join, { axis: 1 }, microsoft), 'rows@0 [rows, +(3,s), 4]');
  assert.match(String(follow('QLinearConcat', join, { axis: 0 }, microsoft)), /^mixed: /);
  assert.match(
    String(follow('QLinearConcat', [one, zero, data, one, zero, fixed(1, 3, 4), one, zero], { axis: 1 }, microsoft)),
    /^mixed: /,
  );
});

test('the axes of a quantised softmax depend on its version', () => {
  const inputs = [rows(2, 'N', 4), one, zero, one, zero];
  assert.equal(follow('QLinearSoftmax', inputs, { axis: 0, opset: 13 }, microsoft), 'rows@1 [2, rows, 4]');
  assert.match(String(follow('QLinearSoftmax', inputs, { axis: 0, opset: 12 }, microsoft)), /^mixed: /);
  assert.match(String(follow('QLinearSoftmax', inputs, { axis: -2, opset: 13 }, microsoft)), /^mixed: /);
  assert.match(String(follow('QLinearSoftmax', inputs, { axis: 0 }, microsoft)), /^unknown: /);
});

test('channels of a quantised pool may be the last axis', () => {
  const pool = [rows('N', 8, 8, 3), one, zero, one, zero];
  assert.equal(follow('QLinearGlobalAveragePool', pool, { channels_last: 1 }, microsoft), 'rows@0 [rows, 1, 1, 3]');
  assert.equal(follow('QLinearAveragePool', pool, { kernel_shape: [2, 2] }, microsoft), 'rows@0 [rows, 8, 7, 2]');
  assert.match(
    String(follow('QLinearGlobalAveragePool', [rows(1, 'N', 8, 3), one, zero, one], { channels_last: 1 }, microsoft)),
    /^mixed: /,
  );
});
