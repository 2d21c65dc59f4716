import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, known, rows } from './follow-operator.ts';

test('entries are written beside their place along another axis', () => {
  for (const operator of ['Scatter', 'ScatterElements']) {
    assert.equal(follow(operator, [rows('N', 5), rows('N', 2), rows('N', 2)], { axis: 1 }), 'rows@0 [rows, 5]');
    assert.equal(follow(operator, [rows(5, 'N'), rows(1, 'N'), rows(1, 'N')]), 'rows@1 [5, rows]');
    assert.match(String(follow(operator, [rows('N', 5), rows('N', 2), rows('N', 2)])), /^mixed: it writes at places among rows/);
    assert.match(String(follow(operator, [rows('N', 5), rows('N', 2), rows('N', 2)], { axis: -2 })), /^mixed: /);
    assert.match(String(follow(operator, [rows('N', 5), fixed(1, 2), fixed(1, 2)], { axis: 1 })), /^mixed: /);
    assert.match(String(follow(operator, [fixed(9, 5), rows('N', 2), rows('N', 2)], { axis: 1 })), /^mixed: /);
    assert.match(String(follow(operator, [rows('2N', 5), rows('N', 2), rows('N', 2)], { axis: 1 })), /^mixed: /);
  }
});

test('slices that constants choose are written row by row', () => {
  assert.equal(follow('ScatterND', [rows(5, 'N', 3), fixed(2, 1), rows(2, 'N', 3)]), 'rows@1 [5, rows, 3]');
  assert.equal(follow('ScatterND', [rows(5, 4, 'N'), fixed(2, 7, 2), rows(2, 7, 'N')]), 'rows@2 [5, 4, rows]');
  assert.equal(follow('ScatterND', [rows(5, 'N'), fixed(1), rows('N')]), 'rows@1 [5, rows]');
  assert.equal(follow('ScatterND', [fixed(5, 3), fixed(2, 1), fixed(2, 3)]), 'constant [5, 3]');
});

test('writing at places of rows is mixed', () => {
  assert.match(String(follow('ScatterND', [rows('N', 3), fixed(2, 1), fixed(2, 3)])), /^mixed: it writes at places among rows/);
  assert.match(String(follow('ScatterND', [rows('N', 3), rows('N', 1), rows('N', 3)])), /^mixed: it writes at places that depend/);
  assert.match(String(follow('ScatterND', [fixed(9, 3), rows('N', 1), rows('N', 3)])), /^mixed: /);
  assert.match(String(follow('ScatterND', [fixed(9, 3), fixed(2, 1), rows(2, 'N')])), /^mixed: it writes rows into a constant/);
  assert.match(String(follow('ScatterND', [rows(5, 'N', 3), fixed(2, 1), fixed(2, 4, 3)])), /^mixed: it writes something else/);
  assert.match(String(follow('ScatterND', [rows(5, 'N', 3), fixed(2, 1), rows('N', 2, 3)])), /^mixed: it writes something else/);
  assert.match(String(follow('ScatterND', [rows(5, 'N'), known('N'), rows('N')])), /^mixed: it depends on how many rows/);
  assert.match(String(follow('ScatterND', [rows(5, 'N'), fixed(2, 's'), rows(2, 'N')])), /^unknown: /);
});

test('each item is written into its own cache', () => {
  const at = { version: 24 };
  assert.equal(follow('TensorScatter', [rows('N', 2, 9, 4), rows('N', 2, 1, 4), rows('N')], {}, at), 'rows@0 [rows, 2, 9, 4]');
  assert.equal(follow('TensorScatter', [rows('N', 9, 4), rows('N', 's', 4)], { axis: 1 }, at), 'rows@0 [rows, 9, 4]');
  assert.match(String(follow('TensorScatter', [rows('N', 9, 4), rows('N', 's', 4), fixed(1)], {}, at)), /^mixed: /);
  assert.match(String(follow('TensorScatter', [fixed(1, 9, 4), rows('N', 's', 4)], {}, at)), /^mixed: /);
  assert.match(String(follow('TensorScatter', [rows(1, 9, 'N'), rows(1, 2, 'N')], {}, at)), /^mixed: /);
  assert.match(String(follow('TensorScatter', [rows('N', 4), rows('N', 4)], {}, at)), /^unknown: /);
});
