import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow as followed, rows, scalar } from './follow-operator.ts';

const follow = (operator: string, inputs: Given[1], attributes: Given[2] = {}, outputs = 1): string | string[] =>
  followed(operator, inputs, attributes, { domain: 'com.microsoft', outputs });

type Given = Parameters<typeof followed>;
const [data, heads] = [rows('N', 's', 12), { num_heads: 4 }];

test('a bias along the last axis keeps rows', () => {
  for (const operator of ['BiasGelu', 'FastGelu', 'BiasAdd']) assert.equal(follow(operator, [data, fixed(12)]), 'rows@0 [rows, s, 12]');
  assert.equal(follow('QuickGelu', [data]), 'rows@0 [rows, s, 12]');
  assert.equal(follow('BiasSplitGelu', [data, fixed(12)]), 'rows@0 [rows, s, 6]');
  assert.match(String(follow('BiasGelu', [rows(4, 'N'), fixed(12)])), /^mixed: /);
  assert.match(String(follow('BiasSplitGelu', [rows(4, 2, 'N'), fixed(12)])), /^mixed: /);
});

test('matrices may be turned before they are multiplied', () => {
  assert.equal(follow('FusedMatMul', [data, fixed(5, 12)], { transB: 1 }), 'rows@0 [rows, s, 5]');
  assert.equal(follow('TransposeMatMul', [rows(3, 'N'), fixed(3, 5)], { transA: 1 }), 'rows@0 [rows, 5]');
  assert.equal(follow('FusedGemm', [rows('N', 3), fixed(3, 5), fixed(5)]), 'rows@0 [rows, 5]');
  assert.match(String(follow('FusedMatMul', [rows('N', 3), fixed(3, 5)], { transA: 1 })), /^mixed: /);
  assert.match(String(follow('FusedMatMul', [rows('N'), fixed(3, 5)], { transA: 1 })), /^mixed: /);
  assert.equal(follow('FusedMatMul', [rows('N', 3), fixed(3)], { transB: 1 }), 'rows@0 [rows]');
  assert.match(String(follow('Inverse', [rows('N', 3)])), /^mixed: /);
  assert.equal(follow('CDist', [rows('N', 3), fixed(7, 3)]), 'rows@0 [rows, 7]');
  assert.match(String(follow('CDist', [rows('N', 3), rows('N', 3)])), /^mixed: /);
});

test('the first axis of a stack may move behind the other ones', () => {
  const batchA = { transBatchA: 1 };
  assert.equal(follow('FusedMatMul', [rows(2, 'N', 3), fixed(3, 4)], batchA), 'rows@0 [rows, 2, 4]');
  assert.equal(follow('FusedMatMul', [rows('N', 2, 3), fixed(3, 4)], batchA), 'rows@1 [2, rows, 4]');
  const all = { transA: 1, transBatchA: 1, transB: 1, transBatchB: 1 };
  assert.equal(follow('FusedMatMul', [rows(3, 'N', 2), rows(4, 'N', 3)], all), 'rows@0 [rows, 2, 4]');
  assert.match(String(follow('FusedMatMul', [rows('N', 2, 3), fixed(3, 4)], { ...batchA, transA: 1 })), /^mixed: /);
});

test('packed weights name their sizes', () => {
  const sizes = { K: 12, N: 5 };
  assert.equal(follow('MatMulNBits', [data, fixed(5, 1, 8), fixed(5)], sizes), 'rows@0 [rows, s, 5]');
  assert.match(String(follow('MatMulNBits', [rows(2, 'N'), fixed(5, 1, 8), fixed(5)], sizes)), /^mixed: /);
  assert.match(String(follow('MatMulNBits', [data, fixed(5, 1, 8), rows('N')], sizes)), /^mixed: /);
  assert.match(String(follow('MatMulBnb4', [data, fixed(40), fixed(5)], { ...sizes, transB: 0 })), /^unknown: /);
});

