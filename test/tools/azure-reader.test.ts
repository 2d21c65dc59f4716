import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from '../collection/start-collecting.ts';
import { folder } from '../set-up/folder.ts';

const READER = fileURLToPath(new URL('readers/read_layout.py', import.meta.url));
const missing = spawnSync('python3', ['--version']).error !== undefined && 'python3 is not installed';

test("a reader like Azure's finds the rows that a script collects", { skip: missing }, async (t) => {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir, MDC_COLLECTIONS: 'model_inputs,model_outputs' });
  await Promise.all(['a', 'b'].map((id) => server.score({}, { 'x-request-id': id })));
  await server.drain();
  const read = (collection: string): { id: string }[] => {
    const path = join(dir, 'ep', 'blue', collection);
    const { status, stdout, stderr } = spawnSync('python3', [READER, path], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as { id: string }[]).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  };
  assert.deepEqual(read('model_inputs'), [
    { id: 'a_0', y: 1, w: 3 },
    { id: 'a_1', y: 2, w: 4 },
    { id: 'b_0', y: 1, w: 3 },
    { id: 'b_1', y: 2, w: 4 },
  ]);
  assert.deepEqual(read('model_outputs'), [
    { id: 'a_0', score_0: 0.5, score_1: 1 },
    { id: 'a_1', score_0: null, score_1: 2 },
    { id: 'b_0', score_0: 0.5, score_1: 1 },
    { id: 'b_1', score_0: null, score_1: 2 },
  ]);
});
