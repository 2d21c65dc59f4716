import assert from 'node:assert/strict';
import test from 'node:test';
import { DeliveryQueue, type Backend, type Delivery, type DeliveryEvents } from '../../../../server/telemetry/exporting/delivery-queue.ts';
import { deliveryOf } from '../../../../server/telemetry/exporting/ingestion.ts';
import type { ItemKind } from '../../../../server/telemetry/exporting/items.ts';

interface Item {
  readonly kind: ItemKind;
  readonly n: number;
}

function account(): { events: DeliveryEvents; log: string[]; bytes: () => number } {
  const log: string[] = [];
  let bytes = 0;
  return {
    log,
    bytes: () => bytes,
    events: {
      delivered: (kind, count) => log.push(`${kind} ${count}`),
      dropped: (kind, reason, count) => log.push(`${kind} ${count} ${reason}`),
      settled: (length) => (bytes += length),
      problem: (text) => log.push(text),
    },
  };
}

const lines = (count: number, kind: ItemKind = 'request'): string[] => Array.from({ length: count }, (_, n) => JSON.stringify({ kind, n }));
const backend = (send: Backend<Item>['send']): Backend<Item> => ({ read: (line) => JSON.parse(line) as Item, send });
const all = (items: readonly Item[]): Delivery<Item> => ({ delivered: items, again: [], lost: [], reason: 'rejected' });

test('portions have at most 1000 items and two megabytes, and are sent one after the other, in order', async () => {
  const sizes: number[] = [];
  let underWay = 0;
  const seen: number[] = [];
  const { events, bytes } = account();
  const queue = new DeliveryQueue(
    backend(async (items) => {
      assert.equal(++underWay, 1);
      await new Promise(setImmediate);
      underWay--;
      sizes.push(items.length);
      seen.push(...items.map(({ n }) => n));
      return all(items);
    }),
    events,
  );
  queue.add(lines(2500));
  await queue.flush();
  assert.deepEqual(sizes, [1000, 1000, 500]);
  assert.deepEqual(
    seen,
    Array.from({ length: 2500 }, (_, n) => n),
  );
  assert.equal(bytes(), lines(2500).join('').length);
  const long = JSON.stringify({ kind: 'trace', n: 1, text: 'x'.repeat(1_500_000) });
  queue.add([long, long]);
  await queue.flush();
  assert.deepEqual(sizes.slice(3), [1, 1]);
});

test('items wait for others to go with them, until the portion is full or a flush', async () => {
  const sizes: number[] = [];
  const full = Promise.withResolvers<void>();
  const { events } = account();
  const send: Backend<Item>['send'] = async (items) => {
    sizes.push(items.length);
    full.resolve();
    return all(items);
  };
  const queue = new DeliveryQueue(backend(send), events, { gatherMs: 3_600_000, retryMs: 1 });
  queue.add(lines(999));
  await new Promise(setImmediate);
  assert.deepEqual(sizes, []);
  queue.add(lines(2));
  await full.promise;
  await queue.flush();
  assert.deepEqual(sizes, [1000, 1]);
  // After a flush items wait no longer.
  queue.add(lines(1));
  await queue.flush();
  assert.deepEqual(sizes, [1000, 1, 1]);
});

test('what comes back is sent again until it is taken, and given up after eight tries', async () => {
  let tries = 0;
  const { events, log } = account();
  const queue = new DeliveryQueue(
    backend(async (items) => {
      tries++;
      // Item 0 never gets through.
      const again = items.filter(({ n }) => n === 0);
      return { delivered: items.filter(({ n }) => n !== 0), again, lost: [], reason: 'unreachable' };
    }),
    events,
    { gatherMs: 0, retryMs: 1 },
  );
  queue.add(lines(3));
  await queue.flush();
  assert.equal(tries, 8);
  assert.deepEqual(log, ['request 2', 'request 1 unreachable']);
});

test('a flush cuts a long wait short', async () => {
  const first = Promise.withResolvers<void>();
  const { events, log } = account();
  const queue = new DeliveryQueue(
    backend(async (items) => {
      if (log.length === 0) {
        log.push('first');
        first.resolve();
        return { delivered: [], again: items, lost: [], reason: 'rejected', askedMs: 3_600_000 };
      }
      return all(items);
    }),
    events,
    { gatherMs: 0, retryMs: 1 },
  );
  queue.add(lines(1));
  await first.promise;
  await new Promise(setImmediate);
  await queue.flush();
  assert.deepEqual(log, ['first', 'request 1']);
});

const items = [0, 1, 2];
const answer = (status: number, text = '', retryAfter?: string) => deliveryOf(items, { status, text, retryAfter });

test('an answer of 200 is delivery, with or without a body that says so', () => {
  for (const text of [
    '',
    '{"itemsReceived":3,"itemsAccepted":3,"errors":[]}',
    'null',
    '[]',
    '{"errors":"x"}',
    '{"errors":[null]}',
    '{"errors":[[1]]}',
  ])
    assert.deepEqual(answer(200, text).delivered, items);
});

test('items that are named in a partial answer come again or are lost, by their own status', () => {
  const errors = [
    { index: 0, statusCode: 500, message: 'x' },
    { index: 2, statusCode: 400, message: 'too long' },
  ];
  const { delivered, again, lost, reason } = answer(206, JSON.stringify({ itemsReceived: 3, itemsAccepted: 1, errors }));
  assert.deepEqual([delivered, again, lost, reason], [[1], [0], [2], 'rejected']);
});

for (const status of [408, 429, 439, 500, 502, 503, 504])
  test(`an answer of ${status} means another try`, () => assert.deepEqual(answer(status).again, items));
for (const status of [400, 401, 402, 403, 404, 413])
  test(`an answer of ${status} means that the items are lost`, () =>
    assert.deepEqual([answer(status).lost, answer(status).reason], [items, 'rejected']));

test('Retry-After is seconds or a date', () => {
  assert.equal(answer(429, '', '2').askedMs, 2000);
  const inTenSeconds = answer(429, '', new Date(Date.now() + 10_000).toUTCString()).askedMs ?? 0;
  assert.ok(inTenSeconds > 8000 && inTenSeconds <= 10_000);
  assert.equal(answer(429, '', 'soon').askedMs, undefined);
});

test('what was not sent is tried again, what may have arrived is not', () => {
  const refused = deliveryOf(items, { error: 'ECONNREFUSED', code: 'x', sent: false });
  assert.deepEqual([refused.again, refused.reason], [items, 'unreachable']);
  const unknown = deliveryOf(items, { error: 'ECONNRESET', code: 'x', sent: true });
  assert.deepEqual([unknown.lost, unknown.reason], [items, 'unconfirmed']);
});
