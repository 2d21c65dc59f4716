import assert from 'node:assert/strict';
import test from 'node:test';
import type { Tracked } from '../../../../server/inference/rows/value.ts';
import { fixed, follow as followAny, known, rows } from './follow-operator.ts';

/** Version 3 is the most common one. */
const follow = (operator: string, inputs: Tracked[], attributes = {}, version = 3): string | string[] =>
  followAny(operator, inputs, attributes, { domain: 'ai.onnx.ml', version });

const trees = { classlabels_int64s: [0, 1, 2], n_targets: 2 };
const linear = { intercepts: [1, 2, 3], classlabels_ints: [0, 1, 2], targets: 2 };
const vectors = { classlabels_ints: [0, 1, 2, 3], vectors_per_class: [1, 1, 1, 1] };

test('a classifier gives a label and scores for each row of a table', () => {
  assert.deepEqual(follow('TreeEnsembleClassifier', [rows('N', 4)], trees), ['rows@0 [rows]', 'rows@0 [rows, 3]']);
  assert.deepEqual(follow('TreeEnsembleClassifier', [rows('N', 's')], { classlabels_strings: ['a', 'b'] }, 1)[1], 'rows@0 [rows, 2]');
  assert.deepEqual(follow('LinearClassifier', [rows('N', 4)], linear, 1), ['rows@0 [rows]', 'rows@0 [rows, 3]']);
  assert.deepEqual(follow('SVMClassifier', [rows('8N', 4)], vectors, 1)[0], 'rows@0 (1 x rows x 8) [8*rows]');
});

test('a classifier has as many scores as ONNX Runtime gives', () => {
  const scores = (operator: string, attributes: object): string | undefined => follow(operator, [rows('N', 4)], attributes)[1];
  assert.equal(scores('LinearClassifier', { intercepts: [1], classlabels_strings: ['a', 'b'] }), 'rows@0 [rows, 2]');
  assert.equal(scores('LinearClassifier', { intercepts: [1], classlabels_ints: [5] }), 'rows@0 [rows, 1]');
  assert.equal(scores('SVMClassifier', vectors), 'rows@0 [rows, 6]');
  assert.equal(scores('SVMClassifier', { ...vectors, prob_a: [1], prob_b: [1] }), 'rows@0 [rows, 4]');
  assert.equal(scores('SVMClassifier', { classlabels_ints: [0, 1], vectors_per_class: [1, 1] }), 'rows@0 [rows, 2]');
  assert.equal(scores('SVMClassifier', { classlabels_strings: ['a', 'b', 'c'] }), 'rows@0 [rows, 3]');
  assert.match(String(follow('TreeEnsembleClassifier', [rows('N', 4)])), /^unknown: /);
});

test('a regressor gives targets for each row of a table', () => {
  assert.equal(follow('TreeEnsembleRegressor', [rows('N', 4)], trees), 'rows@0 [rows, 2]');
  assert.equal(follow('TreeEnsemble', [rows('N', 4)], trees, 5), 'rows@0 [rows, 2]');
  assert.equal(follow('LinearRegressor', [rows('N', 4)], linear), 'rows@0 [rows, 2]');
  assert.equal(follow('LinearRegressor', [rows('N', 4)]), 'rows@0 [rows, 1]');
  assert.equal(follow('SVMRegressor', [rows('N', 4)]), 'rows@0 [rows, 1]');
  assert.match(String(follow('TreeEnsemble', [rows('N', 4)], {}, 5)), /^unknown: /);
});

test('one axis is one row, and features are no place for rows', () => {
  const operators = 'TreeEnsembleClassifier TreeEnsembleRegressor LinearRegressor SVMClassifier SVMRegressor Normalizer';
  for (const operator of operators.split(' ')) {
    const attributes = { ...trees, ...vectors };
    assert.match(String(follow(operator, [rows('N')], attributes)), /^mixed: /, operator);
    assert.match(String(follow(operator, [rows(1, 'N')], attributes)), /^mixed: /, operator);
    assert.match(String(follow(operator, [rows('N', 1, 4)], attributes)), /^unknown: /, operator);
  }
  assert.equal(follow('SVMRegressor', [fixed(4)]), 'constant [1, 1]');
  assert.match(String(follow('Normalizer', [fixed('N')])), /^mixed: /);
});

test('a normalizer keeps rows of a table', () => {
  assert.equal(follow('Normalizer', [rows('N', 4)], { norm: 'L2' }), 'rows@0 [rows, 4]');
});

