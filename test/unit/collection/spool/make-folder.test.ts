import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { makeFolder, makeFolderLater, OWN_ONLY } from '../../../../server/system/make-folder.ts';

function inFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'make-folder-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const ways: Record<string, (path: string) => Promise<void>> = {
  makeFolder: async (path) => makeFolder(path, OWN_ONLY),
  makeFolderLater,
};

for (const [name, make] of Object.entries(ways)) {
  test(`${name} makes a folder and those above it, and takes those that are there`, async (t) => {
    const root = inFolder(t);
    for (const path of ['a/b/c/d', 'a/b/c/d', 'a', 'a/b/x', 'z']) {
      await make(join(root, path));
      assert.ok(statSync(join(root, path)).isDirectory());
    }
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    await make(join(root, 'link/in'));
    assert.ok(statSync(join(root, 'real/in')).isDirectory());
    await make('/');
  });

  test(`${name} returns where the system says ENOENT for ever`, { skip: process.platform !== 'linux' }, async () => {
    for (const path of ['/proc/foo', '/proc/foo/bar', '/proc/foo/bar/baz/and/more']) await assert.rejects(make(path), { code: 'ENOENT' });
  });

  test(`${name} says what is in the way`, async (t) => {
    const root = inFolder(t);
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
    await assert.rejects(make(join(root, 'file')), { code: 'EEXIST' });
    await assert.rejects(make(join(root, 'file/below/it')), { code: 'ENOTDIR' });
    await assert.rejects(make(join(root, 'dangling')), { code: 'EEXIST' });
    await assert.rejects(make(join(root, 'dangling/below')), { code: 'EEXIST', path: join(root, 'dangling') });
  });

  test(`${name} may race with others that make the same folders`, async (t) => {
    const root = inFolder(t);
    await Promise.all(Array.from({ length: 8 }, () => make(join(root, 'a/b/c/d/e/f'))));
    assert.ok(statSync(join(root, 'a/b/c/d/e/f')).isDirectory());
  });
}
