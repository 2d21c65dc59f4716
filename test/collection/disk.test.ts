import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { FileRoom, type Removed } from '../../server/collection/deliver/file-room.ts';
import type { Block } from '../../server/collection/encode/block.ts';
import { FileStorage } from '../../server/collection/deliver/file-storage.ts';
import type { Sink } from '../../server/collection/deliver/sink.ts';
import { SinkError } from '../../server/collection/deliver/sink.ts';
import { SCRIPTS, withServer } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { block } from '../unit/collection/blocks.ts';
import { eventsOf } from './azurite.ts';
import { numbers, TestWriter } from './start-writer.ts';

/** A file system of its own; undefined where this user may not mount one. */
function mount(t: TestContext, options: string): string | undefined {
  const path = folder();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0) {
    t.skip('mounting a file system needs root');
    return undefined;
  }
  t.after(() => void spawnSync('umount', [path]));
  return path;
}

function linesIn(root: string): number[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
  const all = new Map(names.map((name) => [name, readFileSync(join(root, name))]));
  return eventsOf(all, 'model_inputs').map(({ data }) => Number(data[0]?.['n']));
}

/** A sink that takes nothing until it is opened. */
class Closed implements Sink {
  readonly name = 'closed';
  readonly appends = false;
  readonly largestInline = Infinity;
  open = false;
  taken = 0;
  reference = (): undefined => undefined;
  close = (): Promise<void> => Promise.resolve();
  write: Sink['write'] = ({ blocks }) => {
    if (!this.open) return Promise.reject(new SinkError('closed', 'not now'));
    this.taken += blocks.length;
    blocks.length = 0;
    return Promise.resolve();
  };
}

test('the writer waits while a disk is full: no line is torn, none is lost, and files go on when there is room', async (t) => {
  const disk = mount(t, 'size=256k');
  if (disk === undefined) return;
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(200 * 1024));
  const writer = new TestWriter(new FileStorage(disk));
  writer.collect(0, 200);
  await writer.said('ENOSPC');
  assert.ok(linesIn(disk).length < 200);
  rmSync(ballast);
  await writer.sent(200);
  await writer.close();
  assert.deepEqual(linesIn(disk), numbers(200));
  assert.equal(writer.counts.of('model_inputs').dropped, 0);
  assert.ok((writer.counts.errors.get('ENOSPC') ?? 0) > 0);
});

test('on a volume that is smaller than the limit the oldest files make room, and no write fails', async (t) => {
  const disk = mount(t, 'size=8m');
  if (disk === undefined) return;
  const foreign = join(disk, 'foreign');
  writeFileSync(foreign, Buffer.alloc(1024 * 1024));
  const removed: Removed[] = [];
  const room = new FileRoom({ root: disk, maxBytes: 16 * 1024 * 1024, instance: 'host-', removed: (each) => removed.push(each) });
  const writer = new TestWriter(new FileStorage(disk, room), { limits: { blocks: 40_000, bytes: room.fileBytes } });
  for (let n = 0; n < 400; n += 10) {
    writer.collect(n, n + 10, 'model_inputs', 'x'.repeat(110_000));
    await writer.sent(n + 10);
  }
  await writer.close();
  const left = linesIn(disk);
  assert.deepEqual(left, numbers(400).slice(400 - left.length));
  assert.ok(left.length >= 40, `${left.length}`);
  assert.ok(existsSync(foreign) && removed.length > 0);
  assert.deepEqual([...writer.counts.errors.keys()], []);
});

test('a file that is deleted, or its folder, is followed by another: nothing is written where nobody can read it', async () => {
  const root = folder();
  const writer = new TestWriter(new FileStorage(root));
  writer.collect(0, 1);
  await writer.sent(1);
  const name = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((each) => each.endsWith('.jsonl'));
  rmSync(join(root, name!));
  writer.collect(1, 2);
  await writer.sent(2);
  assert.deepEqual(linesIn(root), [1]);
  rmSync(join(root, 'ep'), { recursive: true });
  writer.collect(2, 3);
  await writer.sent(3);
  await writer.close();
  assert.deepEqual(linesIn(root), [2]);
});

