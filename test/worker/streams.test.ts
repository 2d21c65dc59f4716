import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import { STREAM_WINDOW } from '../../server/ipc/limits.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { breakOf, read, withWorkers, type Workers } from './start-workers.ts';

async function streamOf(workers: Workers, data: unknown): Promise<Readable> {
  const { body } = await workers.begin(data).reply;
  assert.ok(body instanceof Readable);
  return body;
}

test('an async generator streams; the first chunk decides the content type', () =>
  withWorkers('stream.ts', async (workers) => {
    const text = await workers.score(['a', 'b', 'ü']);
    assert.deepEqual([text.headers['content-type'], text.text], ['text/plain; charset=utf-8', 'abü']);
    const objects = await workers.score([{ token: 1 }, { token: 2 }]);
    assert.deepEqual([objects.headers['content-type'], objects.text], ['application/x-ndjson', '{"token":1}\n{"token":2}\n']);
    assert.equal((await workers.score([])).text, '');
  }));

test('a generator without an await streams too', () =>
  withWorkers('stream-sync.ts', async (workers) => assert.equal((await workers.score(1000)).text.split('\n').length, 1001)));

test('a Response with a stream keeps its content type', () =>
  withWorkers('response-stream.ts', async (workers) => {
    const reply = await workers.begin(1).reply;
    assert.ok(reply.body instanceof Readable);
    const answer = await read(reply);
    assert.deepEqual([answer.headers['content-type'], answer.text], ['text/event-stream', '1;2;3;']);
  }));

test('what fails before the first chunk is an ordinary failure', () =>
  withWorkers('stream-breaks.ts', async (workers) => assert.rejects(workers.score({}), { code: 'run_failed' })));

test('what fails later breaks the stream off', () =>
  withWorkers('stream-breaks.ts', async (workers) => {
    const file = join(folder(), 'goes on');
    const error = await breakOf(workers.begin({ until: file }), () => writeFileSync(file, ''));
    assert.match(error.message, /the stream broke/);
  }));

test('a timer that fills a stream after its client has left does not cost the worker', () =>
  withWorkers('stream-by-timer.ts', async (workers) => {
    const facts = async (): Promise<{ pid: number; refused: number }> =>
      (await workers.score({ again: true })).json as { pid: number; refused: number };
    const { pid } = await facts();
    const stream = await streamOf(workers, { again: false });
    await once(stream, 'readable');
    stream.destroy();
    await until(async () => (await facts()).refused > 2);
    assert.equal((await facts()).pid, pid);
    const late = workers.lines.filter(({ msg }) => String(msg).includes('after its end'));
    assert.equal(late.length, 1);
    assert.match(String(late[0]?.['msg']), /stop in the cancel\(\) of its source[\s\S]*stream-by-timer\.ts:/);
  }));

test('a slow reader pauses the iterator, and one that leaves ends it', async () => {
  const path = folder();
  const progress = join(path, 'progress');
  await withWorkers('stream-endless.ts', async (workers) => {
    const stream = await streamOf(workers, { progress });
    await once(stream, 'readable');
    // Another request shows that the worker is free while its stream waits.
    const other = workers.begin({ progress: join(path, 'other') });
    const second = (await other.reply).body as Readable;
    second.destroy();
    const sent = Number(readFileSync(progress, 'utf8'));
    assert.ok(sent * 64 * 1024 <= STREAM_WINDOW + 2 * 64 * 1024, `sent ${sent} chunks`);
    stream.destroy();
    await workers.scorer.idle();
    assert.match(readFileSync(progress, 'utf8'), /^ended after/);
  });
});

test('the deadline bounds the time to the first chunk only', () =>
  withWorkers('stream-slow.ts', async (workers) => assert.equal((await workers.score(1000)).text, '0123'), {
    limits: { scoringTimeoutMs: 3000 },
  }));