test('numbers for each feature depend on the place along the second axis', () => {
  for (const [operator, one, several] of [
    ['Scaler', { scale: [2], offset: [0] }, { scale: [1, 2], offset: [0, 0] }],
    ['Imputer', { imputed_value_floats: [0] }, { imputed_value_int64s: [0, 1] }],
  ] as const) {
    assert.equal(follow(operator, [rows('N', 2)], several), 'rows@0 [rows, 2]');
    assert.equal(follow(operator, [rows('N', 2, 3)], several), 'rows@0 [rows, 2, 3]');
    assert.match(String(follow(operator, [rows('N')], several)), /^mixed: /);
    assert.match(String(follow(operator, [rows(1, 'N')], several)), /^mixed: /);
    assert.match(String(follow(operator, [rows(1, 3, 'N')], several)), /^mixed: /);
    assert.match(String(follow(operator, [fixed('N')], several)), /^mixed: /);
    assert.equal(follow(operator, [rows('N')], one), 'rows@0 [rows]');
    assert.equal(follow(operator, [rows(1, 'N')], one), 'rows@1 [1, rows]');
  }
});

test('encoders work entry by entry', () => {
  for (const version of [1, 2, 4]) assert.equal(follow('LabelEncoder', [rows('N', 2)], {}, version), 'rows@0 [rows, 2]');
  assert.equal(follow('CategoryMapper', [rows('N')]), 'rows@0 [rows]');
  assert.equal(follow('Binarizer', [rows(2, 'N')]), 'rows@1 [2, rows]');
  assert.equal(follow('ZipMap', [rows('N', 2)]), 'rows@0 [rows, 2]');
  assert.equal(follow('OneHotEncoder', [rows('N', 2)], { cats_int64s: [1, 2, 3] }), 'rows@0 [rows, 2, 3]');
  assert.equal(follow('OneHotEncoder', [rows('N')], { cats_strings: ['a'] }), 'rows@0 [rows, 1]');
  assert.match(String(follow('OneHotEncoder', [rows('N')])), /^unknown: /);
  assert.equal(follow('DictVectorizer', [rows('N')]), 'no rule');
});

test('an entry size that counts rows is no entry of a row', () => {
  assert.match(String(follow('LabelEncoder', [known('N', 2)])), /^mixed: /);
  assert.match(String(follow('Scaler', [known('N', 2)], { scale: [1], offset: [0] })), /^mixed: /);
});

test('an extractor picks features of each row, or constants by rows', () => {
  assert.equal(follow('ArrayFeatureExtractor', [rows('N', 4), known(2, 0)]), 'rows@0 [rows, 2]');
  assert.equal(follow('ArrayFeatureExtractor', [rows('N', 3, 4), fixed(1, 2)]), 'rows@0 [rows, 3, 2]');
  assert.equal(follow('ArrayFeatureExtractor', [fixed(3), rows('N')]), 'rows@1 [1, rows]');
  assert.equal(follow('ArrayFeatureExtractor', [fixed(2, 3), rows('N', 5)]), 'rows@1 (1 x rows x 5) [2, 5*rows]');
  assert.equal(follow('ArrayFeatureExtractor', [fixed(3), rows(2, 'N')]), 'rows@1 (2 x rows x 1) [1, 2*rows]');
});

test('an extractor that picks among rows mixes them', () => {
  assert.match(String(follow('ArrayFeatureExtractor', [rows('N'), known(0)])), /^mixed: /);
  assert.match(String(follow('ArrayFeatureExtractor', [rows(2, 'N'), known(0)])), /^mixed: /);
  assert.match(String(follow('ArrayFeatureExtractor', [rows('N', 4), rows('N')])), /^mixed: /);
  assert.match(String(follow('ArrayFeatureExtractor', [rows('N', 4), fixed('N')])), /^mixed: /);
  assert.match(String(follow('ArrayFeatureExtractor', [fixed('N', 4), rows('N')])), /^mixed: /);
});

test('features of several tables are joined row by row', () => {
  const sizes = { inputdimensions: [2, 1] };
  assert.equal(follow('FeatureVectorizer', [rows('N', 2), rows('N', 1)], sizes), 'rows@0 [rows, 3]');
  assert.equal(follow('FeatureVectorizer', [rows('N', 2, 4), rows('N', 1)], sizes), 'rows@0 [rows, 3]');
  assert.match(String(follow('FeatureVectorizer', [rows('N'), rows('N')], sizes)), /^mixed: /);
  assert.match(String(follow('FeatureVectorizer', [rows('N', 2), fixed(1, 1)], sizes)), /^mixed: /);
  assert.match(String(follow('FeatureVectorizer', [fixed(1, 1), rows('N', 2)], sizes)), /^mixed: /);
  assert.match(String(follow('FeatureVectorizer', [rows('N', 2), rows(1, 'N')], sizes)), /^mixed: /);
  assert.match(String(follow('FeatureVectorizer', [rows('N', 2), rows('2N', 1)], sizes)), /^mixed: /);
});
