import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { folderTree, isFile, isMountPoint, isUntouched, statOf, visibleNames } from '../../../server/system/folders.ts';

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
  const name = basename(root);
  assert.equal(folderTree(root), `${name}/\n    a?.txt\n    b/\n        c.txt`);
  assert.equal(folderTree(`${root}/b/`), 'b/\n    c.txt');
  assert.equal(folderTree(join(root, 'b', 'c.txt')), 'c.txt');
  assert.equal(folderTree(join(root, 'no')), 'no');
  mkdirSync(join(root, 'empty'));
  assert.equal(folderTree(join(root, 'empty')), 'empty/\n    (nothing)');
  rmSync(join(root, 'empty'), { recursive: true });
  for (let index = 0; index < 300; index++) writeFileSync(join(root, `f${index}`), '');
  assert.equal(folderTree(root).split('\n').length, 201);
  assert.deepEqual(folderTree(root, 3).split('\n').slice(2), ['    b/', 'Output truncated: the first 3 lines are shown.']);
});

test('the tree lists a folder once, whatever links lead to it', (t) => {
  const root = folder(t);
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'a', 'x'), '');
  symlinkSync('..', join(root, 'a', 'up'));
  symlinkSync('a', join(root, 'b'));
  symlinkSync('circle', join(root, 'circle'));
  assert.equal(folderTree(root), `${basename(root)}/\n    a/\n        up/\n        x\n    b/\n    circle`);
});

test('only what a user has put into a folder is named, without links that lead back', (t) => {
  const root = folder(t);
  const inside = join(root, 'in');
  for (const path of [inside, join(inside, 'lost+found'), join(inside, '.hidden'), join(inside, 'sub')]) mkdirSync(path);
  writeFileSync(join(inside, 'file'), '');
  symlinkSync('.', join(inside, 'again'));
  symlinkSync('..', join(inside, 'up'));
  symlinkSync('nowhere', join(inside, 'dangling'));
  symlinkSync('/dev/null', join(inside, 'device'));
  symlinkSync('file', join(inside, 'link'));
  assert.deepEqual(visibleNames(inside), ['file', 'link', 'sub']);
  assert.deepEqual(visibleNames(join(root, 'no')), []);
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
