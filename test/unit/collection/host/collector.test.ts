import assert from 'node:assert/strict';
import test from 'node:test';
import { HostCollector, type Redactor } from '../../../../server/collection/host/collector.ts';
import { Body, type ExchangeRecord } from '../../../../server/collection/records.ts';
import type { CollectionSettings } from '../../../../server/collection/settings.ts';
import { settings } from '../../../collection/start-writer.ts';
import { until } from '../../../set-up/until.ts';
import { folder } from '../blocks.ts';

const none: Redactor = { needed: false, redact: () => Promise.resolve([]) };
const DOWN = { kind: 'http', url: 'http://127.0.0.1:1/', headers: {}, format: 'structured', access: undefined } as const;

/** Everything is written at once. */
const stdout = {
  write: (): void => undefined,
  deliver(text: string, settled: (lines: number) => void): () => void {
    setImmediate(() => settled(text.split('\n').length - 1));
    return () => undefined;
  },
};

/** A collector whose sink takes everything, unless `own` names another. @param lines get the log */
const open = (redactor: Redactor, own: Partial<CollectionSettings> = {}, lines: unknown[] = []): HostCollector =>
  new HostCollector({
    settings: { ...settings, sink: { kind: 'stdout' }, ...own },
    redactor,
    log: { info: (line: unknown) => void lines.push(line), warn: (line: unknown) => void lines.push(line), error: () => undefined },
    stdout,
    agent: 'test/1',
    env: {},
  });

const record = (id: string, text = '1'): ExchangeRecord => {
  const side = { state: Body.kept, contentType: 'application/json', headers: [], body: [Buffer.from(text)], bodyBytes: text.length };
  return { time: 1000, id, method: 'POST', url: '/score', status: 200, request: side, response: side };
};

test('what waits for a redaction counts as records: a hook that hangs fills the memory that there is, and no more', async () => {
  const waiting: (() => void)[] = [];
  const redactor: Redactor = {
    needed: true,
    redact: (_id, sides) => new Promise((resolve) => waiting.push(() => resolve(sides.map(() => 'hook_timeout')))),
  };
  const collector = open(redactor);
  for (let n = 0; n < 25_000; n++) collector.exchange(record(String(n)));
  assert.equal(collector.counts.records, 50_000);
  collector.exchange(record('one more'));
  assert.equal(collector.counts.dropped.get('queue_full'), 2);
  assert.equal(waiting.length, 25_000);
  for (const giveUp of waiting) giveUp();
  await collector.redacted();
  await collector.close();
  const { queued, sent } = collector.counts.of('request');
  assert.deepEqual([queued, sent, collector.counts.records], [25_001, 25_000, 0]);
  assert.equal(collector.counts.notRedacted.get('hook_timeout'), 50_000);
});

/** The payload of a `collect` frame whose head no worker sends. @param head JSON, or not */
function rowsWith(head: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([Buffer.from([1]), Buffer.from('c'), length, Buffer.from(head), Buffer.from('[{"n":1}]')]);
}

test('the first body that is not redacted is an increase, whatever the reason', async () => {
  const collector = open(none);
  await collector.close();
  assert.deepEqual(Object.fromEntries(collector.counts.notRedacted), { hook_failed: 0, hook_timeout: 0, worker_lost: 0, stopped: 0 });
});

test('a lost thread takes what it held in memory, by collection; the next one takes over what is on disk', async (t) => {
  const collector = open(none, { sink: DOWN, spillDir: folder(t), flushTimeoutMs: 200 });
  const { counts } = collector;
  collector.exchange(record('in the call that fails'));
  await until(() => counts.errors.size > 0);
  collector.exchange(record('on disk'));
  await until(() => counts.totals().spilled === 2);
  // It is not JSON, and ends the thread.
  collector.rows(rowsWith('{'));
  await until(() => counts.dropped.get('writer_lost') === 3);
  for (const collection of ['request', 'response', 'c']) assert.equal(counts.of(collection).dropped, 1, collection);
  assert.deepEqual([counts.records, counts.handedBytes, counts.spoolRecords], [0, 0, 2]);
  const before = counts.totals();
  // The next thread has read the folder, and tries to deliver.
  const errors = (): number => counts.errors.values().reduce((sum, each) => sum + each, 0);
  const tries = errors();
  await until(() => errors() > tries);
  assert.deepEqual(counts.totals(), before, 'what is on disk is neither lost nor counted twice');
  collector.exchange(record('afterwards'));
  assert.equal(await collector.close(), true);
  const { queued, adopted, sent, dropped } = counts.totals();
  assert.deepEqual([queued, adopted, sent, dropped, counts.spoolRecords], [7, 0, 0, 3, 4]);
});

test('where memory is full, records go without bodies: each half counts until it is settled, and the last line has the number', async () => {
  const lines: unknown[] = [];
  const collector = open(none, { sink: DOWN, flushTimeoutMs: 100 }, lines);
  const answer = Buffer.from(JSON.stringify('x'.repeat(2 * 1024 * 1024)));
  for (let n = 0; n < 60; n++) {
    const capture = collector.capture(String(n));
    capture?.received('application/json', [], [Buffer.from('1')], 1);
    capture?.answered('application/json', [], answer);
    capture?.end({ method: 'POST', url: '/score', status: 200 });
  }
  const { counts } = collector;
  const { memory } = counts.bodiesOf('response');
  assert.ok(memory >= 28 && memory <= 30, `${memory} bodies`);
  assert.deepEqual(counts.bodiesOf('request'), { memory: 0, size: 0, not_read: 0, redaction: 0 });
  assert.deepEqual([counts.of('request').queued, counts.of('response').queued, counts.records], [60, 60, 120]);
  await until(() => counts.errors.size > 0);
  assert.ok(counts.bytes > 60 * 1024 * 1024, 'nothing is settled');
  await collector.close();
  assert.deepEqual(lines.at(-1), {
    queued: 120,
    adopted: 0,
    sent: 0,
    spooled: 0,
    dropped: { flush_timeout: 120 },
    bodiesOmitted: { memory },
  });
  assert.deepEqual([counts.records, counts.bytes], [0, 0]);
});

test('the headers of records that wait for a redaction count as memory', async () => {
  const waiting: (() => void)[] = [];
  const redactor: Redactor = {
    needed: true,
    redact: (_id, sides) => new Promise((resolve) => waiting.push(() => resolve(sides.map(() => 'hook_timeout')))),
  };
  const collector = open(redactor);
  const { counts } = collector;
  const headers = ['x-tenant', 'x'.repeat(8000)];
  for (let n = 0; n < 10_000; n++) {
    const { request, ...rest } = record(String(n));
    collector.exchange({ ...rest, request: { ...request, headers } });
  }
  assert.ok(counts.heldBytes >= waiting.length * 8000 && waiting.length < 10_000, `${waiting.length} of ${counts.heldBytes} bytes`);
  for (const giveUp of waiting) giveUp();
  await collector.redacted();
  await collector.close();
  assert.deepEqual([counts.records, counts.bytes], [0, 0]);
});
