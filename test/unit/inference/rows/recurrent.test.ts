import assert from 'node:assert/strict';
import test from 'node:test';
import { fixed, follow, rows } from './follow-operator.ts';

/** A sequence of 5 steps with 3 entries, and parameters of one direction with 8 states. */
const sequence = [rows(5, 'N', 3), fixed(1, 32, 3), fixed(1, 32, 8)] as const;
const hidden = { hidden_size: 8 };
const outputs = { outputs: 3 };

test('a recurrent layer keeps the items of a batch apart', () => {
  const steps = 'rows@2 [5, 1, rows, 8]';
  const state = 'rows@1 [1, rows, 8]';
  assert.deepEqual(follow('LSTM', sequence, hidden, outputs), [steps, state, state]);
  assert.deepEqual(follow('GRU', sequence, {}, outputs), [steps, state]);
  assert.deepEqual(follow('RNN', [rows('s', 'N', 3), ...sequence.slice(1)], hidden, outputs), ['rows@2 [s, 1, rows, 8]', state]);
});

test('both directions have a state of their own', () => {
  const states = [fixed(2, 32, 3), fixed(2, 32, 8), undefined, undefined, rows(2, 'N', 8), rows(2, 'N', 8), fixed(2, 24)];
  const answer = ['rows@2 [5, 2, rows, 8]', 'rows@1 [2, rows, 8]', 'rows@1 [2, rows, 8]'];
  assert.deepEqual(follow('LSTM', [rows(5, 'N', 3), ...states], { ...hidden, direction: 'bidirectional' }, outputs), answer);
});

test('the layout decides where the items of a batch lie', () => {
  const answer = ['rows@0 [rows, 5, 1, 8]', 'rows@0 [rows, 1, 8]'];
  const inputs = [rows('N', 5, 3), ...sequence.slice(1), undefined, rows('N'), rows('N', 1, 8)];
  assert.deepEqual(follow('GRU', inputs, { ...hidden, layout: 1 }, outputs), answer);
  assert.match(String(follow('GRU', inputs, hidden)), /^mixed: its steps are rows/);
  assert.match(String(follow('GRU', sequence, { ...hidden, layout: 1 })), /^mixed: its steps are rows/);
});

test('lengths and states of other rows, or of constants, are mixed', () => {
  const follows = (...beside: Parameters<typeof follow>[1]): string => String(follow('LSTM', [...sequence, ...beside], hidden));
  assert.match(follows(undefined, rows('N')), /^rows@2 /);
  assert.match(follows(undefined, fixed(1)), /^mixed: input 4/);
  assert.match(follows(undefined, undefined, fixed(1, 1, 8)), /^mixed: input 5/);
  assert.match(follows(undefined, undefined, rows('N', 1, 8)), /^mixed: input 5/);
  assert.match(follows(undefined, undefined, undefined, rows(1, '2N', 8)), /^mixed: input 6/);
  assert.match(follows(undefined, undefined, undefined, undefined, rows('N', 24)), /^mixed: input 7/);
  assert.match(String(follow('LSTM', [fixed(5, 1, 3), ...sequence.slice(1), undefined, undefined, rows(1, 'N', 8)], hidden)), /^mixed: /);
  assert.match(String(follow('RNN', [rows(5, 2, 'N'), ...sequence.slice(1)], hidden)), /^mixed: its steps/);
  assert.match(String(follow('RNN', [sequence[0], rows('N', 8, 3), sequence[2]], hidden)), /^mixed: input 1/);
});
