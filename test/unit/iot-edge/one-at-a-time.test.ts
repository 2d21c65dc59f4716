import assert from 'node:assert/strict';
import test from 'node:test';
import { OneAtATime } from '../../../server/iot-edge/one-at-a-time.ts';

test('work runs in its order, one piece at a time, also after a failure', async () => {
  const order = new OneAtATime();
  const events: string[] = [];
  const work =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      events.push(`${name} begins`);
      await new Promise(setImmediate);
      events.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const all = [order.run(work('a')), order.run(work('b', true)), order.run(work('c'))];
  assert.deepEqual(
    (await Promise.allSettled(all)).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(events, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
