import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { folderTree, isFile, isMountPoint, isUntouched, statOf } from '../../../server/system/folders.ts';

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'folders-'));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}

test('the tree of a folder is indented, ends at 200 lines, and never throws', (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'b'));
  writeFileSync(join(root, 'b/c.txt'), '');
  writeFileSync(join(root, 'a\n.txt'), '');
  assert.equal(folderTree(root), '    a?.txt\n    b/\n        c.txt');
  assert.match(folderTree(join(root, 'no')), /cannot be read/);
  for (let index = 0; index < 300; index++) writeFileSync(join(root, `f${index}`), '');
  assert.equal(folderTree(root).split('\n').length, 201);
  assert.equal(folderTree(root, 3).split('\n').length, 4);
});

test('what a path leads to is told without an exception', (t) => {
  const root = folder(t);
  symlinkSync('circle', join(root, 'circle'));
  symlinkSync('nowhere', join(root, 'link'));
  for (const name of ['circle', 'link', 'none', 'x'.repeat(300)]) assert.equal(statOf(join(root, name)), undefined, name);
  assert.equal(isFile(root), false);
});

test('a folder where a file system is mounted is not untouched', { skip: process.platform === 'linux' ? false : 'needs /proc' }, (t) => {
  assert.deepEqual([isMountPoint('/proc'), isMountPoint('/proc/self'), isMountPoint(folder(t))], [true, false, false]);
  const root = folder(t);
  assert.equal(isUntouched(root), true);
  writeFileSync(join(root, 'a'), '');
  assert.equal(isUntouched(root), false);
});
