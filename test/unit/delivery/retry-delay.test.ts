import assert from 'node:assert/strict';
import test from 'node:test';
import { SINK_RETRIES } from '../../../server/collection/deliver/retry.ts';
import { statusError } from '../../../server/collection/deliver/sink.ts';
import { pause, readRetryAfter, retryDelay, type RetryPolicy } from '../../../server/delivery/retry-delay.ts';

const policy: RetryPolicy = { firstMs: 100, longestMs: 30_000, jitter: 0 };

test('each retry waits twice as long as the one before, up to the longest wait', () => {
  const attempts = [1, 2, 3, 9, 10, 5000];
  assert.deepEqual(
    attempts.map((attempt) => retryDelay(attempt, policy)),
    [100, 200, 400, 25_600, 30_000, 30_000],
  );
});

test('jitter takes at most its share off a wait', () => {
  const waits = [0, 0.5, 1].map((random) => retryDelay(3, { ...policy, jitter: 0.5 }, undefined, () => random));
  assert.deepEqual(waits, [400, 300, 200]);
});

test('a wait that the other side asks for extends or replaces the own one, and has a limit', () => {
  const wait = (askedMs: number, replaces: boolean): number =>
    retryDelay(4, { ...policy, asked: { longestMs: 5000, replaces } }, askedMs, () => 0);
  assert.deepEqual([wait(1000, false), wait(10, false), wait(60_000, false)], [1000, 800, 5000]);
  assert.deepEqual([wait(1000, true), wait(10, true), wait(60_000, true)], [1000, 10, 5000]);
  assert.equal(retryDelay(4, policy, 1000), 800);
});

test('a pause ends at its signal, also at one that was aborted before', async () => {
  const stop = new AbortController();
  const paused = pause(3_600_000, stop.signal);
  stop.abort();
  await paused;
  await pause(3_600_000, stop.signal);
  await pause(1, new AbortController().signal);
});

test('Retry-After is read in seconds and as a date; what is neither asks for nothing', () => {
  assert.equal(readRetryAfter('2'), 2000);
  const inTenSeconds = readRetryAfter(new Date(Date.now() + 10_000).toUTCString()) ?? 0;
  assert.ok(inTenSeconds > 8000 && inTenSeconds <= 10_000);
  for (const header of ['soon', '', '-1', new Date(0).toUTCString(), null, undefined]) assert.equal(readRetryAfter(header), undefined);
});

test('a sink waits as long as a date says, but not for ever', () => {
  const wait = (status: number, header?: string): number =>
    retryDelay(1, SINK_RETRIES, statusError(status, 'busy', header).askedMs, () => 0);
  const twentySeconds = wait(503, new Date(Date.now() + 20_000).toUTCString());
  assert.ok(twentySeconds > 18_000 && twentySeconds <= 20_000);
  assert.equal(wait(429, '86400'), 300_000);
  assert.equal(wait(429), 100);
});
