import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Pieces } from '../../../server/http/pieces.ts';

const MB = 1024 * 1024;

/** Pieces of several lengths, each filled with a number of its own. */
const pieces = fc
  .array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 40_000 }), fc.constant(65_536)), {
    maxLength: 60,
  })
  .map((lengths) => lengths.map((length, at) => Buffer.alloc(length, at)));

test('a body has the added bytes in order, whatever the pieces, and its memory is counted', () => {
  fc.assert(
    fc.property(pieces, (all) => {
      const body = new Pieces();
      for (const piece of all) {
        body.add(Buffer.from(piece));
        assert.ok(body.held >= body.bytes && body.held <= body.bytes * 1.25 + 65_536);
      }
      const { bytes } = body;
      const taken = body.take();
      assert.equal(bytes, Buffer.concat(all).length);
      assert.ok(Buffer.concat([...taken]).equals(Buffer.concat(all)));
      assert.ok(taken.length <= 2 + bytes / 4096 + all.filter((piece) => piece.length >= 16_384).length * 2);
    }),
  );
});

test('a million pieces of one byte are a few dozen buffers', () => {
  const body = new Pieces();
  for (let at = 0; at < MB; at++) body.add(Buffer.of(at));
  assert.ok(body.held < 1.1 * MB);
  const taken = body.take();
  assert.ok(taken.length < 40, `${taken.length} buffers`);
  const whole = Buffer.concat([...taken]);
  for (let at = 0; at < MB; at += 4099) assert.equal(whole[at], at & 0xff);
});

test('a large body keeps its bytes across the limit from which it is copied', () => {
  const body = new Pieces();
  const all = Array.from({ length: 150 }, (_, at) => Buffer.alloc(65_536 - (at % 7), at));
  for (const piece of all) body.add(Buffer.from(piece));
  assert.ok(body.held - body.bytes < 65_536, 'pages that were never written do not count');
  assert.ok(Buffer.concat([...body.take()]).equals(Buffer.concat(all)));
});

test('a piece of a large body is freed once it is copied, and a view of a larger buffer is not', () => {
  const body = new Pieces();
  const own = Array.from({ length: 70 }, () => Buffer.alloc(65_536));
  const shared = Buffer.alloc(131_072);
  for (const piece of [...own, shared.subarray(0, 65_536)]) body.add(piece);
  assert.deepEqual([own[0]?.length, own.at(-1)?.length, shared.length], [65_536, 0, 131_072]);
});

test('a cleared body holds no memory', () => {
  const body = new Pieces();
  for (let at = 0; at < 10; at++) body.add(Buffer.alloc(1000));
  body.clear();
  assert.deepEqual([body.held, body.take().length], [0, 0]);
});
