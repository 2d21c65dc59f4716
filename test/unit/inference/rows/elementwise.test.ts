import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';

test('an operator on entries keeps rows where they are', () => {
  assert.equal(follow('Relu', [rows('N', 3)]), 'rows@0 [rows, 3]');
  assert.equal(follow('Add', [rows('N', 3), fixed(3)]), 'rows@0 [rows, 3]');
  assert.equal(follow('Add', [fixed(2, 1, 1), rows('N', 3)]), 'rows@1 [2, rows, 3]');
  assert.equal(follow('Mul', [rows('N', 3), rows('N', 1)]), 'rows@0 [rows, 3]');
});

test('rows that meet other rows or a long constant are mixed', () => {
  assert.match(String(follow('Sub', [rows('N', 1), rows(1, 'N')])), /^mixed: /);
  assert.match(String(follow('Sub', [rows('N', 3), fixed(2, 3)])), /^mixed: /);
  assert.match(String(follow('Sub', [rows('N', 3), fixed('s', 1)])), /^unknown: /);
  assert.match(String(follow('Sub', [rows('Ns', 3), rows('N', 3)])), /^mixed: /);
  assert.match(String(follow('Div', [rows('N', 3), scalar('N')])), /^mixed: /);
});

test('small constants are computed as sizes', () => {
  assert.equal(follow('Add', [known('N', 2), scalar(3)]), 'constant [2] = ?, 5');
  assert.equal(follow('Mul', [known('N', 's'), known(4, 's')]), 'constant [2] = 4*rows, s*s');
  assert.equal(follow('Div', [scalar('8N'), scalar(4)]), 'constant [] = 2*rows');
  assert.equal(follow('Equal', [known('N', 's', 3), scalar(-1)]), 'constant [3] = 0, 0, 0');
  assert.equal(follow('Equal', [scalar('N'), scalar(1)]), 'constant [] = ?');
  assert.equal(follow('Where', [known(0, 1), known(5, 5), known('N', 's')]), 'constant [2] = rows, 5');
  assert.equal(follow('Cast', [known(2, 's')], { to: 9 }), 'constant [2] = 1, bool(s)');
});
