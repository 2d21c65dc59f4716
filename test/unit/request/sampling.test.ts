import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { isSampled } from '../../../server/request/sampling.ts';

test('the share of ids that is kept is the rate, for random ids and for counted ones', () => {
  for (const idOf of [() => randomUUID(), (n: number) => `request-${n}`, (n: number) => String(n)]) {
    for (const rate of [0.01, 0.1, 0.5]) {
      const count = 20_000;
      const kept = Array.from({ length: count }, (_, n) => isSampled(idOf(n), rate)).filter(Boolean).length;
      // Five standard deviations.
      assert.ok(Math.abs(kept - count * rate) < 5 * Math.sqrt(count * rate * (1 - rate)), `${kept} of ${count} at ${rate}`);
    }
  }
});

test('an id that is kept at a rate is kept at every higher one, everywhere', () => {
  for (let n = 0; n < 1000; n++) {
    const id = `id ${n}`;
    if (isSampled(id, 0.1)) assert.ok(isSampled(id, 0.2) && isSampled(id, 1));
    assert.equal(isSampled(id, 0), false);
  }
  // Replicas of other versions must agree.
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter((id) => isSampled(id, 0.5)),
    ['a', 'c', 'e', 'g', 'h'],
  );
});
