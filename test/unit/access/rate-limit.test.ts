import assert from 'node:assert/strict';
import test from 'node:test';
import { RateLimit } from '../../../server/access/rate-limit.ts';

/** A limit whose clock the test moves. */
class Clocked {
  nowMs = 1000;
  readonly limit: RateLimit;

  constructor(perSecond: number, burst = 0) {
    this.limit = new RateLimit({ perSecond, burst }, () => this.nowMs);
  }

  /** How many of these requests pass now. */
  pass(times: number, name = 'a'): number {
    let passed = 0;
    for (let at = 0; at < times; at++)
      try {
        this.limit.take(name);
        passed++;
      } catch {
        // It has no more room.
      }
    return passed;
  }
}

test('a burst passes at once, and the rate after that', () => {
  for (const [perSecond, burst, first] of [
    [10, 0, 10],
    [10, 3, 3],
    [10, 50, 50],
    [2.5, 0, 2],
  ] as const) {
    const clocked = new Clocked(perSecond, burst);
    assert.equal(clocked.pass(100), first);
    clocked.nowMs += 10_000 / perSecond;
    assert.equal(clocked.pass(100), Math.min(first, 10));
    clocked.nowMs += 1e9;
    assert.equal(clocked.pass(100), first, 'a pause saves no more than a burst');
  }
});

test('a rate below one a second lets one request pass, and names the wait in whole seconds', () => {
  const clocked = new Clocked(0.2);
  assert.equal(clocked.pass(3), 1);
  for (const [afterMs, retryAfter] of [
    [0, 5],
    [1, 5],
    [3999, 1],
    [999, 1],
  ] as const) {
    clocked.nowMs += afterMs;
    assert.throws(() => clocked.limit.take('a'), {
      code: 'rate_limited',
      retryAfter,
      message: `Too many requests: expected at most 0.2 a second of one client. Retry in ${retryAfter} s.`,
    });
  }
  clocked.nowMs += 1;
  assert.equal(clocked.pass(1), 1);
});

test('refused requests cost nothing, so that a client that never waits gets the same rate', () => {
  const clocked = new Clocked(10, 1);
  let passed = 0;
  for (let ms = 0; ms < 10_000; ms++, clocked.nowMs++) passed += clocked.pass(2);
  assert.equal(passed, 100);
});

test('names have buckets of their own', () => {
  const clocked = new Clocked(5);
  assert.equal(clocked.pass(9, 'a'), 5);
  assert.equal(clocked.pass(9, 'b'), 5);
});

test('a flood of names takes bounded memory, and no name that has spent its rate is forgotten', () => {
  const clocked = new Clocked(1, 10);
  assert.equal(clocked.pass(20, 'attacker'), 10);
  for (let at = 0; at < 50_000; at++) {
    if (at % 1000 === 0) assert.equal(clocked.pass(1, 'attacker'), 0, `${at}`);
    clocked.limit.take(`flood ${at}`);
    assert.ok(clocked.limit.size <= 10_000);
  }
  assert.equal(clocked.pass(1, 'attacker'), 0);
});

test('a flood of names that all have spent their rate takes bounded memory, too', () => {
  const clocked = new Clocked(1, 1);
  for (let at = 0; at < 30_000; at++) clocked.limit.take(`flood ${at}`);
  assert.ok(clocked.limit.size <= 10_000);
});

test('buckets that are full again are forgotten first', () => {
  const clocked = new Clocked(1, 2);
  for (let at = 0; at < 9_999; at++) clocked.limit.take(`old ${at}`);
  clocked.nowMs += 1000;
  clocked.limit.take('recent');
  clocked.limit.take('newest');
  assert.equal(clocked.limit.size, 2);
});
