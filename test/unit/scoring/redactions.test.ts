import assert from 'node:assert/strict';
import test from 'node:test';
import { Redactions } from '../../../server/scoring/redactions.ts';
import { FakeProcess } from './fake-process.ts';

test('bodies go to the hook in the pieces that they came in, without a copy', async () => {
  const process = new FakeProcess();
  const redactions = new Redactions({ leastLoaded: () => ({ process }) });
  const pieces = [Buffer.alloc(70_000), Buffer.from('end')];
  const done = redactions.redact('i', [
    { collection: 'request', contentType: 'application/json', body: pieces },
    { collection: 'response', contentType: 'text/plain', body: [Buffer.from('1')] },
  ]);
  const [{ head, bodies } = assert.fail('nothing was sent')] = process.redacts;
  assert.deepEqual(
    head.sides.map(({ bytes }) => bytes),
    [70_003, 1],
  );
  assert.ok(bodies[0] === pieces[0] && bodies[1] === pieces[1]);
  redactions.stop();
  assert.deepEqual(await done, ['stopped', 'stopped']);
});
