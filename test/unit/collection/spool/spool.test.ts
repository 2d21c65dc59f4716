import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Block, Payload } from '../../../../server/collection/encode/block.ts';
import { Spool, type SpoolEvents } from '../../../../server/collection/spool/spool.ts';
import { block, folder } from '../blocks.ts';

/** Takes all lines out, as the writer does. */
function drain(spool: Spool): { texts: string[]; payloads: Payload[] } {
  const texts: string[] = [];
  const payloads: Payload[] = [];
  for (let next = spool.next(); next !== undefined; next = spool.next()) {
    for (const each of next.chunk.blocks) {
      texts.push(...each.data.toString().split('\n').slice(0, -1));
      payloads.push(...each.payloads);
    }
    spool.done(next);
  }
  return { texts, payloads };
}

/** As if the owner's process were gone. */
function abandon(root: string, instance: string): void {
  const path = join(root, instance, 'owner.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"started":"[^"]*"/, '"started":"before"'));
}

const fail: SpoolEvents = {
  report: (text) => assert.fail(text),
  adopted: () => assert.fail('nothing is left by others'),
  damaged: (records) => assert.fail(`${[...records].join()} cannot be read`),
};

const bytes = (n: number, length: number): Block => block(n, { name: `${n}.bin`, contentType: 'image/png', body: Buffer.alloc(length) });

test('lines come back as they went, oldest first, with the payloads that they refer to', (t) => {
  const root = folder(t);
  const spool = new Spool(root, 'me', fail);
  const payload = { name: 'a/b.bin', contentType: 'image/png', body: Buffer.from([1, 2, 3]) };
  for (const each of [block(1), block(2, payload), block(3)]) assert.equal(spool.add(each), 'spilled');
  const { texts, payloads } = drain(spool);
  assert.deepEqual(
    texts.map((text) => (JSON.parse(text) as { id: string }).id),
    ['1', '2', '3'],
  );
  assert.deepEqual(payloads, [payload]);
  assert.equal(spool.add(block(4)), 'spilled');
  assert.equal(drain(spool).texts.length, 1);
  spool.close();
  assert.deepEqual(readdirSync(root), []);
});

test('what a process left is taken over when it is gone, and only then', (t) => {
  const root = folder(t);
  const first = new Spool(root, 'first', fail);
  first.add(block(1));
  const second = new Spool(root, 'second', fail);
  assert.deepEqual(drain(second).texts, []);
  first.close();
  abandon(root, 'first');
  const third = new Spool(root, 'third', fail);
  assert.equal(drain(third).texts.length, 1);
  for (const spool of [second, third]) spool.close();
  assert.deepEqual(readdirSync(root), []);
});

test('a chunk that was delivered does not come again; half a line at the end is damaged, and counted', (t) => {
  const root = folder(t);
  const first = new Spool(root, 'first', fail);
  for (let n = 0; n < 10_000; n++) first.add(block(n));
  const chunk = first.next();
  assert.ok(chunk !== undefined);
  const delivered = chunk.chunk.blocks.reduce((sum, { records }) => sum + records, 0);
  assert.ok(delivered < 10_000);
  first.done(chunk);
  first.close();
  appendFileSync(
    join(
      root,
      'first',
      readdirSync(join(root, 'first')).find((name) => name.endsWith('.jsonl'))!,
    ),
    '{"specversion":"1.0","id":"to',
  );
  abandon(root, 'first');
  let damaged: unknown;
  const second = new Spool(root, 'second', { ...fail, damaged: (records) => (damaged = [...records]) });
  assert.deepEqual(
    [...second.found],
    [
      ['rows', 10_000 - delivered],
      ['unknown', 1],
    ],
  );
  assert.deepEqual(second.records, second.found);
  const { texts } = drain(second);
  second.close();
  assert.equal(texts.length, 10_000 - delivered);
  assert.deepEqual(damaged, [['unknown', 1]]);
});

test('a folder that is none of ours stays, and a folder that cannot be used is told once', (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'lost+found'));
  const spool = new Spool(root, 'me', fail);
  spool.close();
  assert.deepEqual(readdirSync(root), ['lost+found']);
  const reports: string[] = [];
  writeFileSync(join(root, 'file'), '');
  const broken = new Spool(join(root, 'file', 'spool'), 'me', { ...fail, report: (text) => void reports.push(text) });
  assert.deepEqual([broken.add(block(1)), broken.add(block(2))], ['spill_failed', 'spill_failed']);
  broken.close();
  assert.equal(reports.length, 1);
  assert.match(reports[0] ?? '', /MDC_SPILL_DIR: .* cannot be used: ENOTDIR/);
});

test('payloads count towards the limit, also those that another process left, until they are delivered', (t) => {
  const root = folder(t);
  const limits = { bytes: 10_000, deadLetterBytes: 0 };
  const first = new Spool(root, 'first', fail, limits);
  const fill = (spool: Spool): string[] => [1, 2, 3].map((n) => spool.add(bytes(n, 4000)));
  assert.deepEqual(fill(first), ['spilled', 'spilled', 'spill_full']);
  assert.equal(drain(first).payloads.length, 2);
  assert.deepEqual(fill(first), ['spilled', 'spilled', 'spill_full']);
  first.close();
  abandon(root, 'first');
  // Its process was killed before it had written the line.
  writeFileSync(join(root, 'first', 'payload000099'), Buffer.alloc(4000));
  const second = new Spool(root, 'second', fail, { ...limits, bytes: 14_000 });
  assert.equal(second.add(bytes(4, 4000)), 'spill_full');
  assert.equal(drain(second).payloads.length, 2);
  assert.ok(!readdirSync(root).some((name) => name.includes('from')));
  assert.deepEqual(fill(second), ['spilled', 'spilled', 'spilled']);
  second.close();
});

test('large payloads are read a few at a time', (t) => {
  const spool = new Spool(folder(t), 'me', fail);
  for (let n = 0; n < 5; n++) spool.add(bytes(n, 5 * 1024 * 1024));
  const sizes: number[] = [];
  for (let next = spool.next(); next !== undefined; next = spool.next()) {
    sizes.push(next.chunk.blocks.length);
    spool.done(next);
  }
  spool.close();
  assert.deepEqual(sizes, [2, 2, 1]);
});

test('dead letters have a limit: the oldest go, payloads too, and are counted', (t) => {
  const root = folder(t);
  const letters = join(root, 'dead-letters');
  const files = (): string[] => readdirSync(letters).map((name) => join(letters, name));
  const spool = new Spool(root, 'me', fail, { bytes: 0, deadLetterBytes: 20_000 });
  let removed = 0;
  for (let n = 0; n < 200; n++) {
    removed += spool.bury(n % 10 === 0 ? bytes(n, 500) : block(n));
    // Files of one moment have no order.
    for (const path of files()) if (statSync(path).mtimeMs > 1e9) utimesSync(path, n, n);
  }
  spool.close();
  assert.ok(files().reduce((sum, path) => sum + statSync(path).size, 0) <= 20_000);
  const kept = files()
    .filter((path) => path.endsWith('.jsonl'))
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .flatMap((line) => (line.startsWith('{') ? [Number((JSON.parse(line) as { id: string }).id)] : []))
    .toSorted((one, other) => one - other);
  assert.ok(removed > 0 && kept.length > 50);
  assert.deepEqual(
    kept,
    Array.from({ length: 200 - removed }, (_, at) => removed + at),
  );
});
