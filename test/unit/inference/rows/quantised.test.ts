import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows, scalar } from './follow-operator.ts';

const BOTH = ['QuantizeLinear', 'DequantizeLinear'];
const OTHER_SCALE = 'mixed: its scale is not one for each row';
const one = [fixed(), fixed()];

test('a scale for the whole tensor keeps entries apart', () => {
  for (const operator of BOTH) {
    assert.equal(follow(operator, [rows('N', 3, 4), fixed(), fixed()]), 'rows@0 [rows, 3, 4]');
    assert.equal(follow(operator, [rows(3, 'N'), scalar(1)], {}, { version: 10 }), 'rows@1 [3, rows]');
    assert.equal(follow(operator, [rows('N'), fixed(1)]), 'rows@0 [rows]');
    assert.equal(follow(operator, [fixed(4, 4), fixed(4)], { axis: 0 }), 'constant [4, 4]');
  }
});

test('a scale for each place on an axis keeps rows along other axes', () => {
  for (const operator of BOTH) {
    assert.equal(follow(operator, [rows('N', 3, 4), fixed(3), fixed(3)]), 'rows@0 [rows, 3, 4]');
    assert.equal(follow(operator, [rows(2, 'N', 4), fixed(4)], { axis: -1 }), 'rows@1 [2, rows, 4]');
    assert.equal(follow(operator, [rows(2, 'N', 4), fixed(4)]), OTHER_SCALE);
    assert.equal(follow(operator, [rows('N', 4), fixed(4), fixed(4)], { axis: -2 }), OTHER_SCALE);
    assert.equal(follow(operator, [rows('N', 4), fixed(1), fixed(4)], { axis: 0 }), OTHER_SCALE);
  }
});

test('a scale of rows belongs to the same rows', () => {
  for (const operator of BOTH) {
    assert.equal(follow(operator, [rows('N', 4), rows('N'), rows('N')], { axis: 0 }), 'rows@0 [rows, 4]');
    assert.equal(follow(operator, [rows('N', 4), rows('N')]), OTHER_SCALE);
    assert.equal(follow(operator, [rows('2N', 4), rows('N')], { axis: 0 }), OTHER_SCALE);
    assert.equal(follow(operator, [fixed(4, 4), rows('N')], { axis: 0 }), OTHER_SCALE);
  }
});

test('a scale for each block belongs to blocks of the same rows', () => {
  for (const operator of BOTH) {
    const blocks = { block_size: 2 };
    assert.equal(follow(operator, [rows('N', 4, 3), rows('N', 2, 3), rows('N', 2, 3)], blocks), 'rows@0 [rows, 4, 3]');
    assert.equal(follow(operator, [fixed(4, 4), fixed(4, 2)], blocks), 'constant [4, 4]');
    assert.match(String(follow(operator, [rows('N', 4, 3), fixed(1, 2, 3)], blocks)), /^mixed: it combines each row with one constant/);
    assert.match(String(follow(operator, [rows('2N', 4), rows('N', 2)], blocks)), /^mixed: it combines each row with other rows/);
    assert.match(String(follow(operator, [rows('2N', 4), rows('N', 4)], { ...blocks, axis: 0 })), /^mixed: /);
    assert.match(String(follow(operator, [rows('N', 4), rows('N', 4)], { ...blocks, axis: 0 })), /^mixed: it scales blocks of rows/);
    assert.match(String(follow(operator, [rows('N', 4, 3), fixed(4, 3)], blocks)), /^unknown: its scale does not fit/);
  }
});

test('a scale that is taken from all entries mixes rows', () => {
  const outputs = { outputs: 3 };
  assert.equal(follow('DynamicQuantizeLinear', [rows('N', 4)], {}, outputs), 'mixed: it takes one scale from all rows');
  assert.deepEqual(follow('DynamicQuantizeLinear', [fixed(2, 4)], {}, outputs), ['constant [2, 4]', 'constant []', 'constant []']);
});

test('a quantised convolution keeps items apart', () => {
  const [images, weights] = [rows('N', 3, 8, 8), fixed(4, 3, 3, 3)];
  const perChannel = [fixed(4), fixed(4)];
  const pads = { pads: [1, 1, 1, 1] };
  assert.equal(follow('QLinearConv', [images, ...one, weights, ...perChannel, ...one, fixed(4)], pads), 'rows@0 [rows, 4, 8, 8]');
  assert.equal(follow('QLinearConv', [images, ...one, weights, ...one, ...one]), 'rows@0 [rows, 4, 6, 6]');
  assert.equal(follow('ConvInteger', [images, weights, fixed(), fixed(4)]), 'rows@0 [rows, 4, 6, 6]');
  assert.equal(follow('ConvInteger', [images, weights]), 'rows@0 [rows, 4, 6, 6]');
});

test('a quantised convolution of rows with each other is mixed', () => {
  const [images, weights] = [rows('N', 3, 8, 8), fixed(4, 3, 3, 3)];
  assert.match(String(follow('ConvInteger', [rows(1, 3, 'N', 8), weights])), /^mixed: its window spans/);
  assert.equal(follow('ConvInteger', [images, rows('N', 3, 3, 3)]), 'mixed: input 1 depends on rows');
  assert.equal(follow('ConvInteger', [images, weights, rows('N')]), 'mixed: input 2 depends on rows');
  assert.equal(follow('QLinearConv', [images, ...one, weights, ...one, ...one, rows('N')]), 'mixed: input 8 depends on rows');
  assert.equal(follow('QLinearConv', [images, fixed(8), fixed(), weights, ...one, ...one]), 'unknown: input 1 is not one entry');
  assert.equal(follow('QLinearConv', [images, ...one, weights, ...one, fixed(), fixed(4)]), 'unknown: input 7 is not one entry');
});

test('a quantised product keeps rows of its first factor apart', () => {
  const perColumn = [fixed(5), fixed(5)];
  assert.equal(follow('QLinearMatMul', [rows('N', 4), ...one, fixed(4, 5), ...perColumn, ...one]), 'rows@0 [rows, 5]');
  assert.equal(follow('MatMulInteger', [rows('N', 2, 4), fixed(4, 5), fixed(), fixed(5)]), 'rows@0 [rows, 2, 5]');
  assert.equal(follow('MatMulInteger', [rows('N', 2, 4), rows('N', 4, 5)]), 'rows@0 [rows, 2, 5]');
  assert.equal(follow('MatMulInteger', [fixed(3, 4), fixed(4, 5), fixed(3)]), 'unknown: input 2 is not one entry');
});

test('a quantised product of rows with each other is mixed', () => {
  assert.match(String(follow('MatMulInteger', [rows('N', 4), rows('N', 4, 5)])), /^mixed: /);
  assert.match(String(follow('MatMulInteger', [fixed(3, 4), rows('N', 5)])), /^mixed: /);
  assert.equal(follow('MatMulInteger', [rows('N', 4), fixed(4, 5), rows('N')]), 'mixed: input 2 depends on rows');
  assert.equal(follow('MatMulInteger', [rows('N', 4), fixed(4, 5), fixed(8)]), 'unknown: input 2 is not one entry');
  assert.equal(follow('MatMulInteger', [fixed(3, 4), rows(4, 'N'), fixed(), fixed(5)]), 'unknown: input 3 is not one entry');
  assert.equal(
    follow('QLinearMatMul', [rows('N', 4), ...one, fixed(4, 5), ...one, fixed(3), fixed()]),
    'unknown: input 6 is not one entry',
  );
});
