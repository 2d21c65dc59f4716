import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

type Inputs = Parameters<typeof follow>[1];

const heads = { q_num_heads: 4, kv_num_heads: 2 };
const attends = (inputs: Inputs, attributes = {}): string | string[] =>
  follow('Attention', inputs, attributes, { version: 24, outputs: 4 });

test('each item attends to its own keys', () => {
  const apart = [rows('N', 4, 's', 8), rows('N', 2, 't', 8), rows('N', 2, 't', 6)];
  const answer = ['rows@0 [rows, 4, s, 6]', 'rows@0 [rows, 2, t, 8]', 'rows@0 [rows, 2, t, 6]', 'rows@0 [rows, 4, s, t]'];
  assert.deepEqual(attends(apart), answer);
  const flat = [rows('N', 's', 32), rows('N', 't', 16), rows('N', 't', 12)];
  assert.deepEqual(attends(flat, heads), ['rows@0 [rows, s, 24]', ...answer.slice(1)]);
});

test('keys of the past lengthen the keys', () => {
  const past = [undefined, rows('N', 2, 5, 8), rows('N', 2, 5, 8)];
  const answer = ['rows@0 [rows, 4, 1, 8]', 'rows@0 [rows, 2, 6, 8]', 'rows@0 [rows, 2, 6, 8]', 'rows@0 [rows, 4, 1, 6]'];
  assert.deepEqual(attends([rows('N', 4, 1, 8), rows('N', 2, 1, 8), rows('N', 2, 1, 8), ...past]), answer);
});

test('a mask is one for all items, or has their rows', () => {
  const inputs = [rows('N', 4, 5, 8), rows('N', 4, 5, 8), rows('N', 4, 5, 8)];
  for (const mask of [fixed(5, 5), fixed(1, 1, 5, 5), rows('N', 1, 5, 5), rows('N', 1, 1, 5)])
    assert.match(String(attends([...inputs, mask])), /^rows@0 \[rows, 4, 5, 8\]/);
  for (const mask of [fixed(2, 1, 5, 5), rows('N', 5, 5), rows('N', 5), rows('2N', 1, 5, 5)])
    assert.match(String(attends([...inputs, mask])), /^mixed: /);
});

test('attention to constants, to other rows, and of rows along another axis is mixed', () => {
  const item = rows('N', 4, 5, 8);
  assert.match(String(attends([item, fixed(1, 4, 5, 8), fixed(1, 4, 5, 8)])), /^mixed: /);
  assert.match(String(attends([fixed(1, 4, 5, 8), item, item])), /^mixed: /);
  assert.match(String(attends([rows(1, 'N', 5, 8), rows(1, 'N', 5, 8), rows(1, 'N', 5, 8)])), /^mixed: /);
  assert.match(String(attends([rows(1, 4, 'N', 8), rows(1, 4, 'N', 8), rows(1, 4, 'N', 8)])), /^mixed: /);
  assert.match(String(attends([item, item, rows('2N', 4, 5, 8)])), /^mixed: /);
  assert.match(String(attends([item, item, item, undefined, undefined, undefined, fixed(1)])), /^mixed: /);
  assert.match(String(attends([item, item, item, undefined, undefined, undefined, rows('N')])), /^rows@0 /);
  assert.match(String(attends([rows('N', 5, 32), rows('N', 5, 32), rows('N', 5, 32)])), /^unknown: /);
});

test('each item is turned by its own positions', () => {
  const turns = (...inputs: Inputs): string => String(follow('RotaryEmbedding', inputs, {}, { version: 23 }));
  const table = fixed(100, 4);
  assert.equal(turns(rows('N', 2, 's', 8), table, table, rows('N', 's')), 'rows@0 [rows, 2, s, 8]');
  assert.equal(turns(rows('N', 's', 16), rows('N', 's', 4), rows('N', 's', 4)), 'rows@0 [rows, s, 16]');
  assert.match(turns(rows('N', 2, 's', 8), table, table, fixed(1, 's')), /^mixed: /);
  assert.match(turns(rows('N', 2, 's', 8), table, rows('N', 4), rows('N', 's')), /^mixed: input 2/);
  assert.match(turns(rows('N', 's', 16), fixed(1, 's', 4), fixed(1, 's', 4)), /^mixed: /);
  assert.match(turns(rows(1, 'N', 's', 8), table, table, fixed(1, 's')), /^mixed: /);
});
