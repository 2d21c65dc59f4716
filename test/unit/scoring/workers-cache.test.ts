import assert from 'node:assert/strict';
import { chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { workersCache } from '../../../server/scoring/workers-cache.ts';
import { folder } from '../../set-up/folder.ts';

const user = { uid: 4000, gid: 4001, home: '/' };
const notRoot = process.getuid?.() === 0 ? false : 'needs root, which alone may give files away';

/** A cache of the host, and the folder in it that Node uses. */
function cacheOfHost(): { readonly hosts: string; readonly used: string } {
  const hosts = join(folder(), 'cache');
  const used = join(hosts, 'v24-x64-0');
  mkdirSync(used, { recursive: true });
  return { hosts, used };
}

test('workers share the cache of the host where they have its rights, and have none where it has none', () => {
  const { hosts, used } = cacheOfHost();
  assert.equal(workersCache(hosts, { user: undefined, model: false }, used), hosts);
  for (const rights of [
    { user, model: false },
    { user: undefined, model: true },
  ])
    assert.equal(workersCache(undefined, rights), undefined);
});

test('workers under the permission model have a cache of their own, unless nobody can write that of the host', () => {
  const { hosts, used } = cacheOfHost();
  assert.equal(workersCache(hosts, { user: undefined, model: true }, used), `${hosts}-workers`);
  assert.equal(workersCache('/proc/self', { user: undefined, model: true }, used), '/proc/self');
});

test('workers of another user get a folder that is theirs, and the same one later', { skip: notRoot }, () => {
  const { hosts, used } = cacheOfHost();
  for (const model of [false, true, false]) {
    const own = workersCache(hosts, { user, model }, used) ?? '';
    assert.equal(own, `${hosts}-workers-4000`);
    const { uid, gid, mode } = statSync(own);
    assert.deepEqual([uid, gid, mode & 0o777], [4000, 4001, 0o700]);
  }
});

test('workers of another user share the cache of the host where it has a folder for them', () => {
  const { hosts, used } = cacheOfHost();
  symlinkSync('v24-x64-0', join(hosts, 'v24-x64-4000'));
  assert.equal(workersCache(hosts, { user, model: false }, used), hosts);
});

test('a folder of somebody else, a link and a folder that cannot be made are no cache for another user', { skip: notRoot }, () => {
  const [one, two] = [cacheOfHost(), cacheOfHost()];
  mkdirSync(`${one.hosts}-workers-4000`);
  assert.equal(workersCache(one.hosts, { user, model: false }, one.used), one.hosts);
  const theirs = folder();
  chownSync(theirs, user.uid, user.gid);
  symlinkSync(theirs, `${two.hosts}-workers-4000`);
  assert.equal(workersCache(two.hosts, { user, model: false }, two.used), two.hosts);
  assert.equal(workersCache('/proc/cache', { user, model: false }), '/proc/cache');
});
