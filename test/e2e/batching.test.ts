import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeModel } from '../models/models.ts';
import { withServer, type ServerProcess } from './start-server.ts';

const ROWS = 12;

/** Scores so many rows at a time and answers the metrics that tell of them all; workers report some time after the answer. */
async function scored(server: ServerProcess): Promise<string> {
  await server.ready();
  const answers = await Promise.all(
    Array.from({ length: ROWS }, (_, row) => server.score({ inputs: { X: [Array.from({ length: 10 }, () => row)] } })),
  );
  for (const answer of answers) assert.equal(answer.status, 200);
  for (;;) {
    const text = await (await fetch(await server.url('/metrics'))).text();
    const rows = Array.from(text.matchAll(/^inference_batch_rows_sum\{.*\} (\d+)$/gm), ([, sum]) => Number(sum));
    if (rows.reduce((total, sum) => total + sum, 0) === ROWS) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ridge(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'batching-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return writeModel('ridge', folder);
}

test('MAX_BATCH_SIZE bounds the rows of an inference, and MAX_BATCH_DELAY_MS lets a call wait for others', { timeout: 30_000 }, (t) =>
  withServer(
    ['--model', ridge(t), '--max-batch-size', '5'],
    async (server) => {
      const text = await scored(server);
      // The last two waited for more, which did not come.
      assert.match(text, /^inference_batch_rows_count\{model="ridge",release="full"\} 2$/m);
      assert.match(text, /^inference_batch_rows_sum\{model="ridge",release="full"\} 10$/m);
      assert.match(text, /^inference_batch_rows_count\{model="ridge",release="delay"\} 1$/m);
      assert.match(text, /^session_info\{.*batching_reason="asked for \(MAX_BATCH_SIZE=5\)"/m);
    },
    { env: { MAX_BATCH_DELAY_MS: '1500' } },
  ),
);

test('with MAX_BATCH_SIZE=1 every call runs alone', { timeout: 30_000 }, (t) =>
  withServer(
    ['--model', ridge(t)],
    async (server) => {
      assert.match(await scored(server), new RegExp(`^inference_batch_rows_count\\{model="ridge",release="alone"\\} ${ROWS}$`, 'm'));
    },
    { env: { MAX_BATCH_SIZE: '1' } },
  ),
);
