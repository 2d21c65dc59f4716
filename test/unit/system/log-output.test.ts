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
  const retry = t.mock.method(globalThis, 'setTimeout');
  for (const line of lines(0, 10)) output.write(line);
  // A flush before the first write has failed would leave the lines to its thread.
  while (retry.mock.callCount() === 0) await new Promise(setImmediate);
  const began = performance.now();
  assert.equal(output.flush(60_000), 10);
  assert.ok(performance.now() - began < 30_000);
});

test('a descriptor that is closed costs the lines', () => {
  const output = new LogOutput(9999, () => undefined);
  output.write('line\n');
  assert.equal(output.flush(1000), 1);
});
