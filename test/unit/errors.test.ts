import assert from 'node:assert/strict';
import test from 'node:test';
import {
  asServerError,
  describeThrown,
  failures,
  ScoringError,
  ServerError,
  stackOfThrown,
  toServerError,
  type ErrorCode,
} from '../../server/errors.ts';

test('every failure reaches a client, ends the process, or both, and says when', () => {
  for (const [code, failure] of Object.entries(failures)) {
    assert.ok(failure.status !== undefined || failure.exitCode !== undefined, code);
    assert.ok(failure.doc.length > 10, code);
  }
});

test('what users, operators and the server do wrong is never told to clients in the words of somebody else', () => {
  for (const code of ['run_failed', 'result_not_json', 'result_not_http', 'internal'] satisfies ErrorCode[]) {
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

test('a value whose every look throws is described all the same, in a bounded text', () => {
  const trap = (): never => {
    throw new Error('a trap');
  };
  const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, trap]));
  const odd = (name: string, descriptor: PropertyDescriptor): Error => Object.defineProperty(new Error('odd'), name, descriptor);
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const cases: [thrown: unknown, described: RegExp][] = [
    [new Proxy({}, traps), /^a thrown object$/],
    [new Proxy(new Error('x'), { get: trap }), /cannot be read/],
    [revoked.proxy, /^a thrown object$/],
    [odd('message', { get: trap }), /^Error: \(cannot be read\)$/],
    [odd('message', { value: Symbol('m') }), /^Error: Symbol\(m\)$/],
    [odd('message', { value: 'x'.repeat(1_000_000) }), /x\.\.\. \(1000007 characters\)$/],
    [10n, /^a thrown bigint: 10$/],
    [Object.create(null), /^a thrown object: \{\}$/],
  ];
  for (const [thrown, described] of cases) {
    assert.match(describeThrown(thrown), described);
    assert.ok(stackOfThrown(thrown).length < 20_000);
    assert.equal(toServerError(thrown, 'run_failed').code, 'run_failed');
  }
  assert.match(stackOfThrown(odd('stack', { get: trap })), /^Error: odd$/);
});

test('an error of ours to which a script gave a code of its own is not ours any more', () => {
  const changed = Object.assign(new ServerError('bad_json', 'x'), { code: 'MY_CODE' });
  assert.equal(asServerError(changed), undefined);
  assert.equal(toServerError(changed, 'run_failed').code, 'run_failed');
});
