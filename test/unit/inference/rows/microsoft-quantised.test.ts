import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

type Inputs = Parameters<typeof follow>[1];
const one = fixed();
const follows = (operator: string, inputs: Inputs, attributes = {}): string =>
  String(follow(operator, inputs, attributes, { version: 1, domain: 'com.microsoft' }));

test('quantised tensors are combined entry by entry', () => {
  for (const operator of ['QLinearAdd', 'QLinearMul']) {
    const combines = (left: Inputs[number], right: Inputs[number], scale = one): string =>
      follows(operator, [left, one, one, right, scale, one, one, one]);
    assert.equal(combines(rows('N', 3, 4), fixed(4)), 'rows@0 [rows, 3, 4]');
    assert.equal(combines(rows('N', 4), rows('N', 1)), 'rows@0 [rows, 4]');
    assert.match(combines(rows('N', 1, 4), rows('N', 4)), /^mixed: /);
    assert.match(combines(rows('N', 4), fixed(2, 4)), /^mixed: /);
    assert.match(combines(rows('N', 4), fixed(4), rows('N')), /^mixed: input 4/);
  }
  for (const operator of ['QLinearSigmoid', 'QLinearLeakyRelu']) {
    assert.equal(follows(operator, [rows(2, 'N'), one, one, one, one]), 'rows@1 [2, rows]');
    assert.match(follows(operator, [rows(2, 'N'), rows('N'), one, one, one]), /^mixed: input 1/);
  }
  const chooses = (...[condition, left, right]: Inputs): string =>
    follows('QLinearWhere', [condition, left, one, one, right, one, one, one, one]);
  assert.equal(chooses(rows('N', 1), fixed(4), rows('N', 4)), 'rows@0 [rows, 4]');
  assert.match(chooses(rows('N', 1), fixed(4), rows(4, 'N')), /^mixed: /);
});

test('a scale is that of a tensor, or of an axis without rows', () => {
  for (const operator of ['QuantizeLinear', 'DequantizeLinear']) {
    assert.equal(follows(operator, [rows('N', 4), one, one]), 'rows@0 [rows, 4]');
    assert.equal(follows(operator, [rows('N', 4), fixed(4), fixed(4)]), 'rows@0 [rows, 4]');
    assert.match(follows(operator, [rows('N', 4), fixed(4)], { axis: 0 }), /^mixed: /);
    assert.match(follows(operator, [rows('N', 4), fixed(4)], { axis: -2 }), /^mixed: /);
    assert.match(follows(operator, [rows(2, 'N'), fixed(4)]), /^mixed: /);
    assert.match(follows(operator, [rows('N', 4), rows('N')]), /^mixed: input 1/);
  }
});

test('a scale that is taken from all rows is mixed', () => {
  assert.match(follows('DynamicQuantizeMatMul', [rows('N', 4), fixed(4, 2), one, one]), /^mixed: it takes one scale/);
  assert.match(follows('DynamicQuantizeLSTM', [rows(3, 'N', 4), fixed(1, 4, 8), fixed(1, 2, 8)]), /^mixed: it takes one scale/);
});

test('a quantised softmax reads its axis and the version of Softmax', () => {
  const normalises = (data: Inputs[number], attributes: object): string =>
    follows('QLinearSoftmax', [data, one, one, one, one], { ...attributes });
  assert.equal(normalises(rows(2, 'N', 3), { opset: 13 }), 'rows@1 [2, rows, 3]');
  assert.equal(normalises(rows('N', 2, 3), { opset: 12 }), 'rows@0 [rows, 2, 3]');
  assert.equal(normalises(rows(2, 'N'), { opset: 13, axis: 0 }), 'rows@1 [2, rows]');
  assert.match(normalises(rows(2, 'N', 3), { opset: 12 }), /^mixed: /);
  assert.match(normalises(rows('N', 3), { opset: 12, axis: 0 }), /^mixed: /);
  assert.match(normalises(rows('N', 3), { opset: 13, axis: -2 }), /^mixed: /);
  assert.match(normalises(rows('N', 3), {}), /^unknown: /);
});

