import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

const domain = { version: 1, domain: 'com.microsoft' };
type Inputs = Parameters<typeof follow>[1];
const follows = (operator: string, inputs: Inputs, attributes = {}): string => String(follow(operator, inputs, attributes, domain));

test('a fused activation keeps rows apart', () => {
  for (const operator of ['Gelu', 'QuickGelu', 'FastGelu']) assert.equal(follows(operator, [rows(2, 'N', 4)]), 'rows@1 [2, rows, 4]');
  for (const operator of ['BiasGelu', 'FastGelu']) {
    assert.equal(follows(operator, [rows('N', 's', 4), fixed(4)]), 'rows@0 [rows, s, 4]');
    assert.match(follows(operator, [rows('N', 4), rows('N')]), /^mixed: /);
    assert.match(follows(operator, [fixed(2, 4), rows('N')]), /^mixed: /);
    assert.match(follows(operator, [rows(2, 'N'), fixed(4)]), /^mixed: /);
  }
});

test('a fused product transposes matrices', () => {
  assert.equal(follows('FusedMatMul', [rows('N', 2, 3), fixed(4, 3)], { transB: 1 }), 'rows@0 [rows, 2, 4]');
  assert.equal(follows('TransposeMatMul', [rows(3, 'N'), fixed(3, 4)], { transA: 1 }), 'rows@0 [rows, 4]');
  assert.equal(follows('FusedMatMul', [rows('N', 3), fixed(3)], { transA: 0, transB: 1 }), 'rows@0 [rows]');
  assert.equal(follows('FusedMatMul', [rows('N', 2, 's', 8), rows('N', 2, 't', 8)], { transB: 1 }), 'rows@0 [rows, 2, s, t]');
  assert.match(follows('FusedMatMul', [rows('N', 3), fixed(3, 4)], { transA: 1 }), /^mixed: /);
  assert.match(follows('FusedMatMul', [rows('N', 3), rows('N', 3)], { transB: 1 }), /^mixed: /);
  assert.match(follows('FusedMatMul', [rows('N'), fixed(3, 4)], { transA: 1 }), /^mixed: /);
});

test('a fused product moves the first axis behind the other ones', () => {
  assert.equal(follows('FusedMatMul', [rows(2, 'N', 3), fixed(3, 4)], { transBatchA: 1 }), 'rows@0 [rows, 2, 4]');
  assert.equal(follows('FusedMatMul', [rows('N', 2, 3), fixed(3, 4)], { transBatchA: 1 }), 'rows@1 [2, rows, 4]');
  const both = { transA: 1, transBatchA: 1, transB: 1, transBatchB: 1 };
  assert.equal(follows('FusedMatMul', [rows(3, 'N', 2), rows(4, 'N', 3)], both), 'rows@0 [rows, 2, 4]');
  assert.match(follows('FusedMatMul', [rows('N', 2, 3), fixed(3, 4)], { transA: 1, transBatchA: 1 }), /^mixed: /);
});

test('a product with an activation reads its transpositions', () => {
  assert.equal(follows('FusedGemm', [rows('N', 3), fixed(4, 3), fixed(4)], { transB: 1 }), 'rows@0 [rows, 4]');
  assert.match(follows('FusedGemm', [rows('N', 3), fixed(3, 4)], { transA: 1 }), /^mixed: /);
  assert.match(follows('FusedGemm', [rows('N', 3), fixed(3, 4), rows('N')]), /^mixed: /);
});

test('distances to a table of the model are those of each row', () => {
  assert.equal(follows('CDist', [rows('N', 3), fixed(5, 3)]), 'rows@0 [rows, 5]');
  assert.equal(follows('CDist', [fixed(5, 3), rows('N', 3)]), 'rows@1 [5, rows]');
  assert.match(follows('CDist', [rows('N', 3), rows('N', 3)]), /^mixed: /);
  assert.match(follows('CDist', [rows(3, 'N'), fixed(5, 3)]), /^mixed: /);
});

test('matrices are inverted one by one', () => {
  assert.equal(follows('Inverse', [rows('N', 3, 3)]), 'rows@0 [rows, 3, 3]');
  assert.match(follows('Inverse', [rows('N', 3)]), /^mixed: /);
});

test('packed weights are constants', () => {
  const weights = [fixed(4, 1, 16), fixed(4)];
  assert.equal(follows('MatMulNBits', [rows('N', 's', 32), ...weights], { K: 32, N: 4 }), 'rows@0 [rows, s, 4]');
  assert.equal(follows('MatMulBnb4', [rows('N', 32), ...weights], { K: 32, N: 4 }), 'rows@0 [rows, 4]');
  assert.match(follows('MatMulBnb4', [rows('N', 4), ...weights], { K: 32, N: 4, transB: 0 }), /^unknown: /);
  assert.match(follows('MatMulNBits', [rows(1, 'N'), ...weights], { K: 32, N: 4 }), /^mixed: /);
  assert.match(follows('MatMulNBits', [rows('N', 32), rows('N', 1, 16), fixed(4)], { K: 32, N: 4 }), /^mixed: input 1/);
  assert.match(follows('MatMulNBits', [rows('N', 32), ...weights]), /^unknown: /);
});
