import assert from 'node:assert/strict';
import test from 'node:test';
import { allows, isEnding, step, WorkerStateError, type WorkerEvent, type WorkerState } from '../../../server/scoring/worker-states.ts';

const EVENTS = ['ready', 'refuse', 'retire', 'end', 'exit'] as const satisfies readonly WorkerEvent[];

/** Each state's outcome of `EVENTS`, in their order; -: an error. */
const expected: Readonly<Record<WorkerState, readonly string[]>> = {
  starting: ['ready serve', 'refused fail', '-', 'aborted none', 'gone fail'],
  ready: ['-', '-', 'retiring replace', 'ended none', 'gone replaceLater'],
  retiring: ['-', '-', 'retiring none', 'retired none', 'gone count'],
  refused: ['-', '-', '-', 'refused none', 'gone none'],
  aborted: ['ended serve', 'refused fail', '-', 'aborted none', 'gone fail'],
  ended: ['-', '-', 'ended none', 'ended none', 'gone replaceLater'],
  retired: ['-', '-', 'retired none', 'retired none', 'gone count'],
  gone: ['-', '-', '-', 'gone none', '-'],
};
const STATES = ['starting', 'ready', 'retiring', 'refused', 'aborted', 'ended', 'retired', 'gone'] as const satisfies WorkerState[];

for (const state of STATES) {
  for (const [at, event] of EVENTS.entries()) {
    const outcome = expected[state][at];
    test(`a worker that is ${state}, at ${event}: ${outcome === '-' ? 'an error by name' : outcome}`, () => {
      assert.equal(allows(state, event), outcome !== '-');
      if (outcome !== '-') return assert.equal(step(state, event).join(' '), outcome);
      return assert.throws(
        () => step(state, event),
        (thrown) => thrown instanceof WorkerStateError && thrown.message.includes(`'${state}'`) && thrown.message.includes(`'${event}'`),
      );
    });
  }
}

test('every state but gone has a way to gone, and no step leads out of it', () => {
  for (const state of STATES) if (state !== 'gone') assert.equal(step(state, 'exit')[0], 'gone');
  assert.deepEqual(
    EVENTS.filter((event) => allows('gone', event)).map((event) => step('gone', event)[0]),
    ['gone'],
  );
});

test('a process is about to exit in four states', () =>
  assert.deepEqual(STATES.filter(isEnding), ['refused', 'aborted', 'ended', 'retired']));
