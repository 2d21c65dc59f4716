import assert from 'node:assert/strict';
import test from 'node:test';
import { Layout } from '../../../server/collection/encode/layout.ts';
import { Pending } from '../../../server/collection/deliver/pending.ts';
import { settings } from '../../collection/start-writer.ts';
import { collect, noFiles, type Given } from './collect-records.ts';

// What lines share is encoded once: each of these differs from the one before in something that could be taken over by mistake.
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

test('blocks are appended in their order; those that follow each other in memory as one piece, without a copy', () => {
  const memory = Buffer.from(new TextEncoder().encode('a\nb\nc\nd\n').buffer);
  // Where the second one of `memory` ends, but in other memory.
  const elsewhere = Buffer.from(new TextEncoder().encode('1234e\n').buffer).subarray(4);
  const pending = new Pending(new Layout(settings, 'host'));
  for (const data of [memory.subarray(0, 2), memory.subarray(2, 4), elsewhere, memory.subarray(6, 8), memory.subarray(4, 6)])
    pending.add({ collection: 'request', hour: '2026-03-05T18', v1: false, data, records: 1, cost: 0, counted: true, payloads: [] });
  const pieces = pending.take(0, 0, 0)?.pieces ?? [];
  assert.deepEqual(pieces.map(String), ['a\nb\n', 'e\n', 'd\n', 'c\n']);
  assert.equal(pieces[0]?.buffer, memory.buffer);
});
