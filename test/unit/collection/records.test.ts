import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BatchReader,
  Body,
  collectionOf,
  exchangeBytes,
  ExchangeHeads,
  isKept,
  rowsBytes,
  writeExchange,
  writeRows,
  type ExchangeRecord,
  type Side,
} from '../../../server/collection/records.ts';
import type { CollectHead } from '../../../server/ipc/collected-rows.ts';

const side = (own: Partial<Side> = {}): Side => ({ state: Body.kept, contentType: 'a/b', headers: [], body: [], bodyBytes: 0, ...own });
const body = (...texts: readonly string[]): Pick<Side, 'body' | 'bodyBytes'> => {
  const pieces = texts.map((text) => Buffer.from(text));
  return { body: pieces, bodyBytes: Buffer.concat(pieces).length };
};
const record = (own: Partial<ExchangeRecord> = {}): ExchangeRecord => ({
  time: 1_772_734_585_123.5,
  id: 'an id',
  method: 'POST',
  url: '/score?x=1',
  status: 200,
  request: side(body('[1]')),
  response: side(body('[2]')),
  ...own,
});

/** The records as one batch, with something before and behind it. */
function batchOf(records: readonly ExchangeRecord[]): Buffer {
  const heads = new ExchangeHeads();
  return Buffer.concat(
    records.map((each) => {
      const head = heads.of(each);
      const into = Buffer.alloc(exchangeBytes(each));
      let at = writeExchange(into, 0, head, each);
      for (const piece of [...each.request.body, ...each.response.body]) at += piece.copy(into, at);
      assert.equal(at, into.length, 'the length is exact');
      return into;
    }),
  );
}

function readAll(batch: Buffer, reader = new BatchReader()): ExchangeRecord[] {
  const records: ExchangeRecord[] = [];
  reader.read(batch, { exchange: (each) => records.push(each), rows: () => assert.fail('no rows are expected') });
  return records;
}

/** A record as it is read: each body is one piece. */
const joined = (given: ExchangeRecord): ExchangeRecord => {
  const join = (each: Side): Side => ({ ...each, body: [Buffer.concat(each.body)] });
  return { ...given, request: join(given.request), response: join(given.response) };
};

const varied: readonly ExchangeRecord[] = [
  record(),
  record({ id: 'another', request: side(body('pieces ', 'of ', 'a body')) }),
  record({ url: '/other', method: 'PUT' }),
  record({ status: 65_535, time: 0 }),
  record({ request: side({ contentType: '' }), response: side({ contentType: 'x'.repeat(5000), ...body('') }) }),
  record({ request: side({ headers: ['x-a', '1', 'x-b', ''] }), response: side({ headers: ['x-c', 'caf\u00e9'], ...body('\u00e9\0') }) }),
  record({ response: side({ headers: ['x-d', '2'] }) }),
  ...Object.values(Body).map((state) => record({ request: side({ state }), response: side({ state, ...body('z') }) })),
  record(),
];

test('a record is read as it was written, whatever its neighbours share with it', () => {
  const read = readAll(batchOf(varied));
  assert.deepEqual(read, varied.map(joined));
});

test('heads do not leak from one batch to the next', () => {
  const reader = new BatchReader();
  for (const each of varied) assert.deepEqual(readAll(batchOf([each]), reader), [joined(each)]);
});

test('bodies are views of the batch, and other fields are not', () => {
  const batch = batchOf([record()]);
  const [read] = readAll(batch);
  assert.equal(read?.request.body[0]?.buffer, batch.buffer);
  batch.fill(0);
  assert.deepEqual([read?.id, read?.url, read?.request.contentType], ['an id', '/score?x=1', 'a/b']);
});

test('neighbours with the same head share its bytes', () => {
  const heads = new ExchangeHeads();
  const head = heads.of(record());
  assert.equal(heads.of(record({ id: 'another', status: 500 })), head);
  assert.notEqual(heads.of(record({ url: '/' })), head);
});

test('rows stand between exchanges, with their collection, their head and their size', () => {
  const head: CollectHead = { id: 'an id', time: 5, headers: { x: 'y' }, modelVersion: '2', v1: 'inputs' };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const payload = Buffer.concat([Buffer.from([6]), Buffer.from('inputs'), length, text, Buffer.from('[{"a":1}]')]);
  assert.equal(collectionOf(payload), 'inputs');
  const into = Buffer.alloc(rowsBytes(payload));
  assert.equal(writeRows(into, 0, payload), into.length);
  const read: unknown[] = [];
  new BatchReader().read(Buffer.concat([batchOf([record()]), into, batchOf([record()])]), {
    exchange: ({ id }) => read.push(id),
    rows: (collection, given, rows) => read.push([collection, given, rows.toString()]),
  });
  assert.deepEqual(read, ['an id', ['inputs', head, '[{"a":1}]'], 'an id']);
});

test('an empty batch has no records', () => {
  assert.deepEqual(readAll(Buffer.alloc(0)), []);
});

test('a body is kept in four states', () => {
  const kept = Object.entries(Body).flatMap(([name, state]) => (isKept({ state }) ? [name] : []));
  assert.deepEqual(kept, ['kept', 'parsed', 'written', 'partial']);
});
