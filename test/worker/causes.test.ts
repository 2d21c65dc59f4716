import assert from 'node:assert/strict';
import test from 'node:test';
import { freePort } from '../e2e/free-port.ts';
import { read, withWorkers, Workers } from './start-workers.ts';

const env = { CLOSED: String(await freePort()) };
/** The chain of a `fetch` that nobody answers: V8 knows no place of the first error. */
const CHAIN = [
  /TypeError: fetch failed/,
  /\[cause\]: Error: connect ECONNREFUSED 127\.0\.0\.1:\d+\n +at /,
  /code: 'ECONNREFUSED'/,
  /syscall: 'connect'/,
];

function assertChain(text: unknown): void {
  for (const link of CHAIN) assert.match(String(text), link);
  assert.equal(String(text).match(/fetch failed/g)?.length, 1, String(text));
}

test('what run() or a stream throws is in the log with its causes, and out of the answer', () =>
  withWorkers(
    'fails-with-causes.ts',
    async (workers) => {
      for (const way of ['run', 'before a stream']) {
        await assert.rejects(workers.score(way), (error: { code: string; message: string; clientMessage: string }) => {
          assert.equal(error.code, 'run_failed');
          assertChain(error.message);
          assert.doesNotMatch(error.clientMessage, /fetch|ECONN/);
          return true;
        });
      }
      await assert.rejects(
        async () => read(await workers.begin('within a stream').reply),
        (error: { message: string }) => {
          assertChain(error.message);
          return true;
        },
      );
    },
    { env },
  ));

test('the errors of an AggregateError are logged with their fields and causes', () =>
  withWorkers(
    'fails-with-causes.ts',
    async (workers) =>
      assert.rejects(workers.score('several'), (error: { message: string }) => {
        assertChain(error.message);
        assert.match(error.message, /^AggregateError: both failed\n {4}at /);
        assert.match(error.message, /\[errors\]: \[[\s\S]*RangeError: the second of two\n +at [\s\S]*status: 418/);
        return true;
      }),
    { env },
  ));

test('a forgotten promise and an uncaught exception are logged with their causes', () =>
  withWorkers(
    'fails-with-causes.ts',
    async (workers) => {
      await workers.score('rejection');
      assertChain((await workers.lineWith('unhandled rejection in the entry script'))['msg']);
      await assert.rejects(workers.score('timer'), { code: 'worker_lost' });
      const { msg } = await workers.lineWith('uncaught exception in the entry script');
      assert.match(String(msg), /Error: in a timer\n +at [\s\S]*\[cause\]: \[TypeError: fetch failed\]/);
      assertChain(msg);
    },
    { env },
  ));

for (const [place, code, words] of [
  ['import', 'script_broken', /Failed to import user script because it raised an unhandled exception/],
  ['init', 'init_failed', /^User's init function failed: User script at .*: init\(\) raised an exception: TypeError/],
  ['sample', 'init_failed', /run\(\) failed on the sample/],
] as const) {
  test(`what is thrown at ${place} is logged with its causes`, async () => {
    const workers = new Workers('fails-with-causes.ts', { env: { ...env, FAILS_AT: place } });
    try {
      const error = await workers.failure;
      assert.equal(error.code, code);
      assert.match(error.message, words);
      assertChain(error.message);
    } finally {
      await workers.stop();
    }
  });
}

test('a ScoringError logs its cause with the id of the request, and nothing without one', () =>
  withWorkers(
    'fails-with-causes.ts',
    async (workers) => {
      await workers.score('scoring error without a cause', { id: 'quiet' });
      await workers.score('thrown Response', { id: 'quiet' });
      const answer = await workers.score('scoring error', { id: 'with-a-cause' });
      assert.deepEqual([answer.status, answer.text], [502, '{"message":"the other service failed"}']);
      const { level, msg, requestId } = await workers.lineWith('the other service failed');
      assert.deepEqual([level, requestId], ['warn', 'with-a-cause']);
      assert.match(String(msg), /^run\(\) answered 502 for a cause: ScoringError: the other service failed\n {4}at /);
      assertChain(msg);
      assert.deepEqual(
        workers.lines.filter((line) => line['requestId'] === 'quiet'),
        [],
      );
    },
    { env },
  ));

test('an error in a field of the log, or in place of the fields, shows message, stack and causes', () =>
  withWorkers(
    'fails-with-causes.ts',
    async (workers) => {
      await workers.score('error as fields');
      for (const text of ['as fields', 'odd fields']) {
        if (text === 'odd fields') await workers.score(text);
        const { err } = (await workers.line(({ msg }) => msg === text)) as { err: Record<string, unknown> };
        assert.equal(err['message'], 'fetch failed');
        assertChain(err['stack']);
      }
    },
    { env },
  ));

test('values that JSON does not hold are readable in fields of the log, beside those that it does', () =>
  withWorkers(
    'fails-with-causes.ts',
    async (workers) => {
      await workers.score('odd fields');
      const { map, set, big, nan, pattern, bytes, buffer, headers, deep, date, plain } = await workers.lineWith('odd fields');
      assert.deepEqual(
        { map, set, big, nan, pattern, bytes, deep, date, plain },
        {
          map: "Map(1) { 'a' => { b: 1 } }",
          set: "Set(2) { 1, 'x' }",
          big: '12345678901234567890',
          nan: 'NaN',
          pattern: '/x+/g',
          bytes: 'Uint8Array(2) [ 1, 2 ]',
          deep: [{ map: 'Map(1) { 1 => 2 }' }],
          date: '1970-01-01T00:00:00.000Z',
          plain: { list: [1, 'two', null, true] },
        },
      );
      assert.match(String(buffer), /^<Buffer 03>$/);
      assert.match(String(headers), /accept: 'x'/);
    },
    { env },
  ));
