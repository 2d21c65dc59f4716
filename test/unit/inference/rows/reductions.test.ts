import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, known, rows } from './follow-operator.ts';

const MEETS = /^mixed: it (reduces|ranks|sums|normalises) rows of different calls$/;

test('a reduction keeps rows that lie along another axis', () => {
  assert.equal(follow('ReduceMean', [rows('N', 3, 4), known(1)], { keepdims: 0 }), 'rows@0 [rows, 4]');
  assert.equal(follow('ReduceMean', [rows('N', 3, 4), known(-1)]), 'rows@0 [rows, 3, 1]');
  assert.equal(follow('ReduceL2', [rows(2, 'N', 3), known(0)], { keepdims: 0 }), 'rows@0 [rows, 3]');
  assert.equal(follow('ReduceMax', [rows('N', 3, 4)], { axes: [1, 2], keepdims: 0 }, { version: 13 }), 'rows@0 [rows]');
  assert.equal(follow('ReduceMax', [rows(2, 'Ns', 3), known(0, 2)]), 'rows@1 (1 x rows x s) [1, rows*s, 1]');
});

test('a reduction of the axis of rows, or of all axes, is mixed', () => {
  assert.match(String(follow('ReduceSum', [rows('N', 3), known(0)])), MEETS);
  assert.match(String(follow('ReduceSum', [rows('N', 3), known(-2)])), MEETS);
  assert.match(String(follow('ReduceSum', [rows('Ns', 3), known(0)])), MEETS);
  assert.match(String(follow('ReduceMean', [rows('N', 3)])), MEETS);
  assert.match(String(follow('ReduceMean', [rows('N', 3), known()])), MEETS);
  assert.match(String(follow('ReduceLogSumExp', [rows('N', 3)], { axes: [0] }, { version: 11 })), MEETS);
  assert.match(String(follow('ReduceSum', [rows('N', 3), fixed(1)])), /^unknown: /);
});

test('a reduction without axes does nothing where its attribute says so', () => {
  assert.equal(follow('ReduceSum', [rows('N', 3)], { noop_with_empty_axes: 1 }), 'rows@0 [rows, 3]');
  assert.equal(follow('ReduceSum', [known('N', 3), known()], { noop_with_empty_axes: 1 }), 'constant [2] = rows, 3');
  assert.match(String(follow('ReduceSum', [rows('N', 3), known(0)], { noop_with_empty_axes: 1 })), MEETS);
});

test('reductions of sizes are computed', () => {
  assert.equal(follow('ReduceProd', [known('N', 3, 's')], { keepdims: 0 }), 'constant [] = 3*rows*s');
  assert.equal(follow('ReduceProd', [known('N', 'N')]), 'constant [1] = ?');
  assert.equal(follow('ReduceSum', [known(3, 4), known(0)]), 'constant [1] = 7');
  assert.equal(follow('ReduceMax', [known(3, 4)], { keepdims: 0 }), 'constant [] = 4');
  assert.equal(follow('ReduceMin', [known(3, 's')], { keepdims: 0 }), 'constant [] = reducemin(3,s)');
  assert.equal(follow('ReduceMin', [known(3, 'N')], { keepdims: 0 }), 'constant [] = ?');
  assert.match(String(follow('ReduceMean', [known(3, 'N')])), /^mixed: /);
});

test('the place of the greatest entry is one along its axis', () => {
  assert.equal(follow('ArgMax', [rows('N', 3)], { axis: 1, keepdims: 0 }), 'rows@0 [rows]');
  assert.equal(follow('ArgMin', [rows('N', 3)], { axis: -1 }), 'rows@0 [rows, 1]');
  assert.equal(follow('ArgMax', [rows(3, 'N')], { keepdims: 0 }), 'rows@0 [rows]');
  assert.match(String(follow('ArgMax', [rows('N', 3)])), MEETS);
});

test('the greatest entries are ranked along the last axis by default', () => {
  assert.equal(follow('TopK', [rows('N', 9), known(2)]), 'rows@0 [rows, 2]');
  assert.equal(follow('TopK', [rows('N', 9), known('s')], { axis: 1 }), 'rows@0 [rows, s]');
  assert.equal(follow('TopK', [rows('N', 9)], { k: 4 }, { version: 1 }), 'rows@0 [rows, 4]');
  assert.match(String(follow('TopK', [rows('N', 9), known(2)], { axis: 0 })), MEETS);
  assert.match(String(follow('TopK', [rows('N'), known(2)])), MEETS);
  assert.match(String(follow('TopK', [rows('N', 9), known('N')])), /^mixed: it depends on how many rows/);
  assert.match(String(follow('TopK', [rows('N', 9), fixed(1)])), /^unknown: /);
});

test('a running sum goes along one axis', () => {
  assert.equal(follow('CumSum', [rows('N', 9), known(1)]), 'rows@0 [rows, 9]');
  assert.match(String(follow('CumSum', [rows('N', 9), known(-2)])), MEETS);
  assert.match(String(follow('CumSum', [rows('N', 9), fixed(1)])), /^unknown: /);
});

test('a softmax goes along one axis since version 13, along all axes from one on before', () => {
  for (const operator of ['Softmax', 'LogSoftmax', 'Hardmax']) {
    assert.equal(follow(operator, [rows(2, 'N', 4)]), 'rows@1 [2, rows, 4]');
    assert.equal(follow(operator, [rows(2, 'N', 4)], { axis: 0 }), 'rows@1 [2, rows, 4]');
    assert.match(String(follow(operator, [rows('N', 4)], { axis: 0 })), MEETS);
    assert.equal(follow(operator, [rows('N', 2, 4)], {}, { version: 12 }), 'rows@0 [rows, 2, 4]');
    assert.match(String(follow(operator, [rows(2, 'N', 4)], {}, { version: 12 })), MEETS);
    assert.match(String(follow(operator, [rows('N', 4)], { axis: 0 }, { version: 11 })), MEETS);
    assert.equal(follow(operator, [rows(2, 'N', 4)], { axis: -1 }, { version: 11 }), 'rows@1 [2, rows, 4]');
  }
});

test('a norm goes along one axis', () => {
  assert.equal(follow('LpNormalization', [rows('N', 4)]), 'rows@0 [rows, 4]');
  assert.match(String(follow('LpNormalization', [rows('N', 4)], { axis: 0 })), MEETS);
});
