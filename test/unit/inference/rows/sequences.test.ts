import assert from 'node:assert/strict';
import test from 'node:test';
import { number } from '../../../../server/inference/rows/size.ts';
import { CONSTANT, type Tracked } from '../../../../server/inference/rows/value.ts';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';

/** A sequence of tensors of one form. */
const sequence = (form: Tracked, length?: number): Tracked => ({
  ...form,
  sequence: true,
  ...(length === undefined ? {} : { elements: [number(length)] }),
});
const empty = sequence(CONSTANT, 0);

test('tensors of one form make a sequence, and each comes out as it was', () => {
  assert.equal(follow('SequenceConstruct', [rows('N', 3), rows('N', 3)]), 'sequence of rows@0 [rows, 3] = 2');
  assert.equal(follow('SequenceConstruct', [rows('N'), fixed('N')]), 'sequence of rows@0 [rows] = 2');
  assert.equal(follow('SequenceAt', [sequence(rows('N', 3), 2), scalar(-1)]), 'rows@0 [rows, 3]');
  assert.equal(follow('SequenceAt', [sequence(rows('Ns', 3)), fixed()]), 'rows@0 (1 x rows x s) [rows*s, 3]');
});

test('tensors of several forms make no sequence that is followed', () => {
  assert.match(String(follow('SequenceConstruct', [rows('N', 3), rows('N', 2)])), /^unknown: /);
  assert.match(String(follow('SequenceConstruct', [rows('N', 'N'), rows('N')])), /^unknown: /);
  assert.match(
    String(follow('SequenceConstruct', [rows('Ns'), { ...rows('Ns'), row: { ...rows('Ns').row!, after: number(1) } }])),
    /^mixed: /,
  );
  assert.match(String(follow('SequenceConstruct', [known('N'), known(1)])), /^mixed: /);
});

test('a position that depends on rows is refused', () => {
  for (const position of [rows('N'), scalar('N')]) {
    assert.match(String(follow('SequenceAt', [sequence(rows('N')), position])), /^mixed: /);
    assert.match(String(follow('SequenceErase', [sequence(rows('N')), position])), /^mixed: /);
    assert.match(String(follow('SequenceInsert', [sequence(rows('N')), rows('N'), position])), /^mixed: /);
  }
  assert.match(String(follow('SequenceAt', [rows('N'), scalar(0)])), /^unknown: /);
});

test('a sequence grows and shrinks', () => {
  assert.equal(follow('SequenceEmpty', []), 'sequence of constant [?] = 0');
  assert.equal(follow('SequenceInsert', [empty, rows('N', 3)]), 'sequence of rows@0 [rows, 3] = 1');
  assert.equal(follow('SequenceInsert', [sequence(rows('N'), 1), rows('N'), scalar(0)]), 'sequence of rows@0 [rows] = 2');
  assert.match(String(follow('SequenceInsert', [sequence(rows('N'), 1), rows('N', 2)])), /^unknown: /);
  assert.match(String(follow('SequenceInsert', [sequence(CONSTANT), rows('N', 2)])), /^unknown: /);
  assert.equal(follow('SequenceErase', [sequence(rows('N'), 2)]), 'sequence of rows@0 [rows] = 1');
  assert.equal(follow('SequenceErase', [sequence(rows('N')), scalar(0)]), 'sequence of rows@0 [rows]');
});

test('the length of a sequence does not depend on rows', () => {
  assert.equal(follow('SequenceLength', [sequence(rows('N'), 2)]), 'constant [] = 2');
  assert.equal(follow('SequenceLength', [sequence(rows('N'))]), 'constant []');
});

test('a sequence is joined beside the axis of rows', () => {
  const pair = sequence(rows('N', 3), 2);
  assert.equal(follow('ConcatFromSequence', [pair], { axis: 1 }), 'rows@0 [rows, 6]');
  assert.equal(follow('ConcatFromSequence', [pair], { axis: -1, new_axis: 1 }), 'rows@0 [rows, 3, 2]');
  assert.equal(follow('ConcatFromSequence', [pair], { axis: 1, new_axis: 1 }), 'rows@0 [rows, 2, 3]');
  assert.equal(follow('ConcatFromSequence', [pair], { axis: 0, new_axis: 1 }), 'rows@1 [2, rows, 3]');
  assert.equal(follow('ConcatFromSequence', [sequence(rows('N', 3), 1)], { axis: 0 }), 'rows@0 [rows, 3]');
  assert.match(String(follow('ConcatFromSequence', [pair], { axis: 0 })), /^mixed: /);
  assert.match(String(follow('ConcatFromSequence', [pair], { axis: -2 })), /^mixed: /);
  assert.match(String(follow('ConcatFromSequence', [sequence(fixed('N'), 2)], { axis: 0 })), /^mixed: /);
  assert.match(String(follow('ConcatFromSequence', [sequence(rows('N', 3))], { axis: 1 })), /^unknown: /);
  assert.match(String(follow('ConcatFromSequence', [pair])), /^unknown: /);
});

test('a tensor is split beside the axis of rows', () => {
  const data = rows('N', 6);
  assert.equal(follow('SplitToSequence', [data], { axis: 1 }), 'sequence of rows@0 [rows, 1] = 6');
  assert.equal(follow('SplitToSequence', [data], { axis: -1, keepdims: 0 }), 'sequence of rows@0 [rows] = 6');
  assert.equal(follow('SplitToSequence', [rows(6, 'N')], { keepdims: 0 }), 'sequence of rows@0 [rows] = 6');
  assert.equal(follow('SplitToSequence', [data, scalar(2)], { axis: 1 }), 'sequence of rows@0 [rows, 2] = 3');
  assert.equal(follow('SplitToSequence', [data, scalar(9)], { axis: 1 }), 'sequence of rows@0 [rows, 6] = 1');
  assert.equal(follow('SplitToSequence', [data, known(3, 3)], { axis: 1, keepdims: 0 }), 'sequence of rows@0 [rows, 3] = 2');
  assert.equal(follow('SplitToSequence', [rows('N', '4s'), scalar(2)], { axis: 1 }), 'sequence of rows@0 [rows, 2] = 2*s');
});

test('a split of rows, or into parts of several sizes, is refused', () => {
  const data = rows('N', 6);
  assert.match(String(follow('SplitToSequence', [data])), /^mixed: /);
  assert.match(String(follow('SplitToSequence', [data, known(1, 1)], { axis: -2 })), /^mixed: /);
  assert.match(String(follow('SplitToSequence', [fixed('N')])), /^mixed: /);
  assert.match(String(follow('SplitToSequence', [data, scalar(4)], { axis: 1 })), /^unknown: /);
  assert.match(String(follow('SplitToSequence', [data, known(2, 4)], { axis: 1 })), /^unknown: /);
  assert.match(String(follow('SplitToSequence', [data, scalar(2)], { axis: 1, keepdims: 0 })), /^unknown: /);
  assert.match(String(follow('SplitToSequence', [rows('N', 's'), scalar(2)], { axis: 1 })), /^unknown: /);
});

test('an optional value is the value', () => {
  assert.equal(follow('Optional', [rows('N')]), 'rows@0 [rows]');
  assert.equal(follow('OptionalGetElement', [sequence(rows('N'), 1)]), 'sequence of rows@0 [rows] = 1');
  assert.equal(follow('OptionalHasElement', [rows('N')]), 'constant []');
  assert.match(String(follow('Optional', [])), /^unknown: /);
});
