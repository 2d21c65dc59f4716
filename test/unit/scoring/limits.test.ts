import assert from 'node:assert/strict';
import test from 'node:test';
import { REDACT_LIMIT_MS } from '../../../server/ipc/limits.ts';
import { limitsOf } from '../../../server/scoring/limits.ts';

const options = { initTimeoutMs: 1, scoringTimeoutMs: 2, queueWaitTimeoutMs: 3, streamIdleTimeoutMs: 4 };

test('the limits are those of the options', () =>
  assert.deepEqual(limitsOf({ ...options, debugPort: 0 }), { ...options, redactTimeoutMs: REDACT_LIMIT_MS }));

test('a debugger switches every time limit off', () =>
  assert.deepEqual(limitsOf({ ...options, debugPort: 9229 }), {
    initTimeoutMs: 0,
    scoringTimeoutMs: 0,
    queueWaitTimeoutMs: 0,
    streamIdleTimeoutMs: 0,
    redactTimeoutMs: 0,
  }));
