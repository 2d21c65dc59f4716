import assert from 'node:assert/strict';
import { test } from '../python-test.ts';
import type { Workers } from '../../worker/start-workers.ts';
import { withPython } from './python-workers.ts';

function texts({ lines }: Workers, id: string): string[] {
  return lines.filter(({ requestId }) => requestId === id).map(({ msg }) => String(msg));
}

test('a print is a line for each line, with the ids of its request', () =>
  withPython('prints.py', async (workers) => {
    await workers.score('say', { id: 'says' });
    await workers.lineWith('no end');
    assert.deepEqual(texts(workers, 'says'), ['one', 'two', 'three', 'abc', 'no end']);
    const line = await workers.line(({ msg }) => msg === 'one');
    assert.deepEqual([line['level'], line['traceId']], ['info', '0123456789abcdef0123456789abcdef']);
    const init = await workers.lineWith('printed in init');
    assert.equal(init['requestId'], undefined);
    assert.equal((await workers.lineWith('logged in init'))['level'], 'info');
  }));

test('records of logging have their level, and the name of their logger', () =>
  withPython('prints.py', async (workers) => {
    await workers.score('records', { id: 'records' });
    const last = await workers.lineWith('an exception');
    assert.match(String(last['msg']), /an exception\nTraceback[\s\S]*ValueError: the cause$/);
    assert.deepEqual(
      workers.lines.filter(({ requestId }) => requestId === 'records').map(({ level, logger }) => [level, logger]),
      [
        ['debug', 'my.logger'],
        ['info', 'my.logger'],
        ['warn', 'my.logger'],
        ['error', 'my.logger'],
      ],
    );
  }));

test('a record below the level of the log is not sent', () =>
  withPython(
    'prints.py',
    async (workers) => {
      await workers.score('records', { id: 'records' });
      await workers.lineWith('an exception');
      assert.equal(workers.lines.filter(({ msg }) => msg === 'a debug line').length, 0);
    },
    { start: { logLevel: 'info' } },
  ));

for (const [way, text, level] of [
  ['stderr', 'to stderr', 'error'],
  ['warning', 'UserWarning: careful', 'warn'],
  ['bytes', 'bytes é', 'info'],
  ['c', 'of printf', 'info'],
  ['stdin', "read ''", 'info'],
] as const)
  test(`what a script writes otherwise is in the log (${way})`, () =>
    withPython('prints.py', async (workers) => {
      assert.equal((await workers.score(way)).json, way);
      assert.equal((await workers.lineWith(text))['level'], level);
    }));

test('an exception of a thread is logged, and the worker goes on', () =>
  withPython('prints.py', async (workers) => {
    assert.equal((await workers.score('thread')).json, 'thread');
    const line = await workers.lineWith('uncaught exception in the thread mine');
    assert.match(String(line['msg']), /RuntimeError: of a thread/);
    assert.equal((await workers.score('say')).json, 'say');
  }));

test('a line that is too long is cut', () =>
  withPython('prints.py', async (workers) => {
    assert.equal((await workers.score('long')).json, 'long');
    const line = await workers.lineWith('xxxx');
    assert.equal(String(line['msg']).length, 64 * 1024);
  }));

test('100,000 prints leave the answer right, and every line is logged or counted', () =>
  withPython('prints.py', async (workers) => {
    assert.equal((await workers.score(100_000)).json, 100_000);
    await workers.score('say');
    await workers.lineWith('no end');
    const logged = workers.lines.filter(({ msg }) => /^line \d+$/.test(String(msg))).length;
    const page = await workers.metrics.registry.metrics();
    const dropped = Number(/worker_output_lost_total\{reason="dropped"\} (\d+)/.exec(page)?.[1]);
    assert.ok(logged > 1000, `${logged} lines`);
    assert.equal(logged + dropped, 100_000);
  }));

for (const [how, text, level] of [
  ['nothing', 'hello', 'info'],
  ['level', '<mine> hello', 'info'],
  ['stdout', 'out: hello', 'info'],
  ['handler', 'hello', 'error'],
  ['dict', 'hello', 'info'],
] as const)
  test(`logging that a script configures goes on working, and each record is one line (${how})`, () =>
    withPython(
      'configures_logging.py',
      async (workers) => {
        await workers.score(1, { id: 'logs' });
        await workers.score(1, { id: 'next' });
        const lines = workers.lines.filter(({ requestId, msg }) => requestId === 'logs' && String(msg).includes('hello'));
        assert.deepEqual(
          lines.map((line) => [line['msg'], line['level']]),
          [[text, level]],
        );
        const details = workers.lines.filter(({ msg }) => String(msg).includes('detail')).length;
        assert.equal(details, how === 'level' ? 2 : 0);
      },
      { env: { HOW: how }, start: { logLevel: how === 'level' ? 'debug' : 'info' } },
    ));
