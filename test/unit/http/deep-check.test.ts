import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { DeepCheck, type Verdict } from '../../../server/http/deep-check.ts';
import { FakeScorer, served } from '../../http/fake-scorer.ts';
import { LogLines } from '../../set-up/log-lines.ts';

/** A check whose time a test sets. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { now: 5000 };
  t.mock.method(performance, 'now', () => clock.now);
  const scorer = new FakeScorer();
  scorer.served = { ...served, checks: true };
  const { log, lines } = new LogLines();
  const check = new DeepCheck(scorer, log);
  const next = (): Promise<Verdict> => {
    clock.now += 1000;
    return check.verdict();
  };
  return { scorer, lines, check, clock, next };
}

test('all that ask share one run, and at most one begins each second', async (t) => {
  const { scorer, check, clock } = start(t);
  const { promise, resolve } = Promise.withResolvers<object>();
  scorer.outcome = () => promise;
  const many = Array.from({ length: 1000 }, () => check.verdict());
  clock.now += 3000;
  many.push(check.verdict());
  resolve({});
  assert.deepEqual(new Set((await Promise.all(many)).map((verdict) => JSON.stringify(verdict))), new Set(['{"ms":3000}']));
  scorer.outcome = () => ({});
  for (const later of [1000, 1999, 2000, 2999]) {
    clock.now = 8000 + later;
    assert.ok('ms' in (await check.verdict()));
  }
  assert.equal(scorer.requests.length, 3);
  const [request] = scorer.requests;
  assert.deepEqual([request?.protocol, request?.url, request?.id, request?.bodyBytes], ['sample', '/score', 'deep-check', 0]);
  assert.equal(request?.traceparent, undefined);
  assert.equal(scorer.reserved, 0);
});

test('a failure is its code, never its text; the log has one line when the verdict changes', async (t) => {
  const { scorer, lines, next } = start(t);
  const outcomes: [ReturnType<FakeScorer['outcome']>, string][] = [
    [{}, ''],
    [new ServerError('run_failed', 'a secret of the script'), 'run_failed'],
    [new ServerError('run_failed', 'a secret of the script'), 'run_failed'],
    [new ServerError('worker_lost', 'gone'), 'worker_lost'],
    [{ status: 422, body: Buffer.from('a secret of the script') }, 'status 422'],
    [{ status: 500 }, 'status 500'],
    [{ status: 302 }, ''],
    [{}, ''],
    [new ServerError('bad_json', 'odd'), 'bad_json'],
  ];
  for (const [outcome, code] of outcomes) {
    scorer.outcome = () => outcome;
    const verdict = await next();
    if (code === '') assert.ok('ms' in verdict);
    else assert.deepEqual(verdict, { reason: `the deep check failed: ${code}` });
  }
  assert.deepEqual(
    lines.map(({ level, code, worker }) => [level, code, worker]),
    [
      ['warn', 'run_failed', 7],
      ['warn', 'worker_lost', 7],
      ['warn', 'status 422', 1],
      ['warn', 'status 500', 1],
      ['info', undefined, 1],
      ['warn', 'bad_json', 7],
    ],
  );
  assert.match(lines[0]?.msg ?? '', /a secret of the script/);
});

test('a refusal of the queue is the verdict', async (t) => {
  const { scorer, next } = start(t);
  for (const code of ['queue_full', 'not_ready', 'stopping'] as const) {
    scorer.refuseAdmit = new ServerError(code, 'no');
    assert.deepEqual(await next(), { reason: `the deep check failed: ${code}` });
  }
  assert.equal(scorer.requests.length, 0);
});

test('a check ends after ten seconds, and no other begins while its run goes on', async (t) => {
  const { scorer, next } = start(t);
  scorer.outcome = () => new Promise(() => undefined);
  let held = true;
  const score = scorer.score.bind(scorer);
  t.mock.method(scorer, 'score', (request: Parameters<typeof score>[0]) =>
    Object.defineProperty(score(request), 'held', { get: () => held }),
  );
  const checked = next();
  t.mock.timers.tick(9999);
  assert.equal(scorer.cancelled, 0);
  t.mock.timers.tick(1);
  assert.deepEqual([await checked, scorer.cancelled], [{ reason: 'the deep check failed: deadline_exceeded' }, 1]);
  assert.deepEqual(await next(), { reason: 'the deep check failed: deadline_exceeded' });
  assert.equal(scorer.requests.length, 1);
  held = false;
  scorer.outcome = () => ({});
  assert.ok('ms' in (await next()));
});

test('the first chunk of a stream is enough, and the rest is not read', async (t) => {
  const { scorer, next } = start(t);
  for (const breaks of [false, true]) {
    const body = new Readable({ read: () => undefined, destroy: (_error, done) => done(breaks ? new Error('broken') : null) });
    scorer.outcome = () => ({ body });
    assert.ok('ms' in (await next()));
    assert.ok(body.destroyed);
  }
});

test('without a sample nothing is scored', async (t) => {
  const { scorer, next } = start(t);
  for (const known of [undefined, served, { ...served, checks: false }]) {
    scorer.served = known;
    const verdict = await next();
    assert.match('reason' in verdict ? verdict.reason : '', /^the deep check has no sample: give the entry script a `sample`/);
  }
  assert.deepEqual(scorer.calls, []);
});
