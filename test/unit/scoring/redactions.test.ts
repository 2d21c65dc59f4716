import assert from 'node:assert/strict';
import test from 'node:test';
import { Redactions } from '../../../server/scoring/redactions.ts';
import type { WorkerPool } from '../../../server/scoring/worker-pool.ts';
import type { RedactHead } from '../../../server/ipc/redaction.ts';

test('bodies go to the hook in the pieces that they came in, without a copy', async () => {
  const given: { head: RedactHead; bodies: readonly Uint8Array[] }[] = [];
  const process = { redact: (_number: number, head: RedactHead, bodies: readonly Uint8Array[]) => void given.push({ head, bodies }) };
  const redactions = new Redactions({ leastLoaded: () => ({ process }) } as unknown as WorkerPool);
  const pieces = [Buffer.alloc(70_000), Buffer.from('end')];
  const done = redactions.redact('i', [
    { collection: 'request', contentType: 'application/json', body: pieces },
    { collection: 'response', contentType: 'text/plain', body: [Buffer.from('1')] },
  ]);
  assert.deepEqual(
    given[0]?.head.sides.map(({ bytes }) => bytes),
    [70_003, 1],
  );
  assert.ok(given[0]?.bodies[0] === pieces[0] && given[0]?.bodies[1] === pieces[1]);
  redactions.stop();
  assert.deepEqual(await done, ['stopped', 'stopped']);
});