test('a full spool leaves the rest in memory, and all of it is delivered', async (t) => {
  const disk = mount(t, 'size=256k');
  if (disk === undefined) return;
  const sink = new Closed();
  const writer = new TestWriter(sink, { spillDir: disk });
  writer.collect(0, 1);
  await writer.said('cannot be delivered');
  writer.collect(1, 3000);
  await writer.said('MDC_SPILL_DIR');
  const { spilled } = writer.counts.of('model_inputs');
  sink.open = true;
  await writer.sent(3000);
  await writer.close();
  const after = writer.counts.of('model_inputs');
  assert.equal(sink.taken, 3000, 'what the disk did not take waited in memory');
  assert.ok(spilled < 3000 && after.dropped === 0);
});

test('a read-only spool costs nothing but the rest at the end, which is counted', async (t) => {
  const disk = mount(t, 'size=64k,ro');
  if (disk === undefined) return;
  const writer = new TestWriter(new Closed(), { spillDir: disk });
  writer.collect(0, 10);
  await writer.said('EROFS');
  await writer.close(300);
  const { sent, spilled, dropped } = writer.counts.of('model_inputs');
  assert.deepEqual({ sent, spilled, dropped }, { sent: 0, spilled: 0, dropped: 10 });
  assert.deepEqual(writer.counts.totals().droppedFor, { spill_failed: 10 });
  assert.equal(writer.lines.filter((line) => line.includes('MDC_SPILL_DIR')).length, 1);
});

test('a folder that cannot be written stops neither the server nor a request: it is logged once, and counted', async (t) => {
  const disk = mount(t, 'size=64k,ro');
  if (disk === undefined) return;
  const env = { MDC_DIR: disk, MDC_FLUSH_TIMEOUT_MS: '300', DRAIN_DELAY_MS: '0' };
  await withServer(
    ['--entry-script', join(SCRIPTS, 'echo.ts')],
    async (server) => {
      await server.ready();
      assert.equal((await server.score({ a: 1 })).status, 200);
      await server.said('cannot be delivered to file (EROFS');
      assert.equal((await server.score({ a: 2 })).status, 200);
      assert.ok((await server.metric('mdc_sink_errors_total{sink="file",code="EROFS"}')) >= 1);
      await server.drain();
      assert.equal(server.linesWith('cannot be delivered').length, 1);
    },
    { env },
  );
});

test('a spool has a limit: beyond it the newest are kept in memory, or dropped and counted', async () => {
  const spillDir = folder();
  const writer = new TestWriter(new Closed(), { spillDir, spoolLimits: { bytes: 10_000, deadLetterBytes: 0 } });
  writer.collect(0, 1);
  await writer.said('cannot be delivered');
  writer.collect(1, 101);
  await writer.close(200);
  const { sent, spilled, dropped } = writer.counts.of('model_inputs');
  assert.equal(sent + spilled + dropped, 101);
  assert.ok(spilled > 5 && dropped > 5);
  assert.deepEqual(writer.counts.totals().droppedFor, { spill_full: dropped });
  assert.ok(existsSync(join(spillDir, writer.instance)));
});

/** An event of an image: its bytes become a file of their own. */
const image = (n: number, bytes: number): Block => ({
  ...block(n, { name: `ep/${n}.bin`, contentType: 'image/png', body: Buffer.alloc(bytes, n) }),
  counted: true,
});

const filesIn = (root: string): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' });

