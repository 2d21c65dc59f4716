import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

type Inputs = Parameters<typeof follow>[1];
const none = undefined;
const follows = (operator: string, inputs: Inputs, attributes = {}, outputs = 1): string =>
  String(follow(operator, inputs, attributes, { version: 1, domain: 'com.microsoft', outputs }));

test('a sum of two tensors is normalised along its last axis', () => {
  for (const operator of ['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']) {
    const skips = (data: Inputs[number], skip: Inputs[number]): string => follows(operator, [data, skip, fixed(4)]);
    assert.equal(skips(rows('N', 's', 4), rows('N', 't', 4)), 'rows@0 [rows, s, 4]');
    assert.equal(skips(rows('N', 4), rows('N', 4)), 'rows@0 [rows, 4]');
    for (const skip of [fixed(1, 's', 4), fixed('s', 4)]) assert.equal(skips(rows('N', 's', 4), skip), 'rows@0 [rows, s, 4]');
    for (const skip of [fixed(1, 4), fixed(4), rows(2, 'N')]) assert.match(skips(rows('N', 4), skip), /^mixed: /);
    assert.match(skips(rows(2, 'N', 4), fixed(2, 1, 4)), /^mixed: /);
    assert.match(skips(rows('N', 's', 4), rows('2N', 's', 4)), /^mixed: /);
    assert.match(skips(rows(1, 's', 'N'), rows(1, 's', 'N')), /^mixed: it normalises/);
    assert.match(skips(fixed(1, 2, 4), rows('N', 2, 4)), /^mixed: /);
    assert.match(skips(rows(2, 'N', 4), rows('N', 4)), /^unknown: /);
  }
  const sum = follow('SkipLayerNormalization', [rows('N', 2, 4), rows('N', 2, 4), fixed(4)], {}, { domain: 'com.microsoft', outputs: 4 });
  assert.deepEqual([sum[0], sum[3]], ['rows@0 [rows, 2, 4]', 'rows@0 [rows, 2, 4]']);
  assert.match(String(sum[1]), /^unknown: /);
  assert.match(follows('SkipLayerNormalization', [rows('N', 4), rows('N', 4), rows('N')]), /^mixed: input 2/);
});

test('the normalisation that only ONNX Runtime knows keeps rows before its axis', () => {
  assert.equal(follow('SimplifiedLayerNormalization', [rows('N', 2, 4), fixed(4)]), 'rows@0 [rows, 2, 4]');
  assert.match(String(follow('SimplifiedLayerNormalization', [rows('N', 4), fixed(4)], { axis: 0 })), /^mixed: /);
});

test('vectors of words belong to the rows of words', () => {
  const tables = [fixed(9, 4), fixed(9, 4), fixed(2, 4), fixed(4), fixed(4)];
  const embeds = (words: Inputs[number], segments?: Inputs[number], ...others: Inputs): string =>
    follows('EmbedLayerNormalization', [words, segments, ...tables, ...others], {}, 3);
  const answer = 'rows@0 [rows, s, 4],rows@0 [rows],rows@0 [rows, s, 4]';
  assert.equal(embeds(rows('N', 's'), rows('N', 's'), rows('N', 's'), rows('N', 's')), answer);
  assert.equal(embeds(rows('N', 's'), none, none, fixed(1, 's')), answer);
  assert.match(embeds(rows('N', 's'), fixed(1, 's')), /^mixed: /);
  assert.match(embeds(rows('N', 's'), none, fixed(1, 's')), /^mixed: /);
  assert.match(embeds(rows('N', 's'), none, none, fixed(2, 's')), /^mixed: /);
  assert.match(embeds(fixed(1, 's'), none, none, rows('N', 's')), /^mixed: /);
  assert.match(embeds(rows(1, 'N')), /^mixed: /);
});

test('an attention with weights looks at the steps of one item', () => {
  const attends = (inputs: Inputs, attributes = {}): string =>
    follows('Attention', [inputs[0], fixed(6, 24), fixed(24), ...inputs.slice(1)], { num_heads: 2, ...attributes }, 2);
  const answer = 'rows@0 [rows, s, 8],rows@1 [2, rows, 2, s, 4]';
  for (const mask of [none, rows('N'), rows('N', 's'), rows('N', 's', 's'), rows('N', 1, 9, 9)])
    assert.equal(attends([rows('N', 's', 6), mask]), answer);
  assert.equal(attends([rows('N', 1, 6), none, rows(2, 'N', 2, 5, 4)]), 'rows@0 [rows, 1, 8],rows@1 [2, rows, 2, 6, 4]');
  for (const scores of [fixed(1, 2, 's', 's'), rows('N', 1, 's', 's')])
    assert.equal(attends([rows('N', 's', 6), none, none, scores]), answer);
  assert.match(attends([rows('N', 's', 6)], { qkv_hidden_sizes: [8, 8, 6] }), /^rows@0 \[rows, s, 6\]/);
  for (const mask of [fixed(1), fixed(1, 's'), rows('2N'), rows(1, 'N')]) assert.match(attends([rows('N', 's', 6), mask]), /^mixed: /);
  assert.match(attends([rows('N', 1, 6), none, rows('N', 2, 2, 5, 4)]), /^mixed: /);
  assert.match(attends([rows('N', 1, 6), none, fixed(2, 1, 2, 5, 4)]), /^mixed: /);
  assert.match(attends([fixed(1, 1, 6), none, rows(2, 'N', 2, 5, 4)]), /^mixed: /);
  assert.match(attends([rows('N', 's', 6), none, none, rows('N', 's', 's')]), /^unknown: /);
  assert.match(attends([rows(1, 'N', 6)]), /^mixed: /);
  assert.match(attends([rows('N', 's', 6)], { past_present_share_buffer: 1 }), /^unknown: /);
  assert.match(attends([rows('N', 's', 6)], { do_rotary: 1 }), /^unknown: /);
});

