import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows, scalar } from './follow-operator.ts';

test('a transform along another axis keeps rows', () => {
  assert.equal(follow('DFT', [rows('N', 16, 1)], { onesided: 1 }, { version: 17 }), 'rows@0 [rows, 9, 2]');
  assert.equal(follow('DFT', [rows('N', 16, 1), scalar(8), scalar(-2)]), 'rows@0 [rows, 8, 2]');
  assert.equal(follow('DFT', [rows('N', 's', 2)], { onesided: 1 }), 'rows@0 [rows, half(s), 2]');
  assert.match(String(follow('DFT', [rows('N', 16, 1)], { axis: 0 }, { version: 17 })), /^mixed: /);
  assert.match(String(follow('DFT', [rows('N', 16, 1), undefined, scalar(0)])), /^mixed: /);
  assert.match(String(follow('DFT', [rows('N', 16, 1), scalar('N')])), /^mixed: /);
  assert.match(String(follow('DFT', [rows('N', 16, 1), undefined, fixed()])), /^unknown: /);
});

test('frames of a signal stay in its row', () => {
  assert.equal(follow('STFT', [rows('N', 128, 1), scalar(32), fixed(16)]), 'rows@0 [rows, 4, 9, 2]');
  assert.equal(follow('STFT', [rows('N', 's'), scalar(8), undefined, scalar(16)], { onesided: 0 }), 'rows@0 [rows, frames(s,16,8), 16, 2]');
  assert.match(String(follow('STFT', [rows(1, 'N', 1), scalar(32), fixed(16)])), /^mixed: /);
  assert.match(String(follow('STFT', [rows('N', 128, 1), scalar(32), rows('N')])), /^mixed: /);
});

test('a window that is as long as the batch mixes rows', () => {
  assert.equal(follow('HannWindow', [scalar('s')]), 'constant [s]');
  assert.match(String(follow('HannWindow', [scalar('N')])), /^mixed: /);
  assert.equal(follow('MelWeightMatrix', [scalar(8), scalar(16), scalar(9), scalar(0), scalar(4)]), 'constant [9, 8]');
});
