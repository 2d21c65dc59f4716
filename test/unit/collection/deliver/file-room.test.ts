import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { AppendSink } from '../../../../server/collection/deliver/append-sink.ts';
import { FileRoom, type Removed } from '../../../../server/collection/deliver/file-room.ts';
import { FileStorage } from '../../../../server/collection/deliver/file-storage.ts';
import { Removals } from '../../../../server/collection/deliver/removals.ts';
import type { Stream } from '../../../../server/collection/encode/layout.ts';
import { block, folder } from '../blocks.ts';

const never = new AbortController().signal;
const HOUR_S = 3600;
const KiB = 1024;
const LINES = `${'x'.repeat(KiB - 1)}\n`;

/** A sink as one server has it. */
class Server {
  readonly instance = `host-${randomUUID()}`;
  readonly removed: Removed[] = [];
  readonly sink: AppendSink;

  constructor(root: string, maxBytes: number) {
    const room = new FileRoom({ root, maxBytes, instance: this.instance, removed: (removed) => this.removed.push(removed) });
    this.sink = new AppendSink(new FileStorage(root, room), { blocks: 40_000, bytes: room.fileBytes });
  }

  stream(hour: string, collection = 'request'): Stream {
    const name = this.instance;
    return { folder: `ep/blue/${collection}/2026/03/05/${hour}`, name, ownName: name, extension: 'jsonl', header: '' };
  }

  async write(text: string, hour = '18', collection = 'request'): Promise<void> {
    await this.sink.write({ stream: this.stream(hour, collection), pieces: [Buffer.from(text)], blocks: [] }, never);
  }

  async payload(name: string, bytes: number): Promise<void> {
    const payload = { name, contentType: 'text/plain', body: Buffer.alloc(bytes) };
    const placed = block(1, payload);
    await this.sink.write({ stream: this.stream('18'), pieces: [Buffer.from('x\n')], blocks: [placed] }, never);
  }
}

const paths = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(root, name)).isFile());
const bytesIn = (root: string): number => paths(root).reduce((sum, name) => sum + statSync(join(root, name)).size, 0);

/** A file that is older than so many seconds. */
function place(root: string, name: string, bytes: number, ageS: number): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
  const time = Date.now() / 1000 - ageS;
  utimesSync(path, time, time);
  return path;
}

test('a load many times the limit leaves at most the limit at any time, the newest lines among it, and no empty folder', async (t) => {
  const root = folder(t);
  const maxBytes = 512 * KiB;
  const server = new Server(root, maxBytes);
  let most = 0;
  for (let n = 0; n < 5000; n++) {
    const text = `${String(n).padStart(1023)}\n`;
    await server.write(text, String(Math.floor(n / 250)).padStart(2, '0'));
    if (n % 50 === 0) most = Math.max(most, bytesIn(root));
  }
  await server.sink.close();
  most = Math.max(most, bytesIn(root));
  assert.ok(most <= maxBytes, `${most}`);
  assert.ok(most > maxBytes * 0.8, `${most}`);
  const numbers = paths(root).flatMap((name) => readFileSync(join(root, name), 'utf8').trim().split(/\s+/).map(Number));
  numbers.sort((a, b) => a - b);
  // No gap: only the oldest are gone.
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => 5000 - numbers.length + index),
  );
  const hours = readdirSync(join(root, 'ep/blue/request/2026/03/05'));
  assert.ok(hours.length > 0 && hours.length < 5, hours.join());
  for (const hour of hours) assert.notDeepEqual(readdirSync(join(root, 'ep/blue/request/2026/03/05', hour)), []);
  const files = server.removed.reduce((sum, each) => sum + each.files, 0);
  assert.ok(files >= (5000 * KiB - maxBytes) / server.removed.reduce((sum, each) => sum + each.bytes, 0), `${files}`);
});

test('files of earlier servers go first, by age, with the folders that they leave empty', async (t) => {
  const root = folder(t);
  const old = (hour: string, ageS: number): string =>
    place(root, `ep/blue/request/2026/03/04/${hour}/h-${randomUUID()}.jsonl`, 100 * KiB, ageS);
  const [oldest, older] = [old('01', 9 * HOUR_S), old('02', 8 * HOUR_S)];
  const rows = place(root, `s/g/w/svc/m/1/inputs/2026/03/03/inputs.csv`, 100 * KiB, 10 * HOUR_S);
  const own = place(root, `s/g/w/svc/m/1/inputs/2026/03/03/inputs-h-${randomUUID()}-2.csv`, 100 * KiB, 7 * HOUR_S);
  const server = new Server(root, 400 * KiB);
  await server.write(LINES);
  assert.deepEqual([rows, oldest, older, own].map(existsSync), [false, true, true, true]);
  await server.write('x'.repeat(110 * KiB));
  assert.deepEqual([rows, oldest, older, own].map(existsSync), [false, false, true, true]);
  assert.ok(!existsSync(dirname(oldest)) && existsSync(dirname(older)));
  await server.sink.close();
});

