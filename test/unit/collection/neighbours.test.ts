import assert from 'node:assert/strict';
import test from 'node:test';
import { collect, noFiles, type Given } from './collect-records.ts';

// Parts that lines share are encoded once. Each of these differs from the one before in a part that
// could be taken over by mistake.
const plain: Given = { id: 'a', type: 'application/json', body: ['[1]'], answer: '[1]' };
const neighbours: readonly Given[] = [
  plain,
  plain,
  { ...plain, id: 'a much longer id, with "quotes" and \u00e9' },
  { ...plain, body: ['[22]'], answer: '[333]' },
  { ...plain, url: '/other' },
  { ...plain, url: '/score?q=1' },
  { ...plain, method: 'PUT' },
  { ...plain, status: 500 },
  { ...plain, status: 404 },
  { ...plain, type: 'text/plain' },
  { ...plain, type: 'image/png' },
  { ...plain, answerType: 'text/plain', answer: 'text' },
  { ...plain, answerType: 'image/png', answer: '[1]' },
  { ...plain, headers: ['x-tenant', 'one'] },
  { ...plain, headers: ['x-tenant', 'two'] },
  { ...plain, body: undefined },
  { ...plain, body: [] },
];

test('a line says the same among others as alone', async () => {
  const between = neighbours.flatMap((given) => [given, plain]);
  const { events } = await collect(between, noFiles);
  const alone = await Promise.all(between.map(async (given) => (await collect(given, noFiles)).events));
  for (const collection of ['request', 'response']) {
    const of = (each: Record<string, unknown>[]): unknown[] =>
      each.filter(({ type }) => type === `azureml.inference.${collection}`).map(({ id: _id, time: _time, ...rest }) => rest);
    assert.deepEqual(of(events), of(alone.flat()));
    assert.equal(of(events).length, between.length);
  }
  assert.equal(new Set(events.map(({ id }) => id)).size, 2 * between.length, 'each has an id of its own');
});
