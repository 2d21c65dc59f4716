import assert from 'node:assert/strict';
import test from 'node:test';
import { HandOver } from '../../../../server/collection/host/hand-over.ts';
import { BatchReader, Body, type ExchangeRecord, type Side } from '../../../../server/collection/records.ts';

const SLAB = 256 * 1024;

const side = (...body: Buffer[]): Side => ({
  state: Body.kept,
  contentType: 'application/json',
  headers: [],
  body,
  bodyBytes: body.reduce((sum, { length }) => sum + length, 0),
});
const exchange = (id: string, ...body: Buffer[]): ExchangeRecord => ({
  time: 1,
  id,
  method: 'POST',
  url: '/score',
  status: 200,
  request: side(...body),
  response: side(Buffer.from('answer')),
});

/** A `collect` frame's payload. */
function rows(text: string): Buffer {
  const head = Buffer.from(JSON.stringify({ id: 'rows', time: 1 }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([Buffer.from([1]), Buffer.from('c'), length, head, Buffer.from(text)]);
}

interface Posted {
  readonly batch: ArrayBuffer;
  readonly ids: string[];
  readonly bodies: string[];
}

/** A hand-over, and the batches that it posts, as the writer's thread reads them. */
function open(): { readonly handOver: HandOver; readonly posted: Posted[] } {
  const posted: Posted[] = [];
  const reader = new BatchReader();
  const handOver = new HandOver((batch, bytes) => {
    const [ids, bodies]: [string[], string[]] = [[], []];
    reader.read(Buffer.from(batch, 0, bytes), {
      exchange: ({ id, request, response }) => {
        ids.push(id);
        bodies.push(`${Buffer.concat(request.body).toString()} ${Buffer.concat(response.body).toString()}`);
      },
      rows: (_collection, head, bytesOfRows) => {
        ids.push(head.id);
        bodies.push(bytesOfRows.toString());
      },
    });
    posted.push({ batch, ids, bodies });
  });
  return { handOver, posted };
}

test('small records share a buffer, which leaves after a while', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { handOver, posted } = open();
  handOver.exchange(exchange('a', Buffer.from('1'), Buffer.from('2')));
  handOver.rows(rows('[3]'));
  handOver.exchange(exchange('b', Buffer.from('4')));
  t.mock.timers.tick(49);
  assert.equal(posted.length, 0);
  t.mock.timers.tick(1);
  assert.deepEqual(posted[0]?.ids, ['a', 'rows', 'b']);
  assert.deepEqual(posted[0]?.bodies, ['12 answer', '[3]', '4 answer']);
  handOver.flush();
  assert.equal(posted.length, 1);
});

test('a buffer leaves when the next record finds no room in it, and is filled again when it comes back', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { handOver, posted } = open();
  for (let n = 0; n < 9; n++) handOver.exchange(exchange(String(n), Buffer.alloc(60 * 1024)));
  assert.deepEqual(
    posted.map(({ ids }) => ids),
    [
      ['0', '1', '2', '3'],
      ['4', '5', '6', '7'],
    ],
  );
  assert.ok(posted.every(({ batch }) => batch.byteLength === SLAB));
  const [first] = posted;
  handOver.recycle(first!.batch);
  handOver.recycle(new ArrayBuffer(10));
  handOver.flush();
  handOver.exchange(exchange('again'));
  handOver.flush();
  assert.deepEqual(posted.map(({ ids }) => ids).slice(2), [['8'], ['again']]);
  assert.equal(posted[3]?.batch, first?.batch);
});

test('a thread that is stuck gets four buffers that are not full; the next ones wait until it goes on, or are full', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { handOver, posted } = open();
  for (let n = 0; n < 20; n++) {
    handOver.exchange(exchange(String(n)));
    t.mock.timers.tick(50);
  }
  assert.deepEqual(
    posted.map(({ ids }) => ids),
    [['0'], ['1'], ['2'], ['3']],
  );
  handOver.recycle(posted[0]!.batch);
  assert.equal(posted[4]?.ids.length, 16);
  for (let n = 0; n < 5; n++) handOver.exchange(exchange('full', Buffer.alloc(60 * 1024)));
  assert.equal(posted[5]?.ids.length, 4);
});

test('large records travel alone, whole, and in their order', async (t) => {
  // A small record leaves when it is asked to, however long the copies take.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { handOver, posted } = open();
  const large = Buffer.alloc(3 * 1024 * 1024, 'x');
  handOver.exchange(exchange('large', large, Buffer.from('end')));
  handOver.rows(rows(`["${'y'.repeat(100_000)}"]`));
  handOver.exchange(exchange('small'));
  await handOver.flushed();
  assert.deepEqual(
    posted.map(({ ids }) => ids),
    [['large'], ['rows'], ['small']],
  );
  assert.equal(posted[0]?.bodies[0], `${large.toString()}end answer`);
  assert.equal(posted[1]?.bodies[0], `["${'y'.repeat(100_000)}"]`);
});

test('discarded records are not passed on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { handOver, posted } = open();
  handOver.exchange(exchange('small'));
  handOver.exchange(exchange('under way', Buffer.alloc(3 * 1024 * 1024)));
  handOver.exchange(exchange('large', Buffer.alloc(100_000)));
  handOver.discard();
  await handOver.flushed();
  assert.deepEqual(posted, []);
});

test('the copy of a large body leaves the event loop free', async () => {
  const { handOver } = open();
  const pieces = Array.from({ length: 512 }, () => Buffer.alloc(64 * 1024));
  let turns = 0;
  let done = false;
  const turn = (): void => {
    turns++;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  handOver.exchange(exchange('i', ...pieces));
  await handOver.flushed();
  done = true;
  assert.ok(turns >= 16, `${turns} turns`);
});
