import assert from 'node:assert/strict';
import test from 'node:test';
import { RecentMessages } from '../../../server/iot-edge/recent-messages.ts';

test('the last messages are known, and no more than those', () => {
  const recent = new RecentMessages(2);
  for (const key of ['a', 'b', 'b', 'c']) recent.add(key);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => recent.has(key)),
    [false, true, true],
  );
});
