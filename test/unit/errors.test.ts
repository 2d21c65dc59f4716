import assert from 'node:assert/strict';
import test from 'node:test';
import { describeThrown, failures, ScoringError, ServerError, toServerError, type ErrorCode } from '../../server/errors.ts';

test('every failure reaches a client, ends the process, or both, and says when', () => {
  for (const [code, failure] of Object.entries(failures)) {
    assert.ok(failure.status !== undefined || failure.exitCode !== undefined, code);
    assert.ok(failure.doc.length > 10, code);
  }
});

test('what users, operators and the server do wrong is never told to clients in the words of somebody else', () => {
  for (const code of ['run_failed', 'result_not_json', 'internal'] satisfies ErrorCode[]) {
    assert.ok(!new ServerError(code, 'a secret').clientMessage.includes('secret'));
  }
});

test('whatever is thrown becomes one error, with the thrown value as its cause', () => {
  const own = new ServerError('bad_json', 'x');
  assert.equal(toServerError(own), own);
  for (const thrown of [new TypeError('t'), 'text', 7, null, undefined, { a: 1 }, Symbol('s'), () => 1]) {
    const error = toServerError(thrown, 'run_failed');
    assert.deepEqual([error.code, error.cause], ['run_failed', thrown]);
    assert.ok(describeThrown(thrown).length > 0);
  }
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  assert.equal(describeThrown(circular), 'a thrown object');
});

test('a ScoringError has a status that means an error', () => {
  assert.equal(new ScoringError(422, 'm').status, 422);
  for (const status of [200, 399, 600, 400.5, Number.NaN]) assert.throws(() => new ScoringError(status, 'm'), RangeError);
});
