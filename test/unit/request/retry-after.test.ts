import assert from 'node:assert/strict';
import test from 'node:test';
import { statusError } from '../../../server/collection/deliver/sink.ts';
import { readRetryAfter } from '../../../server/request/retry-after.ts';

test('Retry-After is read in seconds and as a date; what is neither asks for nothing', () => {
  assert.equal(readRetryAfter('2'), 2000);
  const inTenSeconds = readRetryAfter(new Date(Date.now() + 10_000).toUTCString()) ?? 0;
  assert.ok(inTenSeconds > 8000 && inTenSeconds <= 10_000);
  for (const header of ['soon', '', '-1', new Date(0).toUTCString(), null, undefined]) assert.equal(readRetryAfter(header), undefined);
});

test('a sink waits as long as a date says, but not for ever', () => {
  const wait = statusError(503, 'busy', new Date(Date.now() + 20_000).toUTCString()).retryAfterMs;
  assert.ok(wait > 18_000 && wait <= 20_000);
  assert.equal(statusError(429, 'busy', '86400').retryAfterMs, 300_000);
  assert.equal(statusError(429, 'busy', undefined).retryAfterMs, 0);
});
