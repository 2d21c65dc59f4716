import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

const product = (...inputs: Parameters<typeof follow>[1]): string => String(follow('MatMul', inputs));

test('rows of the first matrix, columns of the second, and stacks stay apart', () => {
  assert.equal(product(rows('N', 3), fixed(3, 4)), 'rows@0 [rows, 4]');
  assert.equal(product(rows('N', 's', 3), fixed(3, 4)), 'rows@0 [rows, s, 4]');
  assert.equal(product(rows('N', 2, 's', 3), rows('N', 2, 3, 's')), 'rows@0 [rows, 2, s, s]');
  assert.equal(product(rows('N', 2, 's', 3), fixed(2, 3, 4)), 'rows@0 [rows, 2, s, 4]');
  assert.equal(product(fixed(5, 3), rows(3, 'N')), 'rows@1 [5, rows]');
  assert.equal(product(fixed(5, 3), rows('N', 3, 4)), 'rows@0 [rows, 5, 4]');
  assert.equal(product(rows('N', 3), fixed(3)), 'rows@0 [rows]');
  assert.equal(product(fixed(3), rows('N', 3, 4)), 'rows@0 [rows, 4]');
  assert.equal(product(rows('Ns', 3), fixed(3, 4)), 'rows@0 (1 x rows x s) [rows*s, 4]');
  assert.equal(product(rows('N', 3), fixed(7, 3, 4)), 'rows@1 [7, rows, 4]');
});

test('products over rows, and of rows with other rows, are mixed', () => {
  assert.match(product(rows(5, 'N'), fixed(4, 4)), /^mixed: /);
  assert.match(product(rows(5, 'N'), rows('N', 4)), /^mixed: it sums products/);
  assert.match(product(rows('N'), rows('N')), /^mixed: it sums products/);
  assert.match(product(fixed(3), rows('N', 4)), /^mixed: /);
  assert.match(product(rows('N', 3), rows(3, 'N')), /^mixed: it combines each row/);
  assert.match(product(rows('N', 3), rows('N', 3, 4)), /^mixed: it combines each row/);
  assert.match(product(rows('N', 2, 3), fixed(5, 3, 4)), /^mixed: it combines rows with a constant/);
  assert.match(product(rows('N', 2, 3), { dims: undefined, row: undefined }), /^unknown: /);
});

test('a product with transposed matrices keeps rows where they go', () => {
  assert.equal(follow('Gemm', [rows('N', 3), fixed(3, 4), fixed(4)]), 'rows@0 [rows, 4]');
  assert.equal(follow('Gemm', [rows('N', 3), fixed(4, 3), fixed(1)], { transB: 1 }), 'rows@0 [rows, 4]');
  assert.equal(follow('Gemm', [rows(3, 'N'), fixed(3, 4)], { transA: 1 }), 'rows@0 [rows, 4]');
  assert.equal(follow('Gemm', [fixed(2, 3), rows('N', 3), fixed(2, 1)], { transB: 1 }), 'rows@1 [2, rows]');
  assert.equal(follow('Gemm', [rows('N', 3), fixed(3, 4), rows('N', 1)]), 'rows@0 [rows, 4]');
});

test('a product that sums over rows, or adds something else to them, is mixed', () => {
  assert.match(String(follow('Gemm', [rows('N', 3), fixed(3, 4)], { transA: 1 })), /^mixed: /);
  assert.match(String(follow('Gemm', [rows('N', 3), rows('N', 4)], { transA: 1 })), /^mixed: it sums products/);
  assert.match(String(follow('Gemm', [rows('N', 3), rows('N', 3)], { transB: 1 })), /^mixed: /);
  assert.match(String(follow('Gemm', [rows('N', 3), fixed(3, 4), fixed(2, 4)])), /^mixed: /);
  assert.match(String(follow('Gemm', [rows('N', 3), fixed(3, 4), rows(1, 'N')])), /^mixed: /);
  assert.match(String(follow('Gemm', [fixed(1, 3), fixed(3, 4), rows('N', 4)])), /^mixed: /);
});

const einsum = (equation: string, ...inputs: Parameters<typeof follow>[1]): string => String(follow('Einsum', inputs, { equation }));

test('an Einstein summation keeps the axis of rows that its result names', () => {
  assert.equal(einsum('bij, bjk -> bik', rows('N', 2, 3), rows('N', 3, 4)), 'rows@0 [rows, 2, 4]');
  assert.equal(einsum('bi,ij->jb', rows('N', 3), fixed(3, 4)), 'rows@1 [4, rows]');
  assert.equal(einsum('...ij,jk->...ik', rows('N', 2, 3), fixed(3, 4)), 'rows@0 [rows, 2, 4]');
  assert.equal(einsum('...ij,...jk', rows('N', 2, 3), fixed(3, 4)), 'rows@0 [rows, 2, 4]');
  assert.equal(einsum('ij,jk', rows('N', 3), fixed(3, 4)), 'rows@0 [rows, 4]');
  assert.equal(einsum('ba', rows('N', 3)), 'rows@1 [3, rows]');
  assert.equal(einsum('bii->bi', rows('N', 3, 3)), 'rows@0 [rows, 3]');
  assert.equal(einsum('b...->...b', rows('N', 3, 4)), 'rows@2 [3, 4, rows]');
  assert.equal(einsum('bhqd,bkhd->bhqk', rows('N', 2, 's', 8), rows('N', 's', 2, 8)), 'rows@0 [rows, 2, s, s]');
});

test('an Einstein summation over rows is mixed, and an unclear equation is unknown', () => {
  assert.match(einsum('bi->i', rows('N', 3)), /^mixed: it sums products/);
  assert.match(einsum('bi,bj->ij', rows('N', 3), rows('N', 3)), /^mixed: it sums products/);
  assert.match(einsum('bi,cj->bc', rows('N', 3), rows('N', 3)), /^mixed: it combines each row/);
  assert.match(einsum('bi,ib->b', rows('N', 3), rows('N', 3)), /^mixed: it combines each row/);
  assert.match(einsum('bb->b', rows('N', 'N')), /^mixed: it reads a diagonal/);
  assert.match(einsum('bi,bj', rows('N', 3), rows('N', 3)), /^mixed: it sums products/);
  assert.match(einsum('bi,bi->bi', rows('N', 3), fixed(2, 3)), /^mixed: /);
  for (const equation of ['bA', '...i->i', 'bi->bb', 'bi->bk', 'b', 'bi,ij->bj', 'bi->b->b', 'b?'])
    assert.match(einsum(equation, rows('N', 3)), /^unknown: /, equation);
});

test('determinants are one for each matrix', () => {
  assert.equal(follow('Det', [rows('N', 3, 3)]), 'rows@0 [rows]');
  assert.match(String(follow('Det', [rows('N', 3)])), /^mixed: /);
});
