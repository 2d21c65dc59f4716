import assert from 'node:assert/strict';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isAbandoned, own, touch } from '../../../../server/collection/spool/spool-owner.ts';
import { folder } from '../blocks.ts';

const HOUR_AGO = Date.now() / 1000 - 3600;

test('a folder belongs to its process as long as that lives', (t) => {
  const path = folder(t);
  assert.equal(isAbandoned(path), false, 'a folder without an owner is none of ours');
  own(path, process.pid);
  assert.equal(isAbandoned(path), false);
  const file = join(path, 'owner.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"started":"[^"]*"/, '"started":"before"'));
  assert.equal(isAbandoned(path), true, 'another process with the same id');
});

test('an owner on another host is gone after a minute without a heartbeat', (t) => {
  const path = folder(t);
  const file = join(path, 'owner.json');
  writeFileSync(file, JSON.stringify({ host: 'another', pid: 1, started: 'x' }));
  assert.equal(isAbandoned(path), false);
  utimesSync(file, HOUR_AGO, HOUR_AGO);
  assert.equal(isAbandoned(path), true);
  touch(path);
  assert.equal(isAbandoned(path), false);
  touch(join(path, 'nowhere'));
});

test('an owner that is half written, or has another form, counts by its age', (t) => {
  const path = folder(t);
  const file = join(path, 'owner.json');
  for (const wrong of [
    '',
    '{"host":',
    'null',
    '[]',
    '{}',
    '{"host":"another","pid":"1","started":"x"}',
    '{"host":1,"pid":1,"started":"x"}',
  ]) {
    writeFileSync(file, wrong);
    assert.equal(isAbandoned(path), false, wrong);
    utimesSync(file, HOUR_AGO, HOUR_AGO);
    assert.equal(isAbandoned(path), true, wrong);
  }
});
