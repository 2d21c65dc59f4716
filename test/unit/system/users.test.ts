import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { changeableBy, changeableWithin, findUser, missingCapabilities, pathClosedTo } from '../../../server/system/users.ts';
import { folder } from '../../set-up/folder.ts';

function file(text: string): string {
  const path = join(folder(), 'file');
  writeFileSync(path, text);
  return path;
}

const passwd = file('root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nlone:x:1002:1002:::\nbroken\n:x::::\n');

const users: Record<string, ReturnType<typeof findUser>> = {
  app: { uid: 1000, gid: 1001, home: '/home/app' },
  lone: { uid: 1002, gid: 1002, home: '/' },
  '1000': { uid: 1000, gid: 1001, home: '/home/app' },
  '1000:0': { uid: 1000, gid: 0, home: '/home/app' },
  '01000': { uid: 1000, gid: 1001, home: '/home/app' },
  '4000': { uid: 4000, gid: 4000, home: '/' },
  '4000:5': { uid: 4000, gid: 5, home: '/' },
  ap: undefined,
  broken: undefined,
};
for (const [text, user] of Object.entries(users))
  test(`the user ${text} is ${user === undefined ? 'nobody' : `${user.uid}:${user.gid}, at home in ${user.home}`}`, () => {
    assert.deepEqual(findUser(text, passwd), user);
  });

test('a name whose entry is broken is nobody, and numbers need no file', () => {
  assert.equal(findUser('broken', passwd), undefined);
  assert.equal(findUser('app', '/nowhere/passwd'), undefined);
  assert.deepEqual(findUser('7', '/nowhere/passwd'), { uid: 7, gid: 7, home: '/' });
});

const notRoot = process.getuid?.() === 0 ? false : 'needs root, which alone may give files away';
const USER = { uid: 4000, gid: 4001 };

test('what a user owns, or may write to by its group or as others, is changeable by it', { skip: notRoot }, () => {
  const root = folder();
  const code = join(root, 'code');
  mkdirSync(code);
  // The folder of this test file is closed to others, and is in a sticky one.
  assert.equal(changeableBy(USER, code), undefined);
  assert.equal(changeableBy(USER, join(code, 'not', 'there')), undefined);
  chmodSync(code, 0o757);
  assert.equal(changeableBy(USER, code), code);
  chmodSync(code, 0o775);
  assert.equal(changeableBy(USER, code), undefined);
  chownSync(code, 0, USER.gid);
  assert.equal(changeableBy(USER, code), code);
  chmodSync(code, 0o755);
  chownSync(root, USER.uid, 0);
  assert.equal(changeableBy(USER, code), root);
  symlinkSync(code, join(folder(), 'link'));
  assert.equal(changeableBy(USER, code), root);
});

test('PATH for programs of root keeps only absolute folders that the user cannot change', { skip: notRoot }, () => {
  const [own, shared, closed] = [folder(), folder(), folder()];
  chownSync(own, USER.uid, 0);
  chownSync(shared, 0, USER.gid);
  chmodSync(shared, 0o775);
  assert.equal(pathClosedTo(USER, `${own}:${closed}::bin:.:${shared}:${join(own, 'bin')}:${closed}/bin`), `${closed}:${closed}/bin`);
  assert.equal(pathClosedTo(USER), '');
});

test('a sticky folder above does not count, a sticky folder itself does', { skip: notRoot }, () => {
  const shared = folder();
  chmodSync(shared, 0o1777);
  const code = join(shared, 'code');
  mkdirSync(code);
  assert.equal(changeableBy(USER, code), undefined);
  assert.equal(changeableBy(USER, shared), shared);
  assert.equal(changeableBy(USER, join(shared, 'not', 'there')), shared);
});

test('a link is followed to what it leads to', { skip: notRoot }, () => {
  const real = folder();
  chownSync(real, USER.uid, 0);
  const link = join(folder(), 'link');
  symlinkSync(real, link);
  assert.equal(changeableBy(USER, link), real);
});

test('what is in a folder is changeable, also deep in it and behind a link', { skip: notRoot }, () => {
  const code = folder();
  const deep = join(code, 'package', 'lib');
  mkdirSync(deep, { recursive: true });
  const source = join(deep, 'index.js');
  writeFileSync(source, '');
  symlinkSync(code, join(deep, 'circle'));
  assert.equal(changeableWithin(USER, code), undefined);
  chownSync(source, USER.uid, 0);
  assert.equal(changeableWithin(USER, code), source);
  chownSync(source, 0, 0);
  chmodSync(deep, 0o757);
  assert.equal(changeableWithin(USER, code), deep);
  chmodSync(deep, 0o755);
  const outside = join(folder(), 'file');
  writeFileSync(outside, '');
  chownSync(outside, USER.uid, 0);
  symlinkSync(outside, join(code, 'link'));
  assert.equal(changeableWithin(USER, code), join(code, 'link'));
});

const capabilities: Record<string, readonly string[]> = {
  'Name:\tnode\nCapEff:\t000001ffffffffff\n': [],
  'CapEff:\t0000000000000000\n': ['SETGID', 'SETUID', 'KILL'],
  'CapEff:\t00000000000000c0\n': ['KILL'],
  'CapEff:\t00000000a80425fb\n': [],
  'Name:\tnode\n': [],
};
for (const [status, missing] of Object.entries(capabilities))
  test(`capabilities of ${JSON.stringify(status)}: ${missing.join(', ') || 'none'} missing`, () => {
    assert.deepEqual(missingCapabilities(file(status)), missing);
  });