test('nothing foreign is touched: other files and folders, links', async (t) => {
  const root = folder(t);
  const elsewhere = folder(t);
  const target = place(elsewhere, `request/2026/01/01/00/h-${randomUUID()}.jsonl`, 200 * KiB, 99 * HOUR_S);
  mkdirSync(join(root, 'ep'));
  symlinkSync(elsewhere, join(root, 'ep', 'linked'));
  symlinkSync(target, join(root, `link-${randomUUID()}.jsonl`));
  const id = randomUUID();
  const foreign = [
    'notes.txt',
    'ep/blue/request/2026/03/04/01/notes.jsonl',
    `ep/blue/request/2026/03/04/h-${id}.jsonl`,
    `ep/blue/request/2026/03/04/01/deep/h-${id}.jsonl`,
    `ep/blue/request/latest/03/04/01/h-${id}.jsonl`,
    `ep/blue/2026/03/04/01/picture.json`,
    `s/g/w/svc/m/1/inputs/2026/03/03/outputs.csv`,
    `s/g/w/svc/m/1/inputs/2026/03/03/inputs-mine.csv`,
  ].map((name) => place(root, name, 50 * KiB, 99 * HOUR_S));
  const server = new Server(root, 256 * KiB);
  for (let n = 0; n < 300; n++) await server.write(LINES);
  await server.sink.close();
  assert.deepEqual(
    [...foreign, target].filter((path) => !existsSync(path)),
    [],
  );
  assert.ok(existsSync(join(root, 'ep', 'linked')));
});

test('what another process may write to goes last, and only as far as it must', async (t) => {
  const root = folder(t);
  const other = (bytes: number, ageS: number): string =>
    place(root, `ep/blue/request/2026/03/05/18/other-${randomUUID()}.jsonl`, bytes, ageS);
  const [older, newer] = [other(100 * KiB, 600), other(100 * KiB, 500)];
  const server = new Server(root, 256 * KiB);
  for (let n = 0; n < 300; n++) await server.write(LINES);
  assert.deepEqual([older, newer].map(existsSync), [true, true]);
  // Its own files are all that it could remove, but for the last one.
  assert.ok(bytesIn(root) <= 256 * KiB);
  await server.payload(`ep/blue/2026/03/05/18/${randomUUID()}.bin`, 100 * KiB);
  assert.deepEqual([older, newer].map(existsSync), [false, true]);
  await server.sink.close();
});

test('servers that start again and again leave no more than the limit', async (t) => {
  const root = folder(t);
  const maxBytes = 512 * KiB;
  for (let life = 0; life < 60; life++) {
    const server = new Server(root, maxBytes);
    for (let n = 0; n < 60; n++) await server.write(LINES);
    await server.sink.close();
    assert.ok(bytesIn(root) <= maxBytes, `${life}: ${bytesIn(root)}`);
  }
});

test('payloads count, and are removed as files are, also those of other processes', async (t) => {
  const root = folder(t);
  const others = Array.from({ length: 4 }, (_, n) => place(root, `ep/blue/2026/03/05/18/${randomUUID()}.bin`, 50 * KiB, 100 - n));
  const torn = place(root, `ep/blue/2026/03/05/18/${randomUUID()}.json.part`, 50 * KiB, 200);
  const server = new Server(root, 256 * KiB);
  await server.payload(`ep/blue/2026/03/05/18/${randomUUID()}.json`, 100 * KiB);
  assert.ok(!existsSync(torn));
  assert.ok(existsSync(others.at(-1)!) && !existsSync(others[0]!));
  assert.ok(bytesIn(root) <= 256 * KiB);
  await server.sink.close();
});

test('several servers that share the folder stay within the limit together', async (t) => {
  const root = folder(t);
  const maxBytes = 512 * KiB;
  const servers = Array.from({ length: 3 }, () => new Server(root, maxBytes));
  for (let n = 0; n < 600; n++) {
    await Promise.all(servers.map((server) => server.write(LINES, String(Math.floor(n / 100)).padStart(2, '0'))));
    // A part of the limit for each other server, which has not looked since.
    if (n % 25 === 0) assert.ok(bytesIn(root) <= maxBytes * (1 + 2 / 16), `${n}: ${bytesIn(root)}`);
  }
  for (const server of servers) await server.sink.close();
  assert.ok(servers.every(({ removed }) => removed.length > 0));
});

test('a file that is open is removed too when it is the oldest, and what comes for it goes to a new one', async (t) => {
  const root = folder(t);
  const server = new Server(root, 256 * KiB);
  await server.write('rare 1\n', '18', 'labels');
  for (let n = 0; n < 600; n++) await server.write(LINES);
  const labels = (): string[] => paths(join(root, 'ep/blue')).filter((name) => name.startsWith('labels'));
  assert.deepEqual(labels(), []);
  await server.write('rare 2\n', '18', 'labels');
  assert.deepEqual(
    labels().map((name) => readFileSync(join(root, 'ep/blue', name), 'utf8')),
    ['rare 2\n'],
  );
  await server.sink.close();
});

test('removed files are counted each, and logged with their sum once an hour', () => {
  const logged: string[] = [];
  const counted: number[] = [];
  const removals = new Removals({ warn: (text) => logged.push(text) }, { filesRemoved: (count) => counted.push(count) });
  removals.add({ files: 1, bytes: 10 }, 0);
  for (let minute = 1; minute <= 60; minute++) removals.add({ files: 2, bytes: 20 }, minute * 60_000);
  assert.equal(counted.length, 61);
  assert.deepEqual(
    logged.map((text) => /the oldest (\d+) files of collected data \((\d+) bytes\)/.exec(text)?.slice(1)),
    [
      ['1', '10'],
      ['120', '1200'],
    ],
  );
});
