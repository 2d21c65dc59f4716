import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';

test('an axis of classes joins those of the entries', () => {
  assert.equal(follow('OneHot', [rows('N'), scalar(5), fixed(2)]), 'rows@0 [rows, 5]');
  assert.equal(follow('OneHot', [rows('N', 's'), known('t'), fixed(2)], { axis: 0 }), 'rows@1 [t, rows, s]');
  assert.equal(follow('OneHot', [rows('N', 's'), scalar(5), fixed(2)], { axis: -2 }), 'rows@0 [rows, 5, s]');
  assert.match(String(follow('OneHot', [rows('N'), scalar('N'), fixed(2)])), /^mixed: /);
  assert.match(String(follow('OneHot', [rows('N'), scalar(5), rows('2N')])), /^mixed: input 2/);
  assert.match(String(follow('OneHot', [rows('N'), fixed(), fixed(2)])), /^unknown: /);
  assert.match(String(follow('OneHot', [rows('N'), scalar(2.5), fixed(2)])), /^unknown: /);
});

test('places of rows are mixed', () => {
  assert.match(String(follow('EyeLike', [rows('N', 3)])), /^mixed: it writes by the place of a row/);
  assert.match(String(follow('NonZero', [rows('N', 3)])), /^mixed: /);
  assert.match(String(follow('Unique', [rows('N', 3)], { axis: 1 })), /^mixed: /);
  assert.match(String(follow('NonMaxSuppression', [rows('N', 9, 4), rows('N', 2, 9), known(3)])), /^mixed: /);
});

test('places in constants are constants', () => {
  assert.equal(follow('EyeLike', [fixed(3, 's')]), 'constant [3, s]');
  assert.equal(follow('NonZero', [known(1, 0, 5)]), 'constant [1, 2] = 0, 2');
  assert.equal(follow('NonZero', [fixed(3, 3)]), 'constant [?]');
  assert.match(String(follow('NonZero', [known('N', 0)])), /^mixed: it depends on how many rows/);
  assert.equal(follow('Unique', [fixed(3)]), 'constant [?]');
});

test('entries are kept along an axis without rows', () => {
  assert.equal(follow('Compress', [rows('N', 3), known(1, 0, 1)], { axis: 1 }), 'rows@0 [rows, 2]');
  assert.equal(follow('Compress', [fixed(3, 3), known(1, 0, 1)]), 'constant [2]');
  assert.equal(follow('Compress', [rows('N', 2), known(1, 0, 1)], { axis: 1 }), 'rows@0 [rows, 1]');
  assert.match(String(follow('Compress', [rows('N', 's'), known(1, 0, 1)], { axis: 1 })), /^unknown: /);
  assert.match(String(follow('Compress', [rows('N', 3), known(1, 0, 1)], { axis: 0 })), /^mixed: /);
  assert.match(String(follow('Compress', [rows('N', 3), known(1, 0, 1)])), /^mixed: /);
  assert.match(String(follow('Compress', [rows('N', 3), rows('N')], { axis: 1 })), /^mixed: /);
  assert.match(String(follow('Compress', [rows('N', 3), fixed(3)], { axis: 1 })), /^unknown: /);
});

test('a triangle is one of each matrix', () => {
  assert.equal(follow('Trilu', [rows('N', 's', 's')]), 'rows@0 [rows, s, s]');
  assert.match(String(follow('Trilu', [rows('N', 's')])), /^mixed: /);
  assert.match(String(follow('Trilu', [rows(2, 's', 'N')])), /^mixed: /);
  assert.match(String(follow('Trilu', [rows('N', 's', 's'), known('N')])), /^mixed: /);
});

test('dropout does nothing but in training', () => {
  const random = /^mixed: it draws random numbers$/;
  assert.equal(follow('Dropout', [rows('N', 3)]), 'rows@0 [rows, 3]');
  assert.equal(follow('Dropout', [rows('N', 3), scalar(0.5), scalar(0)]), 'rows@0 [rows, 3]');
  assert.equal(follow('Dropout', [rows('N', 3)], { ratio: 0.5 }, { version: 10, outputs: 2 }), 'rows@0 [rows, 3]');
  assert.equal(follow('Dropout', [rows('N', 3)], { is_test: 1 }, { version: 6 }), 'rows@0 [rows, 3]');
  assert.match(String(follow('Dropout', [rows('N', 3), undefined, scalar(1)])), random);
  assert.match(String(follow('Dropout', [rows('N', 3)], {}, { version: 6 })), random);
  assert.match(String(follow('Dropout', [rows('N', 3), undefined, fixed()])), /^unknown: /);
  assert.match(String(follow('Dropout', [rows('N', 3), undefined, rows('N')])), /^mixed: /);
});

test('random numbers are refused, also of constants', () => {
  for (const operator of ['Bernoulli', 'Multinomial', 'RandomNormalLike', 'RandomUniformLike'])
    for (const input of [rows('N', 3), fixed(3)]) assert.equal(follow(operator, [input]), 'mixed: it draws random numbers');
  for (const operator of ['RandomNormal', 'RandomUniform']) assert.equal(follow(operator, []), 'mixed: it draws random numbers');
});

test('steps of one item are reversed by its own length', () => {
  const by = { batch_axis: 0, time_axis: 1 };
  assert.equal(follow('ReverseSequence', [rows(5, 'N', 3), rows('N')]), 'rows@1 [5, rows, 3]');
  assert.equal(follow('ReverseSequence', [rows('N', 5, 3), rows('N')], by), 'rows@0 [rows, 5, 3]');
  assert.equal(follow('ReverseSequence', [rows(5, 2, 'N'), fixed(2)]), 'rows@2 [5, 2, rows]');
  assert.match(String(follow('ReverseSequence', [rows('N', 5, 3), rows('N')])), /^mixed: its steps/);
  assert.match(String(follow('ReverseSequence', [rows(5, 'N', 3), rows('N')], by)), /^mixed: its steps/);
  assert.match(String(follow('ReverseSequence', [rows(5, 'N', 3), fixed(1)])), /^mixed: /);
  assert.match(String(follow('ReverseSequence', [rows(5, 2, 'N'), rows('N')])), /^mixed: /);
  assert.match(String(follow('ReverseSequence', [fixed(5, 2), rows('N')])), /^mixed: /);
});

test('other axes than that of rows are cropped or padded', () => {
  assert.equal(follow('CenterCropPad', [rows('N', 3, 8), known(4, 's')], { axes: [1, -1] }), 'rows@0 [rows, 4, s]');
  assert.equal(follow('CenterCropPad', [rows('N', 3), known('N', 4)]), 'rows@0 [rows, 4]');
  assert.match(String(follow('CenterCropPad', [rows('N', 3), known(7, 4)])), /^mixed: /);
  assert.match(String(follow('CenterCropPad', [rows('N', 3), known('2N', 4)])), /^mixed: /);
  assert.match(String(follow('CenterCropPad', [rows('N', 3), known('N')], { axes: [1] })), /^mixed: /);
  assert.match(String(follow('CenterCropPad', [fixed(3), known('N')])), /^mixed: /);
  assert.match(String(follow('CenterCropPad', [rows('N', 3), fixed(2)])), /^unknown: /);
});
