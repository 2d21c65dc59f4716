import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import test from 'node:test';
import { start } from './start.ts';

const SIZE = 4 * 2 ** 20;

test('an answer counts in memory until its client has taken it, or has left', async (t) => {
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
  // It is not read: its window closes.
  while (scorer.answers.bytes < SIZE) await new Promise(setImmediate);
  assert.equal(scorer.answers.bytes, SIZE);
  stream.destroy();
  while (scorer.answers.bytes > 0) await new Promise(setImmediate);
  session.close();

  await client.call('ModelInfer', Buffer.alloc(0)).catch(() => undefined);
  while (scorer.answers.bytes > 0) await new Promise(setImmediate);
});
