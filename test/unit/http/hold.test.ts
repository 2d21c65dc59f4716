import assert from 'node:assert/strict';
import test from 'node:test';
import { Hold } from '../../../server/http/hold.ts';
import type { HttpExchange } from '../../../server/http/exchange.ts';
import { Lifecycle } from '../../../server/lifecycle.ts';

/** An exchange as far as a hold uses it: its failure, and how it is cancelled. */
function exchangeOf(): { exchange: HttpExchange; failed: unknown[]; leave: () => void } {
  const failed: unknown[] = [];
  let work = { cancel: (): void => undefined };
  const fail = (thrown: unknown): void => {
    failed.push(thrown);
    work.cancel();
  };
  const exchange = { startReading: (given: typeof work) => (work = given), fail, guard: (step: () => void) => step() };
  return { exchange: exchange as unknown as HttpExchange, failed, leave: () => work.cancel() };
}

void test('requests go on in their order once the start has ended, but for one that has left', () => {
  const lifecycle = new Lifecycle();
  const hold = new Hold(lifecycle, { queueMaxRequests: 3, initTimeoutMs: 60_000 });
  const ran: string[] = [];
  const all = ['a', 'b', 'c'].map((name) => {
    const one = exchangeOf();
    hold.add(one.exchange, () => ran.push(name));
    return one;
  });
  assert.throws(() => hold.add(exchangeOf().exchange, () => undefined), { code: 'queue_full' });
  all[1]!.leave();
  assert.deepEqual([hold.waits, ran], [true, []]);
  lifecycle.to('ready');
  assert.deepEqual([hold.waits, ran], [false, ['a', 'c']]);
  lifecycle.to('draining');
  assert.deepEqual(ran, ['a', 'c'], 'once');
});

void test('a request waits no longer than its limit', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lifecycle = new Lifecycle();
  const hold = new Hold(lifecycle, { queueMaxRequests: 1, initTimeoutMs: 1000 });
  const { exchange, failed } = exchangeOf();
  hold.add(exchange, () => assert.fail('it is over'));
  t.mock.timers.tick(999);
  assert.equal(failed.length, 0);
  t.mock.timers.tick(1);
  assert.deepEqual(
    failed.map((error) => (error as { code: string }).code),
    ['not_ready'],
  );
  lifecycle.to('ready');
});
