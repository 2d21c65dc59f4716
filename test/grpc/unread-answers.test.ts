import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { LargeBuffers } from '../../server/system/large-buffers.ts';
import { start } from './start.ts';

const SIZE = 4 * 2 ** 20;

test('an answer counts in memory until its client has taken it, or has left', async (t) => {
  const used = t.mock.method(LargeBuffers.prototype, 'used');
  const { scorer, listening, client } = await start(t);
  scorer.outcome = () => ({ headers: [['content-type', 'application/grpc']], body: Buffer.alloc(SIZE) });
  const session = connect(`http://127.0.0.1:${listening.port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelInfer',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(Buffer.alloc(5));
  await once(stream, 'response');
  // Nothing reads the answer, so its window closes.
  while (scorer.answers.bytes < SIZE) await new Promise(setImmediate);
  assert.equal(scorer.answers.bytes, SIZE);
  assert.equal(used.mock.callCount(), 0, 'the answer cannot be collected yet');
  stream.destroy();
  while (scorer.answers.bytes > 0) await new Promise(setImmediate);
  assert.deepEqual(used.mock.calls[0]?.arguments, [SIZE]);
  session.close();

  await client.call('ModelInfer', Buffer.alloc(0)).catch(() => undefined);
  while (scorer.answers.bytes > 0) await new Promise(setImmediate);
});

test('the inflated bytes of a bomb count as memory to collect', async (t) => {
  const used = t.mock.method(LargeBuffers.prototype, 'used');
  const { listening } = await start(t, { bodyLimitBytes: SIZE });
  const bomb = gzipSync(Buffer.alloc(10 * SIZE));
  const head = Buffer.alloc(5, 1);
  head.writeUInt32BE(bomb.length, 1);
  const session = connect(`http://127.0.0.1:${listening.port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelInfer',
    'content-type': 'application/grpc',
    'grpc-encoding': 'gzip',
  });
  stream.end(Buffer.concat([head, bomb]));
  await once(stream.resume(), 'close');
  while (used.mock.callCount() === 0) await new Promise(setImmediate);
  const bytes = Number(used.mock.calls[0]?.arguments[0]);
  assert.ok(bytes >= SIZE && bytes < SIZE + 2 * bomb.length, String(bytes));
  session.close();
});
