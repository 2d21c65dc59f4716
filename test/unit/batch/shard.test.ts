import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isIn, readShard } from '../../../server/batch/shard.ts';

test('the shards of any number cover every input exactly once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 200 }), (of, inputs) => {
      const shards = Array.from({ length: of }, (_, index) => readShard(`${index}/${of}`, {}));
      for (let at = 0; at < inputs; at++) assert.equal(shards.filter((shard) => isIn(shard, at)).length, 1);
    }),
  );
});

test('auto takes the index of the pod in its Job', () => {
  assert.deepEqual(readShard('auto/4', { JOB_COMPLETION_INDEX: '3' }), { index: 3, of: 4 });
});

for (const { text, index, says } of [
  { text: '1', says: /expected i\/n/ },
  { text: '-1/2', says: /expected i\/n/ },
  { text: '0/0', says: /expected i\/n/ },
  { text: '1.5/2', says: /expected i\/n/ },
  { text: 'auto', says: /expected i\/n/ },
  { text: '2/2', says: /index from 0 to 1/ },
  { text: '0/99999999', says: /expected i\/n/ },
  { text: 'auto/2', says: /JOB_COMPLETION_INDEX.*got ""/ },
  { text: 'auto/2', index: 'x', says: /JOB_COMPLETION_INDEX.*got "x"/ },
  { text: 'auto/2', index: '2', says: /index from 0 to 1, got JOB_COMPLETION_INDEX=2/ },
])
  test(`the shard ${text} with the index ${index ?? 'unset'} is refused`, () => {
    assert.throws(() => readShard(text, { JOB_COMPLETION_INDEX: index }), says);
  });