test('an attention without weights looks at the keys of one item', () => {
  const attends = (inputs: Inputs, outputs = 4): string => follows('MultiHeadAttention', inputs, { num_heads: 2 }, outputs);
  const apart = [rows('N', 's', 8), rows('N', 't', 8), rows('N', 't', 6)];
  const answer = 'rows@0 [rows, s, 6],rows@0 [rows, 2, t, 4],rows@0 [rows, 2, t, 3],rows@0 [rows, 2, s, t]';
  for (const mask of [none, rows('N'), rows('N', 't'), rows('N', 's', 't')]) assert.equal(attends([...apart, fixed(22), mask]), answer);
  for (const scores of [fixed(1, 1, 's', 't'), rows('N', 2, 's', 't')]) assert.equal(attends([...apart, none, none, scores]), answer);
  const past = [rows('N', 2, 5, 4), rows('N', 2, 5, 3)];
  assert.match(attends([rows('N', 1, 8), rows('N', 1, 8), rows('N', 1, 6), none, none, none, ...past]), /rows@0 \[rows, 2, 6, 4\]/);
  assert.equal(attends([rows('N', 's', 2, 3, 4)], 1), 'rows@0 [rows, s, 8]');
  assert.equal(attends([rows('N', 's', 8), rows('N', 't', 2, 2, 4)], 1), 'rows@0 [rows, s, 8]');
  const keys = [rows('N', 2, 't', 4), rows('N', 2, 't', 3)];
  assert.equal(attends([rows('N', 's', 8), ...keys], 1), 'rows@0 [rows, s, 6]');
  assert.match(attends([rows('N', 's', 8), ...keys], 2), /^rows@0 \[rows, s, 6\],unknown: /);
  assert.match(attends([rows('N', 's', 8), fixed(1, 't', 8), fixed(1, 't', 8)]), /^mixed: /);
  assert.match(attends([rows(1, 'N', 8), rows(1, 'N', 8), rows(1, 'N', 8)]), /^mixed: /);
  for (const mask of [fixed(1, 't'), rows('3N'), fixed(1)]) assert.match(attends([...apart, none, mask]), /^mixed: /);
  assert.match(attends([...apart, none, none, fixed(2, 2, 's', 't')]), /^mixed: /);
  assert.match(attends([...apart, rows('N')]), /^mixed: input 3/);
  assert.match(attends([rows('N', 's', 24)]), /^unknown: /);
});

test('positions turn the steps of their own item', () => {
  const turns = (data: Inputs[number], positions: Inputs[number], attributes = {}): string =>
    follows('RotaryEmbedding', [data, positions, fixed(50, 4), fixed(50, 4)], attributes);
  assert.equal(turns(rows('N', 's', 16), rows('N', 's')), 'rows@0 [rows, s, 16]');
  assert.equal(turns(rows('N', 2, 's', 8), fixed(1)), 'rows@0 [rows, 2, s, 8]');
  assert.equal(turns(rows('N', 's', 24), fixed(1), { num_heads: 2, rotary_embedding_dim: 8 }), 'rows@0 [rows, s, 24]');
  assert.match(turns(rows('N', 's', 16), fixed(1, 's')), /^mixed: /);
  assert.match(turns(rows('N', 's', 16), rows('N')), /^mixed: /);
  assert.match(turns(rows(1, 'N', 16), fixed(1)), /^mixed: /);
  for (const attributes of [{ num_heads: 3 }, { is_packed_batching: 1 }, { rotary_embedding_dim: 8 }])
    assert.match(turns(rows('N', 's', 16), fixed(1), attributes), /^unknown: /);
  assert.match(turns(rows('N', 's', 20), fixed(1)), /^unknown: /);
  assert.match(turns(rows('N', 2, 's', 16), fixed(1)), /^unknown: /);
});
