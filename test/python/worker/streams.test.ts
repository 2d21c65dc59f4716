import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from '../python-test.ts';
import { folder } from '../../set-up/folder.ts';
import { until } from '../../set-up/until.ts';
import { breakOf, type Workers } from '../../worker/start-workers.ts';
import { withPython } from './python-workers.ts';

const modes = [1, 4];

async function streamOf(workers: Workers, data: unknown): Promise<Readable> {
  const { body } = await workers.begin(data).reply;
  assert.ok(body instanceof Readable);
  return body;
}

for (const concurrency of modes) {
  const start = { concurrency, concurrencyIsDefault: false };
  const mode = `${concurrency} at a time`;

  test(`generators stream, and the first item decides the content type (${mode})`, () =>
    withPython(
      'streams.py',
      async (workers) => {
        for (const [how, type, text] of [
          ['text', 'text/plain; charset=utf-8', 'ab{"c":1}\n'],
          ['bytes', 'application/octet-stream', 'ba'],
          ['lines', 'application/x-ndjson', '{"a":1}\n[2]\ntext\n'],
          ['nothing', 'text/plain; charset=utf-8', ''],
          ['coroutine', 'text/plain; charset=utf-8', '012'],
        ]) {
          const answer = await workers.score(how);
          assert.deepEqual([answer.status, answer.headers['content-type'], answer.text], [200, type, text], how);
        }
      },
      { start },
    ));

  test(`a stream that is larger than its window arrives whole (${mode})`, () =>
    withPython('streams.py', async (workers) => assert.equal((await workers.score('large')).text.length, 1000 * 65_536), {
      start,
      env: { NOTES: folder() },
    }));

  test(`a client that leaves a stream closes its generator, and the worker goes on (${mode})`, async () => {
    for (const how of ['endless', 'large']) {
      const notes = folder();
      await withPython(
        'streams.py',
        async (workers) => {
          const stream = await streamOf(workers, how);
          await once(stream, 'readable');
          stream.destroy();
          await until(() => existsSync(join(notes, 'closed')));
          await workers.scorer.idle();
          assert.equal((await workers.score('pid')).json, workers.pids[0]);
          assert.equal(workers.pids.length, 1);
        },
        { start, env: { NOTES: notes } },
      );
    }
  });

  test(`a generator that fails before its first chunk is a failure, and later it breaks the stream (${mode})`, async () => {
    const notes = folder();
    await withPython(
      'streams.py',
      async (workers) => {
        await assert.rejects(workers.score('fails first'), { code: 'run_failed', message: /before the first chunk/ });
        await assert.rejects(workers.score('nested'), { code: 'result_not_json', message: /`yield from`/ });
        const error = await breakOf(workers.begin('fails later'), () => writeFileSync(join(notes, 'go on'), ''));
        assert.match(error.message, /after the first chunk/);
        assert.equal((await workers.score('pid')).json, workers.pids[0]);
      },
      { start, env: { NOTES: notes } },
    );
  });
}

test('a chunk beyond the limit of an answer is refused', () =>
  withPython('streams.py', (workers) => assert.rejects(workers.score('too large'), { code: 'answer_too_large' }), {
    start: { answerLimitBytes: 1000 },
  }));
