import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, constants } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { LogOutput } from '../../../server/system/log-output.ts';

const linux = process.platform === 'linux' ? false : 'needs /dev/full and fifos that open at both ends';
const MB = 1024 * 1024;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'log-output-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A pipe that does not block, as Node makes stdout. */
function pipe(t: TestContext): number {
  const path = join(folder(t), 'pipe');
  execFileSync('sh', ['-c', `mkfifo '${path}'`]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(fd));
  return fd;
}

const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`);

/** What is in the pipe now. */
function read(fd: number): string {
  const parts: Buffer[] = [];
  const part = Buffer.alloc(MB);
  try {
    for (;;) parts.push(Buffer.from(part.subarray(0, readSync(fd, part))));
  } catch {
    return Buffer.concat(parts).toString();
  }
}

/** Sees when a write has failed, so that it is tried again later. */
const retries = (t: TestContext) => t.mock.method(globalThis, 'setTimeout');

async function stalls(retry: ReturnType<typeof retries>): Promise<void> {
  while (retry.mock.callCount() === 0) await new Promise(setImmediate);
  retry.mock.restore();
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('lines reach a file whole and in order', async (t) => {
  const path = join(folder(t), 'log');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const output = new LogOutput(fd, () => assert.fail('nothing is lost'));
  const written = lines(0, 50_000).map((line) => `ä${line}`);
  for (const [index, line] of written.entries()) {
    output.write(line);
    if (index % 1000 === 0) await new Promise(setImmediate);
  }
  await until(() => readFileSync(path).length === Buffer.byteLength(written.join('')));
  assert.equal(readFileSync(path, 'utf8'), written.join(''));
});

test('lines that a full pipe does not take are kept, up to a bound; the rest is lost, counted and told', { skip: linux }, async (t) => {
  const fd = pipe(t);
  const told: number[] = [];
  const output = new LogOutput(fd, (count) => {
    told.push(count);
    output.write(`lost ${count}\n`);
  });
  const line = `${'x'.repeat(1023)}\n`;
  for (let count = 0; count < 20 * 1024; count++) output.write(line);
  assert.ok(output.full);
  assert.equal(output.lost, 4 * 1024);
  let text = '';
  await until(() => (text += read(fd)).slice(-100).includes('lost'));
  assert.deepEqual(told, [output.lost]);
  output.write('goes on\n');
  await until(() => (text += read(fd)).slice(-100).includes('goes on'));
  assert.equal(text.split(line).length - 1, 16 * 1024);
  assert.ok(text.endsWith(`lost ${output.lost}\ngoes on\n`));
});

test('the last flush writes what is left at once', { skip: linux }, (t) => {
  const fd = pipe(t);
  const output = new LogOutput(fd, () => undefined);
  for (const line of lines(0, 100)) output.write(line);
  assert.equal(output.flush(1000), 0);
  assert.equal(read(fd), lines(0, 100).join(''));
});

test('the last flush gives up a pipe that nobody reads, and counts the lines', { skip: linux }, (t) => {
  const output = new LogOutput(pipe(t), () => undefined);
  for (let count = 0; count < 300; count++) output.write(`${'x'.repeat(1023)}\n`);
  const began = performance.now();
  const lost = output.flush(200);
  assert.ok(performance.now() - began < 20_000);
  assert.ok(lost > 100 && lost < 300, `${lost}`);
  assert.equal(output.lost, lost);
});

test('a full disk costs the lines, and neither time nor an error', { skip: linux }, async (t) => {
  const fd = openSync('/dev/full', 'w');
  t.after(() => closeSync(fd));
  const output = new LogOutput(fd, () => undefined);
  const retry = retries(t);
  for (const line of lines(0, 10)) output.write(line);
  // A flush before the first write has failed would leave the lines to its thread.
  await stalls(retry);
  const began = performance.now();
  assert.equal(output.flush(60_000), 10);
  assert.ok(performance.now() - began < 30_000);
});

test('a descriptor that is closed costs the lines', () => {
  const output = new LogOutput(9999, () => undefined);
  output.write('line\n');
  assert.equal(output.flush(1000), 1);
});

/** Gives lines as a source that counts. Answers how many are written so far, once that is known. */
function deliver(output: LogOutput, given: readonly string[]): { readonly settled: number[]; readonly retract: () => void } {
  const settled: number[] = [];
  const retract = output.deliver(given.join(''), (count) => settled.push(count));
  return { settled, retract };
}

test('a source that counts hears of its lines when they are written, not before', { skip: linux }, async (t) => {
  const fd = pipe(t);
  const output = new LogOutput(fd, () => assert.fail('nothing is lost'));
  const wide = lines(0, 20_000);
  output.write('before\n');
  const retry = retries(t);
  const { settled } = deliver(output, wide);
  output.write('after\n');
  await stalls(retry);
  assert.deepEqual(settled, []);
  let text = '';
  await until(() => (text += read(fd)).endsWith('after\n'));
  assert.deepEqual(settled, [20_000]);
});

for (const kept of [0, 1, 1000])
  test(`lines that are taken back are not written, and those that are begun are: ${kept} lines read before`, { skip: linux }, async (t) => {
    const fd = pipe(t);
    const output = new LogOutput(fd, () => assert.fail('nothing is lost'));
    const wide = lines(0, 10_000).map((line) => `ä${'x'.repeat(97)}${line}`);
    const { settled, retract } = deliver(output, wide);
    let text = '';
    await until(() => (text += kept === 0 ? '' : read(fd)).split('\n').length > kept);
    await stalls(retries(t));
    retract();
    assert.equal(settled.length, 1);
    const [written = 0] = settled;
    assert.ok(written >= kept && written < 10_000, `${written}`);
    output.write('after\n');
    await until(() => (text += read(fd)).endsWith('after\n'));
    assert.equal(text, `${wide.slice(0, written).join('')}after\n`);
  });

test('lines behind a full pipe are taken back as a whole, and the rest keeps its order', { skip: linux }, async (t) => {
  const fd = pipe(t);
  const output = new LogOutput(fd, () => assert.fail('nothing is lost'));
  const log = lines(0, 50_000);
  const retry = retries(t);
  for (const line of log) output.write(line);
  await stalls(retry);
  const { settled, retract } = deliver(output, ['never\n']);
  output.write('after\n');
  retract();
  assert.deepEqual(settled, [0]);
  let text = '';
  await until(() => (text += read(fd)).endsWith('after\n'));
  assert.equal(text, `${log.join('')}after\n`);
});

test('lines for a file that are taken back while a thread writes them are written, and counted', async (t) => {
  const path = join(folder(t), 'log');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const output = new LogOutput(fd, () => assert.fail('nothing is lost'));
  const { settled, retract } = deliver(output, lines(0, 1000));
  // After the turn in which the thread gets them.
  await new Promise(setImmediate);
  retract();
  await until(() => settled.length > 0);
  assert.deepEqual(settled, [1000]);
  assert.equal(readFileSync(path, 'utf8'), lines(0, 1000).join(''));
});
