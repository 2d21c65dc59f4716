import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from '../python-test.ts';
import { alive, noProc } from '../../set-up/processes.ts';
import { until } from '../../set-up/until.ts';
import { withPython } from './python-workers.ts';

test('at its end a script is closed, its exit handlers run, and its processes end', () =>
  withPython('closes.py', async (workers) => {
    const [pid, child] = (await workers.score(1)).json as [number, number];
    await workers.stop();
    const texts = workers.lines.map(({ msg }) => msg);
    assert.ok(texts.indexOf('closing') >= 0 && texts.indexOf('closing') < texts.indexOf('exit handler'), texts.join('\n'));
    await until(() => !alive(pid) && !alive(child));
  }));

test('signals that end processes do not end a worker', () =>
  withPython('closes.py', async (workers) => {
    const [pid] = (await workers.score('signal')).json as [number, number];
    assert.deepEqual(((await workers.score(1)).json as unknown[])[0], pid);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.kill(pid, signal);
    assert.deepEqual(((await workers.score(1)).json as unknown[])[0], pid);
  }));

for (const [way, expected] of [
  ['fork', [1, 2, 3]],
  ['spawn', [1, 2, 3]],
  ['os.fork', 'of the parent'],
  ['sys.exit', 3],
  ['terminate', -15],
  ['counts', 0],
] as const)
  for (const concurrency of [1, 2])
    test(`a script may start processes (${way}, ${concurrency} at a time), and the pipe stays whole`, () =>
      withPython(
        'forks.py',
        async (workers) => {
          assert.deepEqual((await workers.score(way)).json, expected);
          assert.deepEqual((await workers.score(way)).json, expected);
          assert.equal(workers.pids.length, 1);
        },
        { start: { concurrency, concurrencyIsDefault: false } },
      ));

test('a child that was forked prints without the pipe', () =>
  withPython('forks.py', async (workers) => {
    await workers.score('os.fork', { id: 'forks' });
    assert.equal((await workers.lineWith('before the fork'))['requestId'], 'forks');
    assert.equal((await workers.lineWith('in the child'))['requestId'], undefined);
  }));

test('a process that the script starts has no pipe to write to', () =>
  withPython('forks.py', async (workers) => {
    assert.notEqual((await workers.score('child writes')).json, 0);
    assert.equal(workers.pids.length, 1);
  }));

for (const concurrency of [1, 2])
  test(`a script that closes the pipe is a lost worker at once (${concurrency} at a time)`, () =>
    withPython(
      'forks.py',
      async (workers) => {
        await assert.rejects(workers.score('close'), { code: 'worker_lost' });
        assert.equal((await workers.score('os.fork')).json, 'of the parent');
        await workers.lineWith('closed the pipe to the server (fd 3)');
      },
      { start: { concurrency, concurrencyIsDefault: false } },
    ));

test('bytes of the script on the pipe cost the worker and nobody else', () =>
  withPython('forks.py', async (workers) => {
    await assert.rejects(workers.score('garbage'), { code: 'worker_lost' });
    assert.equal((await workers.score('os.fork')).json, 'of the parent');
  }));

test('a worker keeps no more than the threads and processes that it needs', { skip: noProc }, () =>
  withPython('pid.py', async (workers) => {
    const pid = Number((await workers.score(1)).json);
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /Threads:\s+2\n/);
  }),
);
