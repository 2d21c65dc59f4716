import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadScript } from 'scoring-server/testing';

const script = await loadScript(new URL('score.ts', import.meta.url));
after(() => script.close());

test('houses get their prices, and are counted and collected', async () => {
  const houses = [{ rooms: 3, area: 80 }];
  // What run() returned: a typed array is still one.
  assert.deepEqual(await script.run({ houses }, { id: 'one' }), { prices: Float32Array.of(190) });
  assert.equal(script.metric('houses_priced_total'), 1);
  assert.deepEqual(script.collected, [{ collection: 'model_inputs', id: 'one', rows: houses }]);
});

test('no houses are an error of the client', async () => {
  await assert.rejects(script.run({ houses: [] }), { status: 422, message: 'houses: expected at least one' });
});
