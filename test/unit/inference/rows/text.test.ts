import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

test('texts are compared and joined entry by entry', () => {
  assert.equal(follow('RegexFullMatch', [rows('N', 2)], { pattern: 'a.*' }), 'rows@0 [rows, 2]');
  assert.equal(follow('StringConcat', [rows('N', 2), fixed(1)]), 'rows@0 [rows, 2]');
  assert.match(String(follow('StringConcat', [rows('N', 1), rows('N')])), /^mixed: /);
  assert.equal(follow('MurmurHash3', [rows('N', 2)], {}, { domain: 'com.microsoft', version: 1 }), 'rows@0 [rows, 2]');
});

test('a change of case keeps rows, and stop words drop them', () => {
  assert.equal(follow('StringNormalizer', [rows('N')], { case_change_action: 'LOWER' }), 'rows@0 [rows]');
  assert.equal(follow('StringNormalizer', [rows(1, 'N')]), 'rows@1 [1, rows]');
  assert.match(String(follow('StringNormalizer', [rows('N')], { stopwords: ['a'] })), /^mixed: /);
  assert.match(String(follow('StringNormalizer', [rows(1, 'N')], { stopwords: ['a'] })), /^mixed: /);
  assert.match(String(follow('StringNormalizer', [rows('N', 1)])), /^mixed: /);
  assert.equal(follow('StringNormalizer', [fixed(3)], { stopwords: ['a'] }), 'constant [?]');
  assert.equal(follow('StringNormalizer', [fixed(3)]), 'constant [3]');
});

test('parts of a text are padded to the most parts of any row, and their counts are not', () => {
  const [parts, counts] = follow('StringSplit', [rows('N', 2)], { delimiter: ',' }, { outputs: 2 });
  assert.match(String(parts), /^mixed: /);
  assert.equal(counts, 'rows@0 [rows, 2]');
  const tokenized = follow('Tokenizer', [rows('N')], {}, { domain: 'com.microsoft', version: 1 });
  assert.match(String(tokenized), /^unknown: /);
});

test('n-grams are counted for each row of two axes', () => {
  const grams = { ngram_indexes: [0, 5, 2] };
  assert.equal(follow('TfIdfVectorizer', [rows('N', 7)], grams), 'rows@0 [rows, 6]');
  assert.equal(follow('TfIdfVectorizer', [rows('Ns', 7)], grams), 'rows@0 (1 x rows x s) [rows*s, 6]');
  assert.equal(follow('TfIdfVectorizer', [fixed(7)], grams), 'constant [6]');
  assert.match(String(follow('TfIdfVectorizer', [rows('N')], grams)), /^mixed: /);
  assert.match(String(follow('TfIdfVectorizer', [rows(1, 'N')], grams)), /^mixed: /);
  assert.match(String(follow('TfIdfVectorizer', [rows('N', 1, 7)], grams)), /^unknown: /);
  assert.match(String(follow('TfIdfVectorizer', [rows('N', 7)])), /^unknown: /);
});
