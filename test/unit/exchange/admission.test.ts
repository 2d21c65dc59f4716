import assert from 'node:assert/strict';
import test from 'node:test';
import { Admission } from '../../../server/exchange/admission.ts';
import { FakeScorer } from '../../http/fake-scorer.ts';

function admission(): { scorer: FakeScorer; admission: Admission } {
  const scorer = new FakeScorer();
  return { scorer, admission: new Admission(scorer) };
}

test('an admission releases what it reserved, once', () => {
  const { scorer, admission: body } = admission();
  body.grow(100, 'small');
  body.grow(20, 'whole');
  body.shrink(30);
  assert.deepEqual([scorer.reserved, body.reserved, body.open], [90, 90, true]);
  body.cancel();
  body.cancel();
  assert.deepEqual([scorer.reserved, body.open], [0, false]);
  assert.deepEqual(scorer.calls, ['grow 100', 'grow 20', 'release 30', 'release 90']);
});

test('an admission releases at most what it reserved', () => {
  const { scorer, admission: body } = admission();
  body.grow(10, 'whole');
  body.shrink(50);
  body.shrink(50);
  assert.deepEqual(scorer.calls, ['grow 10', 'release 10']);
});

test('an admission that is handed over leaves the bytes of the body to the scorer', () => {
  const { scorer, admission: body } = admission();
  body.grow(100, 'whole');
  body.handOver(60);
  body.cancel();
  assert.deepEqual([scorer.reserved, body.open], [60, false]);
});

test('an admission that is refused reserves nothing', () => {
  const { scorer, admission: body } = admission();
  scorer.refuseGrow = new Error('full');
  assert.throws(() => body.grow(100, 'large'), /full/);
  body.cancel();
  assert.deepEqual(scorer.calls, ['release 0']);
});
