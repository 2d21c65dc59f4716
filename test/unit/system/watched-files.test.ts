import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Contents, readFailure, readFiles, watchFiles } from '../../../server/system/watched-files.ts';
import { folder } from '../../set-up/folder.ts';
import { until } from '../../set-up/until.ts';

interface Watched {
  readonly seen: string[];
  readonly errors: unknown[];
}

/** Watches paths at a fast pace, and keeps what is reported. */
async function watch(...paths: string[]): Promise<Watched> {
  const seen: string[] = [];
  const errors: unknown[] = [];
  const textOf = (contents: Contents): string => Array.from(contents.values(), String).join('|');
  watchFiles(paths, await readFiles(paths), {
    changed: (contents) => seen.push(textOf(contents)),
    failed: (error) => errors.push(error),
    periodMs: 5,
  });
  return { seen, errors };
}

test('a write in place, a renamed file and a changed link are reported once', async () => {
  const dir = folder();
  const path = join(dir, 'keys');
  writeFileSync(path, 'one');
  const { seen } = await watch(path);
  writeFileSync(path, 'two');
  await until(() => seen.length === 1);
  writeFileSync(join(dir, 'new'), 'three');
  renameSync(join(dir, 'new'), path);
  await until(() => seen.length === 2);
  assert.deepEqual(seen, ['two', 'three']);
});

test('the links of a mounted secret are followed', async () => {
  const dir = folder();
  for (const [version, text] of [
    ['..1', 'old'],
    ['..2', 'new'],
  ] as const) {
    mkdirSync(join(dir, version));
    writeFileSync(join(dir, version, 'tls.crt'), text);
  }
  symlinkSync('..1', join(dir, '..data'));
  symlinkSync('..data/tls.crt', join(dir, 'tls.crt'));
  const byFile = await watch(join(dir, 'tls.crt'));
  const byFolder = await watch(dir);
  symlinkSync('..2', join(dir, '..next'));
  renameSync(join(dir, '..next'), join(dir, '..data'));
  await until(() => byFile.seen.length === 1 && byFolder.seen.length === 1);
  assert.deepEqual([byFile.seen, byFolder.seen], [['new'], ['new']]);
});

test('a missing file is reported once, and the files count again when it is back', async () => {
  const path = join(folder(), 'keys');
  writeFileSync(path, 'one');
  const { seen, errors } = await watch(path);
  rmSync(path);
  await until(() => errors.length > 0);
  writeFileSync(path, 'two');
  await until(() => seen.length === 1);
  assert.equal(errors.length, 1);
});

test('a failed read names the path once, and what is wrong with it', async () => {
  const dir = folder();
  const file = join(dir, 'file');
  writeFileSync(file, '');
  const why = (path: string): Promise<string> => readFiles([path]).then(() => 'read', readFailure);
  for (const path of [join(dir, 'none'), join(file, 'below')]) assert.equal(await why(path), `expected a file, ${path} does not exist`);
  assert.equal(await why('/dev/null'), '/dev/null: expected a file');
});

test('a pipe and a large file are refused', async () => {
  const dir = folder();
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  await assert.rejects(readFiles([join(dir, 'pipe')]), /expected a file/);
  writeFileSync(join(dir, 'large'), Buffer.alloc(1024 * 1024 + 1));
  await assert.rejects(readFiles([join(dir, 'large')]), /expected at most 1048576 bytes, got 1048577/);
});