test('a fused convolution adds the same rows only', () => {
  const [image, weights] = [rows('N', 3, 8, 8), fixed(4, 3, 1, 1)];
  assert.equal(follow('FusedConv', [image, weights, fixed(4), rows('N', 4, 8, 8)]), 'rows@0 [rows, 4, 8, 8]');
  assert.match(String(follow('FusedConv', [image, weights, fixed(4), fixed(1, 4, 8, 8)])), /^mixed: /);
  assert.equal(follow('NhwcConv', [rows('N', 8, 8, 3), fixed(4, 3, 3, 3)]), 'rows@0 [rows, 6, 6, 4]');
  assert.match(String(follow('NhwcConv', [rows(1, 8, 8, 'N'), fixed(4, 3, 3, 3)])), /^mixed: /);
});

test('channels in blocks stay in their image', () => {
  const blocked = (operator: string, inputs: Given[1], attributes = {}): string =>
    String(followed(operator, inputs, attributes, { domain: 'com.microsoft.nchwc' }));
  assert.equal(blocked('Conv', [rows('N', 3, 8, 8), fixed(16, 3, 3, 3), fixed(16)]), 'rows@0 [rows, 16, 6, 6]');
  assert.match(blocked('Conv', [rows(1, 'N', 8, 8), fixed(16, 3, 3, 3)]), /^mixed: /);
  assert.equal(blocked('ReorderOutput', [rows('N', 16, 6, 6)], { channels: 4 }), 'rows@0 [rows, 4, 6, 6]');
  assert.equal(blocked('ReorderOutput', [rows('N', 16, 6, 5)], { channels: 4, channels_last: 1 }), 'rows@0 [rows, 6, 5, 4]');
  assert.match(blocked('ReorderOutput', [rows(1, 'N', 6, 6)], { channels: 4 }), /^mixed: /);
  assert.match(blocked('ReorderOutput', [rows(1, 16, 'N', 6)], { channels: 4 }), /^mixed: /);
  assert.match(blocked('ReorderOutput', [rows('N', 16, 6, 6)]), /^unknown: /);
});

test('a sum is normalised along its last axis', () => {
  const four = follow('SkipLayerNormalization', [data, data, fixed(12), fixed(12), fixed(12)], {}, 4);
  assert.deepEqual([four[0], four[3]], ['rows@0 [rows, s, 12]', 'rows@0 [rows, s, 12]']);
  assert.match(String(four[1]), /^unknown: /);
  assert.deepEqual(follow('SkipSimplifiedLayerNormalization', [data, fixed('s', 12), fixed(12)]), ['rows@0 [rows, s, 12]']);
  assert.match(String(follow('SkipLayerNormalization', [fixed(1, 's', 12), data, fixed(12)])), /^mixed: /);
  assert.match(String(follow('SkipLayerNormalization', [rows(2, 's', 'N'), rows(2, 's', 'N'), fixed(12)])), /^mixed: /);
  assert.match(String(follow('SkipLayerNormalization', [data, data, rows('N')])), /^mixed: /);
});

test('a sum that starts a constant anew is normalised where ONNX Runtime compares sizes', () => {
  const sums = (one: Given[1][number], other: Given[1][number]): string => String(follow('SkipLayerNormalization', [one, other, fixed(4)]));
  assert.equal(sums(rows('N', 's', 4), rows('N', 't', 4)), 'rows@0 [rows, s, 4]');
  assert.equal(sums(rows('N', 's', 4), fixed(1, 's', 4)), 'rows@0 [rows, s, 4]');
  for (const constant of [fixed(1, 4), fixed(4)]) assert.match(sums(rows('N', 4), constant), /^mixed: /);
  assert.match(sums(rows(2, 'N', 4), fixed(2, 1, 4)), /^mixed: /);
  assert.match(sums(rows('N', 's', 4), rows('2N', 's', 4)), /^mixed: /);
  assert.match(sums(rows(2, 'N', 4), rows('N', 4)), /^unknown: /);
});