test('a quantised pool reduces the places of an image', () => {
  const pools = (data: Inputs[number], attributes = {}): string =>
    follows('QLinearGlobalAveragePool', [data, one, one, one, one], attributes);
  assert.equal(pools(rows('N', 3, 4, 5)), 'rows@0 [rows, 3, 1, 1]');
  assert.equal(pools(rows('N', 4, 5, 3), { channels_last: 1 }), 'rows@0 [rows, 1, 1, 3]');
  assert.match(pools(rows(1, 3, 'N', 5)), /^mixed: /);
  assert.match(pools(rows(1, 'N', 5, 3), { channels_last: 1 }), /^mixed: /);
});

test('quantised tensors are joined along an axis without rows', () => {
  const joins = (axis: number, ...[left, right]: Inputs): string =>
    follows('QLinearConcat', [one, one, left, one, one, right, one, one], { axis });
  assert.equal(joins(1, rows('N', 2), rows('N', 3)), 'rows@0 [rows, 5]');
  assert.equal(joins(-1, rows('N', 's', 2), rows('N', 's', 3)), 'rows@0 [rows, s, 5]');
  assert.match(joins(0, rows('N', 2), rows('N', 2)), /^mixed: /);
  assert.match(joins(1, rows('N', 2), fixed(1, 2)), /^mixed: /);
  assert.match(joins(1, rows('N', 2), rows(1, 'N')), /^mixed: /);
});

test('a quantised product keeps rows that it does not sum', () => {
  const gemm = (data: Inputs[number], weights: Inputs[number], scale: Inputs[number], added?: Inputs[number], attributes = {}): string =>
    follows('QGemm', [data, one, one, weights, scale, one, added, one, one], attributes);
  assert.equal(gemm(rows('N', 3), fixed(4, 3), fixed(4), fixed(4), { transB: 1 }), 'rows@0 [rows, 4]');
  assert.match(gemm(rows('N', 3), fixed(3, 4), one, fixed(4), { transA: 1 }), /^mixed: /);
  assert.match(gemm(rows('N', 3), fixed(3, 4), one, fixed(2, 4)), /^mixed: /);
  assert.match(gemm(fixed(2, 3), rows(3, 'N'), fixed(3)), /^unknown: /);
  const multiplies = (...[data, weights, scale, added]: Inputs): string =>
    follows('MatMulIntegerToFloat', [data, weights, one, scale, one, one, added]);
  assert.equal(multiplies(rows('N', 's', 3), fixed(3, 4), fixed(4), fixed(4)), 'rows@0 [rows, s, 4]');
  assert.equal(multiplies(rows('N', 2, 3), rows('N', 3, 4), one), 'rows@0 [rows, 2, 4]');
  assert.match(multiplies(rows('N', 3), rows('N', 3), one), /^mixed: /);
  assert.match(multiplies(rows('N', 2, 3), rows('N', 3, 4), fixed(4)), /^unknown: /);
  assert.match(follows('MatMulIntegerToFloat', [rows('N', 3), fixed(3, 4), rows('N', 1), one]), /^mixed: input 2/);
});

test('a quantised attention looks at the steps of one item', () => {
  const attends = (data: Inputs[number], mask?: Inputs[number], scale = one): string =>
    follows('QAttention', [data, fixed(6, 24), fixed(24), scale, fixed(24), mask, one, one], { num_heads: 2 });
  for (const mask of [undefined, rows('N'), rows('N', 's')]) assert.equal(attends(rows('N', 's', 6), mask), 'rows@0 [rows, s, 8]');
  assert.match(attends(rows('N', 's', 6), fixed(1, 's')), /^mixed: /);
  assert.match(attends(rows(1, 'N', 6)), /^mixed: /);
  assert.match(attends(rows('N', 's', 6), undefined, rows('N')), /^mixed: input 3/);
});