test('a payload that finds no room leaves nothing, and holds up no record that fits, of its collection or another', async (t) => {
  const disk = mount(t, 'size=3m');
  if (disk === undefined) return;
  const writer = new TestWriter(new FileStorage(disk));
  const small = [block(1), image(2, 100_000), block(3, undefined, '2026-03-05T19')];
  for (const each of [small[0]!, image(9, 4 * 1024 * 1024), ...small.slice(1)]) writer.add({ ...each, counted: true });
  await writer.sent(3, 'rows');
  await writer.said('file has no room for a payload (ENOSPC');
  assert.ok(!filesIn(disk).some((name) => name.includes('.part') || name.includes('9.bin')));
  assert.deepEqual([writer.counts.records, writer.counts.of('rows').dropped], [1, 0], 'it waits');
  assert.ok(writer.counts.bytes > 4 * 1024 * 1024, 'and its memory counts');
  spawnSync('mount', ['-o', 'remount,size=9m', disk]);
  await writer.sent(4, 'rows');
  await writer.close();
  assert.equal(readFileSync(join(disk, 'ep/9.bin')).length, 4 * 1024 * 1024);
  assert.deepEqual([writer.counts.records, writer.counts.bytes], [0, 0]);
});

test('a payload that finds no room in the spool leaves nothing there, and others go to disk', async (t) => {
  const disk = mount(t, 'size=1m');
  if (disk === undefined) return;
  const sink = new Closed();
  const writer = new TestWriter(sink, { spillDir: disk });
  writer.collect(0, 1);
  await writer.said('cannot be delivered');
  for (const each of [image(9, 4 * 1024 * 1024), block(1), image(2, 100_000), block(3)]) writer.add({ ...each, counted: true });
  await writer.until((counts) => counts.of('rows').spilled === 3);
  const sizes = filesIn(disk).map((name) => statSync(join(disk, name)).size);
  assert.ok(Math.max(...sizes) <= 100_000, sizes.join());
  await writer.close(100);
  assert.deepEqual(writer.counts.totals().droppedFor, { spill_failed: 2 - writer.counts.of('model_inputs').spilled });
  assert.equal(writer.counts.spoolRecords, writer.counts.totals().spilled);
});

test('a dead letter that finds no room leaves nothing, and the spool goes on', async (t) => {
  const disk = mount(t, 'size=1m');
  if (disk === undefined) return;
  const sink = new Closed();
  sink.write = ({ blocks }) => Promise.reject(new SinkError('422', 'not this', { retriable: false, rejected: blocks.splice(0) }));
  const writer = new TestWriter(sink, { spillDir: disk });
  writer.add(image(9, 4 * 1024 * 1024));
  await writer.until((counts) => counts.dropped.get('rejected') === 1);
  const letters = join(disk, 'dead-letters');
  assert.deepEqual(
    readdirSync(letters).filter((name) => name.includes('payload')),
    [],
  );
  assert.equal(writer.spool?.add(block(1)), 'spilled');
  await writer.close();
});

test('on a disk that is full, what is delivered from it leaves no payload, and the account of the disk closes', async (t) => {
  const disk = mount(t, 'size=1m');
  if (disk === undefined) return;
  const sink = new Closed();
  const writer = new TestWriter(sink, { spillDir: disk });
  writer.collect(0, 1);
  await writer.said('cannot be delivered');
  for (let n = 0; n < 8; n++) writer.add(image(n, 100_000));
  await writer.until((counts) => counts.of('rows').spilled === 8);
  const ballast = openSync(join(disk, 'ballast'), 'w');
  assert.throws(
    () => {
      for (;;) writeSync(ballast, Buffer.alloc(4096));
    },
    { code: 'ENOSPC' },
  );
  closeSync(ballast);
  sink.open = true;
  writer.retry.hurry();
  await writer.until(({ spoolRecords, records }) => spoolRecords + records === 0);
  await writer.close();
  assert.deepEqual([sink.taken, writer.counts.spoolBytes, writer.counts.bytes], [9, 0, 0]);
  assert.deepEqual(filesIn(disk), ['ballast']);
});
