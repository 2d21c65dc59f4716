import assert from 'node:assert/strict';
import test from 'node:test';
import { HostCollector, type Redactor } from '../../../../server/collection/host/collector.ts';
import { Body, type ExchangeRecord } from '../../../../server/collection/records.ts';
import type { CollectionSettings } from '../../../../server/collection/settings.ts';
import { settings } from '../../../collection/start-writer.ts';

const log = { info: (): void => undefined, warn: (): void => undefined, error: (): void => undefined };

/** Everything is written at once. */
const stdout = {
  write: (): void => undefined,
  deliver(text: string, settled: (lines: number) => void): () => void {
    setImmediate(() => settled(text.split('\n').length - 1));
    return () => undefined;
  },
};

/** A collector whose sink takes everything. */
const open = (redactor: Redactor): HostCollector =>
  new HostCollector({
    settings: { ...settings, sink: { kind: 'stdout' } } satisfies CollectionSettings,
    redactor,
    log,
    stdout,
    agent: 'test/1',
    env: {},
  });

const record = (id: string, text = '1'): ExchangeRecord => {
  const side = { state: Body.kept, contentType: 'application/json', headers: [], body: [Buffer.from(text)], bodyBytes: text.length };
  return { time: 0, id, method: 'POST', url: '/score', status: 200, request: side, response: side };
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
