import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

const parameters = [fixed(3), fixed(3), fixed(3), fixed(3)];

test('a batch normalisation by the statistics of the model keeps rows apart', () => {
  assert.equal(follow('BatchNormalization', [rows('N', 3, 4), ...parameters]), 'rows@0 [rows, 3, 4]');
  assert.equal(follow('BatchNormalization', [rows(2, 3, 'N'), ...parameters]), 'rows@2 [2, 3, rows]');
  assert.equal(follow('BatchNormalization', [rows('N', 3), ...parameters], {}, { version: 9 }), 'rows@0 [rows, 3]');
  assert.equal(follow('BatchNormalization', [rows('N', 3), ...parameters], { is_test: 1 }, { version: 6 }), 'rows@0 [rows, 3]');
  assert.equal(follow('BatchNormalization', [rows('N', 3, 4), ...parameters], { spatial: 0 }, { version: 7 }), 'rows@0 [rows, 3, 4]');
});

test('a batch normalisation that takes the statistics of a batch is mixed', () => {
  const data = [rows('N', 3), ...parameters];
  const training = /^mixed: it takes statistics of all rows$/;
  assert.match(String(follow('BatchNormalization', data, { training_mode: 1 })), training);
  assert.match(String(follow('BatchNormalization', data, {}, { version: 9, outputs: 5 })), training);
  assert.match(String(follow('BatchNormalization', data, {}, { version: 6 })), training);
});

test('parameters for rows are mixed', () => {
  assert.match(String(follow('BatchNormalization', [rows(1, 'N'), ...parameters])), /^mixed: /);
  assert.match(String(follow('BatchNormalization', [rows('N', 3), rows('N'), ...parameters.slice(1)])), /^mixed: input 1/);
  assert.match(String(follow('BatchNormalization', [rows(1, 3, 'N'), ...parameters], { spatial: 0 }, { version: 8 })), /^mixed: /);
});

test('normalisations of one item need rows along the first axis', () => {
  for (const operator of ['InstanceNormalization', 'GroupNormalization']) {
    assert.equal(follow(operator, [rows('N', 3, 4), fixed(3), fixed(3)]), 'rows@0 [rows, 3, 4]');
    assert.match(String(follow(operator, [rows(1, 'N', 4), fixed(3), fixed(3)])), /^mixed: /);
    assert.match(String(follow(operator, [rows(1, 3, 'N'), fixed(3), fixed(3)])), /^mixed: /);
    assert.match(String(follow(operator, [rows('N', 3, 4), rows('N'), fixed(3)])), /^mixed: /);
  }
});

test('a layer normalisation keeps rows before its axis', () => {
  const scale = [fixed(4), fixed(4)];
  const answer = ['rows@0 [rows, 2, 4]', 'rows@0 [rows, 2, 1]', 'rows@0 [rows, 2, 1]'];
  assert.deepEqual(follow('LayerNormalization', [rows('N', 2, 4), ...scale], {}, { outputs: 3 }), answer);
  assert.equal(follow('LayerNormalization', [rows(2, 'N', 4), fixed(4)], { axis: 2 }), 'rows@1 [2, rows, 4]');
  assert.equal(follow('RMSNormalization', [rows('N', 2, 4), fixed(2, 4)], { axis: 1 }), 'rows@0 [rows, 2, 4]');
  assert.match(String(follow('LayerNormalization', [rows(2, 'N', 4), ...scale], { axis: 1 })), /^mixed: it normalises/);
  assert.match(String(follow('LayerNormalization', [rows('N', 4), ...scale], { axis: -2 })), /^mixed: it normalises/);
  assert.match(String(follow('RMSNormalization', [rows('N', 4), fixed(3, 4)])), /^mixed: /);
  assert.match(String(follow('RMSNormalization', [fixed(1, 4), rows('N', 4)])), /^mixed: /);
  assert.match(String(follow('RMSNormalization', [rows('N', 4), rows('N', 1, 4)])), /^mixed: /);
});

test('a normalisation by mean and variance reads its axes', () => {
  assert.match(String(follow('MeanVarianceNormalization', [rows('N', 3, 4, 4)])), /^mixed: /);
  assert.equal(follow('MeanVarianceNormalization', [rows('N', 3, 4, 4)], { axes: [2, 3] }), 'rows@0 [rows, 3, 4, 4]');
  assert.match(String(follow('MeanVarianceNormalization', [rows('N', 3, 4, 4)], { axes: [-4] })), /^mixed: /);
  assert.match(String(follow('MeanVarianceNormalization', [rows('N', 3, 4, 4)], {}, { version: 1 })), /^unknown: /);
});

test('a normalisation of neighbouring channels keeps rows along other axes', () => {
  assert.equal(follow('LRN', [rows('N', 3, 4, 4)], { size: 3 }), 'rows@0 [rows, 3, 4, 4]');
  assert.match(String(follow('LRN', [rows(1, 'N', 4, 4)], { size: 3 })), /^mixed: /);
});
