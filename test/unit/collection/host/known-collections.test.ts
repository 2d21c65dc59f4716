import assert from 'node:assert/strict';
import test from 'node:test';
import { CollectionCounts } from '../../../../server/collection/counts.ts';
import { HostCollector } from '../../../../server/collection/host/collector.ts';
import { KnownCollections } from '../../../../server/collection/host/known-collections.ts';
import { collectParts } from '../../../../server/ipc/collected-rows.ts';
import { settings } from '../../../collection/start-writer.ts';

const payload = (collection: string): Buffer =>
  Buffer.concat(collectParts(collection, '{"id":"i","time":0}', '[{"a":1}]').map((part) => Buffer.from(part as string)));

test('the first collections are known for good, and the first of the others is logged', () => {
  const warnings: string[] = [];
  const known = new KnownCollections((text) => warnings.push(text));
  for (let n = 0; n < 100; n++) assert.ok(known.has(`c${n}`));
  assert.ok(!known.has('c100') && !known.has('c101') && known.has('c99') && known.has('unknown'));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /more than 100 collections: .* c100 is the first/);
});

test('rows and counts of collections beyond the limit are counted as one', async (t) => {
  const collector = new HostCollector({
    settings: { ...settings, sink: { kind: 'stdout' } },
    redactor: { needed: false, redact: assert.fail },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    stdout: {
      write: () => undefined,
      deliver(text, settled) {
        setImmediate(() => settled(text.split('\n').length - 1));
        return () => undefined;
      },
    },
    agent: 'test/1',
    env: {},
  });
  t.after(() => collector.close());
  for (let n = 0; n < 5000; n++) collector.rows(payload(`c${n}`));
  collector.notCollected('c4999', 'sampled_out', 3);
  collector.notCollected('c7', 'not_selected', 2);
  const { counts } = collector;
  assert.ok(counts instanceof CollectionCounts);
  assert.ok(counts.results.size <= 104, `${counts.results.size} collections`);
  assert.deepEqual([counts.of('other').dropped, counts.dropped.get('too_many_collections')], [4900, 4900]);
  assert.deepEqual([counts.of('other').sampled_out, counts.of('c7').not_selected, counts.of('c99').queued], [3, 2, 1]);
});
