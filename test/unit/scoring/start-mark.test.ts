import assert from 'node:assert/strict';
import { ftruncateSync, writeSync } from 'node:fs';
import test from 'node:test';
import { StartMark } from '../../../server/scoring/start-mark.ts';
import { redactionMarkIn } from '../../../server/worker/collect/redaction-mark.ts';
import { markIn } from '../../../server/worker/intake.ts';

test('the mark tells how many runs have begun; what is no count tells that any may have', (t) => {
  const mark = new StartMark();
  t.after(() => mark.close());
  const { fd } = mark;
  assert.ok(fd !== undefined);
  assert.equal(mark.read(), 0);
  markIn(fd)(5);
  assert.equal(mark.read(), 5);
  // Text that a script, or a program that it started, wrote to this descriptor.
  for (const text of ['hello\n', 'x', '00000000', '12345678', ' '.repeat(8), '\n'.repeat(8), 'a whole line of a log\n']) {
    markIn(fd)(5);
    writeSync(fd, Buffer.from(text), 0, text.length, 0);
    assert.equal(mark.read(), Infinity, JSON.stringify(text));
  }
  ftruncateSync(fd, 0);
  assert.equal(mark.read(), Infinity);
});

test('the mark tells which redactions have begun, and which has the thread; what is no count tells neither', (t) => {
  const mark = new StartMark();
  t.after(() => mark.close());
  const { fd } = mark;
  assert.ok(fd !== undefined);
  assert.deepEqual(mark.readRedactions(), { begun: 0, holder: 0 });
  const redacts = redactionMarkIn(fd);
  redacts(2, 0xffff_ffff);
  markIn(fd)(5);
  assert.deepEqual([mark.readRedactions(), mark.read()], [{ begun: 2, holder: 0xffff_ffff }, 5]);
  redacts(2, 0);
  assert.deepEqual(mark.readRedactions(), { begun: 2, holder: 0 });
  writeSync(fd, 'a whole line of a log, and more', 0);
  assert.deepEqual(mark.readRedactions(), { begun: Infinity, holder: 0 });
  ftruncateSync(fd, 8);
  assert.deepEqual(mark.readRedactions(), { begun: Infinity, holder: 0 });
});