test('each item attends to its own steps', () => {
  const weights = fixed(12, 36);
  const past = { ...rows(2, 'N', 4, 'p', 3) };
  assert.equal(follow('Attention', [data, weights, fixed(36)], heads), 'rows@0 [rows, s, 12]');
  const two = follow('Attention', [data, weights, fixed(36), rows('N'), past], heads, 2);
  assert.deepEqual(two, ['rows@0 [rows, s, 12]', 'rows@1 [2, rows, 4, +(p,s), 3]']);
  assert.match(String(follow('Attention', [data, weights, fixed(36), fixed(1, 's')], heads)), /^mixed: /);
  assert.match(String(follow('Attention', [data, weights, fixed(36), rows('2N')], heads)), /^mixed: |^unknown: /);
  assert.match(String(follow('Attention', [data, weights, fixed(36), undefined, rows('N', 2, 4, 'p', 3)], heads)), /^mixed: /);
  assert.match(String(follow('Attention', [rows(1, 'N', 12), weights], heads)), /^mixed: /);
  assert.match(String(follow('Attention', [data, rows('N', 36)], heads)), /^mixed: /);
  const quantised = [data, weights, fixed(36), scalar(1), fixed(36), rows('N', 's'), scalar(0), fixed(36)];
  assert.equal(follow('QAttention', quantised, heads), 'rows@0 [rows, s, 12]');
  assert.match(String(follow('QAttention', quantised.with(3, rows('N')), heads)), /^mixed: /);
});

test('queries, keys and values belong to one item', () => {
  const three = follow('MultiHeadAttention', [data, rows('N', 'k', 12), rows('N', 'k', 8), fixed(32), rows('N', 'k')], heads, 3);
  assert.deepEqual(three, ['rows@0 [rows, s, 8]', 'rows@0 [rows, 4, k, 3]', 'rows@0 [rows, 4, k, 2]']);
  assert.equal(follow('MultiHeadAttention', [rows('N', 's', 4, 3, 5)], heads), 'rows@0 [rows, s, 20]');
  assert.match(String(follow('MultiHeadAttention', [data, fixed(1, 'k', 12), fixed(1, 'k', 12)], heads)), /^mixed: /);
  assert.equal(
    follow('MultiHeadAttention', [data, data, data, undefined, undefined, fixed(1, 4, 's', 's')], heads),
    'rows@0 [rows, s, 12]',
  );
  assert.match(String(follow('MultiHeadAttention', [data, data, data, undefined, undefined, fixed(2, 4, 's', 's')], heads)), /^mixed: /);
});

test('words, positions and groups stay in their item', () => {
  const [words, table] = [rows('N', 's'), fixed(99, 12)];
  const embedded = follow('EmbedLayerNormalization', [words, words, table, table, table, fixed(12), fixed(12), words], {}, 2);
  assert.deepEqual(embedded, ['rows@0 [rows, s, 12]', 'rows@0 [rows]']);
  assert.match(String(follow('EmbedLayerNormalization', [words, fixed(1, 's'), table, table, table, fixed(12), fixed(12)])), /^mixed: /);
  assert.equal(follow('RotaryEmbedding', [data, words, fixed(9, 6), fixed(9, 6)]), 'rows@0 [rows, s, 12]');
  assert.match(String(follow('RotaryEmbedding', [data, rows('N'), fixed(9, 6), fixed(9, 6)])), /^mixed: /);
  assert.match(String(follow('RotaryEmbedding', [data, words, fixed(9, 6), fixed(9, 6)], { is_packed_batching: 1 })), /^unknown: /);
  const image = rows('N', 4, 4, 12);
  assert.deepEqual(follow('GroupNorm', [image, fixed(12), fixed(12)]), ['rows@0 [rows, 4, 4, 12]']);
  assert.match(String(follow('SkipGroupNorm', [image, fixed(12), fixed(12), fixed(1, 12)])), /^mixed: /);
  assert.equal(follow('RelativePositionBias', [fixed(32, 4), scalar('s'), scalar('s')]), 'constant [1, 4, s, s]');
  assert.match(String(follow('RelativePositionBias', [fixed(32, 4), scalar('N'), scalar(1)])), /^mixed: /);
});

test('operators that pack items have no rule', () => {
  for (const operator of ['PackedAttention', 'GroupQueryAttention', 'MoE', 'RemovePadding'])
    assert.equal(follow(operator, [data]), 'no rule');
});
