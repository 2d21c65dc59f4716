import assert from 'node:assert/strict';
import test from 'node:test';
import { agrees } from './against-runtime.ts';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';

const none = undefined;

test('a transform along a signal keeps rows along other axes', () => {
  assert.equal(follow('DFT', [rows('N', 16, 1)]), 'rows@0 [rows, 16, 2]');
  assert.equal(follow('DFT', [rows('N', 'l', 2)], { inverse: 1 }), 'rows@0 [rows, l, 2]');
  assert.equal(follow('DFT', [rows('N', 16, 1)], { onesided: 1 }), 'rows@0 [rows, 9, 2]');
  assert.equal(follow('DFT', [rows('N', 'l', 1)], { onesided: 1 }), 'rows@0 [rows, half(l), 2]');
  assert.equal(follow('DFT', [rows('N', 16, 1), scalar(8)]), 'rows@0 [rows, 8, 2]');
  assert.equal(follow('DFT', [rows('N', 16, 4, 1), none, scalar(1)]), 'rows@0 [rows, 16, 4, 2]');
  assert.equal(follow('DFT', [rows(4, 'N', 1), none, scalar(-3)]), 'rows@1 [4, rows, 2]');
});

test('the axis of a transform is an attribute before version 20', () => {
  assert.equal(follow('DFT', [rows(5, 4, 'N', 1)], {}, { version: 17 }), 'rows@2 [5, 4, rows, 2]');
  assert.match(String(follow('DFT', [rows(5, 4, 'N', 1)])), /^mixed: it transforms/);
  assert.match(String(follow('DFT', [rows(5, 4, 'N', 1)], { axis: -2 }, { version: 17 })), /^mixed: it transforms/);
  assert.match(String(follow('DFT', [rows(5, 'N', 4, 1)], {}, { version: 17 })), /^mixed: it transforms/);
});

test('a transform of rows with each other is mixed', () => {
  assert.match(String(follow('DFT', [rows('N', 16, 1), none, scalar(0)])), /^mixed: it transforms/);
  assert.match(String(follow('DFT', [rows(4, 16, 'N')])), /^mixed: its numbers have rows/);
  assert.match(String(follow('DFT', [rows('N', 16, 1), scalar('N')])), /^mixed: its length/);
  assert.match(String(follow('DFT', [rows('N', 16, 3)])), /^unknown: its last axis/);
  assert.match(String(follow('DFT', [rows('N', 16, 1), none, scalar(-1)])), /^unknown: its axis/);
  assert.match(String(follow('DFT', [rows('N', 16, 2)], { onesided: 1, inverse: 1 })), /^unknown: it restores/);
});

test('transforms of frames keep signals apart', () => {
  assert.equal(follow('STFT', [rows('N', 64, 1), scalar(8), fixed(16)]), 'rows@0 [rows, 7, 9, 2]');
  assert.equal(follow('STFT', [rows('N', 64, 1), scalar(8), none, scalar(16)], { onesided: 0 }), 'rows@0 [rows, 7, 16, 2]');
  assert.equal(follow('STFT', [rows('N', 'l', 1), scalar(8), fixed(16)]), 'rows@0 [rows, frames(l,16,8), 9, 2]');
  assert.match(String(follow('STFT', [rows(1, 'N', 1), scalar(8), fixed(16)])), /^mixed: it transforms/);
  assert.match(String(follow('STFT', [rows('N', 64, 1), scalar(8), rows('N')])), /^mixed: input 2/);
  assert.match(String(follow('STFT', [rows('N', 64, 1), scalar('N'), fixed(16)])), /^mixed: its length/);
  assert.match(String(follow('STFT', [rows('N', 64, 1), scalar(8), none, rows('N')])), /^mixed: /);
  assert.match(String(follow('STFT', [rows('N', 64, 1), scalar(8)])), /^unknown: the length/);
  assert.equal(follow('STFT', [rows('N', 64), scalar(8), fixed(16)]), 'rows@0 [rows, 7, 9, 2]');
  assert.match(String(follow('STFT', [rows('N'), scalar(8), fixed(16)])), /^unknown: it expects/);
});

test('windows and bands are constants of lengths that no row decides', () => {
  for (const operator of ['BlackmanWindow', 'HammingWindow', 'HannWindow']) {
    assert.equal(follow(operator, [scalar(16)]), 'constant [16]');
    assert.equal(follow(operator, [scalar('l')]), 'constant [l]');
    assert.match(String(follow(operator, [scalar('N')])), /^mixed: its length/);
    assert.match(String(follow(operator, [rows('N')])), /^mixed: /);
    assert.match(String(follow(operator, [known(4, 4)])), /^unknown: input 0 is not one number/);
  }
  const edges = [scalar(8000), scalar(0), scalar(4000)];
  assert.equal(follow('MelWeightMatrix', [scalar(8), scalar(16), ...edges]), 'constant [9, 8]');
  assert.match(String(follow('MelWeightMatrix', [scalar('N'), scalar(16), ...edges])), /^mixed: /);
  assert.match(String(follow('MelWeightMatrix', [scalar(8), scalar(16), rows('N'), ...edges.slice(1)])), /^mixed: /);
});

test('sizes and rows of transforms are those of ONNX Runtime', async () => {
  const data = { type: 'float32', dims: ['N', 8, 1] } as const;
  const one = (entry: number): { type: 'int64'; dims: number[]; data: number[] } => ({ type: 'int64', dims: [], data: [entry] });
  for (const version of [17, 20])
    for (const onesided of [0, 1]) await agrees({ operator: 'DFT', attributes: { onesided }, version }, [data]);
  await agrees({ operator: 'DFT' }, [data, one(6)]);
  await agrees({ operator: 'DFT', attributes: { axis: 2 }, version: 17 }, [{ type: 'float32', dims: ['N', 3, 4, 1] }]);
  const window = { type: 'float32', dims: [4], data: [1, 1, 1, 1] } as const;
  for (const onesided of [0, 1]) await agrees({ operator: 'STFT', attributes: { onesided } }, [data, one(3), window]);
  await agrees({ operator: 'STFT' }, [{ type: 'float32', dims: ['N', 8] }, one(3), window]);
});
