import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { readLine, type Block, type Payload } from '../../../server/collection/block.ts';
import { Spool } from '../../../server/collection/spool.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'spool-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function block(n: number, payload?: Payload): Block {
  const text = `{"specversion":"1.0","id":"${n}","source":"/a\\"b","type":"azureml.inference.rows","datacontenttype":"application/json","time":"2026-03-05T18:16:25Z","data":[{"n":${n}}]}`;
  const made = readLine(text, payload);
  assert.ok(made !== undefined);
  return made;
}

/** Everything, as somebody who delivers it takes it out. */
function drain(spool: Spool): { texts: string[]; damaged: number; payloads: Payload[] } {
  const texts: string[] = [];
  const payloads: Payload[] = [];
  let damaged = 0;
  for (let next = spool.next(); next !== undefined; next = spool.next()) {
    damaged += next.chunk.damaged;
    for (const each of next.chunk.blocks) {
      texts.push(...each.data.toString().split('\n').slice(0, -1));
      payloads.push(...each.payloads);
    }
    spool.done(next);
  }
  return { texts, damaged, payloads };
}

/** As if the owner's process were gone. */
function abandon(root: string, instance: string): void {
  const path = join(root, instance, 'owner.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"started":"[^"]*"/, '"started":"before"'));
}

const fail = (text: string): void => assert.fail(text);

test('lines come back as they went, oldest first, with the payloads that they refer to', (t) => {
  const root = folder(t);
  const spool = new Spool(root, 'me', fail);
  const payload = { name: 'a/b.bin', contentType: 'image/png', body: Buffer.from([1, 2, 3]) };
  for (const each of [block(1), block(2, payload), block(3)]) assert.equal(spool.add(each), 'spilled');
  const { texts, payloads, damaged } = drain(spool);
  assert.deepEqual(
    texts.map((text) => (JSON.parse(text) as { id: string }).id),
    ['1', '2', '3'],
  );
  assert.deepEqual(payloads, [payload]);
  assert.equal(damaged, 0);
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
  const second = new Spool(root, 'second', fail);
  const { texts, damaged } = drain(second);
  second.close();
  assert.equal(texts.length, 10_000 - delivered);
  assert.equal(damaged, 1);
});

test('a folder that is none of ours stays, and a folder that cannot be used is told once', (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'lost+found'));
  const spool = new Spool(root, 'me', fail);
  spool.close();
  assert.deepEqual(readdirSync(root), ['lost+found']);
  const reports: string[] = [];
  writeFileSync(join(root, 'file'), '');
  const broken = new Spool(join(root, 'file', 'spool'), 'me', (text) => reports.push(text));
  assert.deepEqual([broken.add(block(1)), broken.add(block(2))], ['spill_failed', 'spill_failed']);
  broken.close();
  assert.equal(reports.length, 1);
  assert.match(reports[0] ?? '', /MDC_SPILL_DIR: .* cannot be used: ENOTDIR/);
});
