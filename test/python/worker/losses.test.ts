import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { folder } from '../../set-up/folder.ts';
import { until } from '../../set-up/until.ts';
import { withPython } from './python-workers.ts';

for (const [way, how] of [
  ['exit', 'exit code 5'],
  ['exit with a text', 'exit code 1'],
  ['interrupt', 'exit code 130'],
  ['_exit', 'exit code 7'],
  ['abort', 'signal SIGABRT'],
  ['segfault', 'signal SIGSEGV'],
  ['kill', 'signal SIGKILL'],
] as const) {
  for (const concurrency of [1, 4])
    test(`a script that ends its process (${way}, ${concurrency} at a time) is a lost worker, and its replacement serves`, () =>
      withPython(
        'ends.py',
        async (workers) => {
          const { json: first } = await workers.score('pid');
          await assert.rejects(workers.score(way), { code: 'worker_lost', message: new RegExp(how) });
          assert.equal((await workers.score('fine')).json, 'fine');
          assert.notEqual((await workers.score('pid')).json, first);
        },
        { start: { concurrency, concurrencyIsDefault: false } },
      ));
}

for (const concurrency of [1, 4])
  test(`a handler of a signal that exits ends its worker (${concurrency} at a time)`, () =>
    withPython(
      'exits_by_signal.py',
      async (workers) => {
        const { json: pid } = await workers.score(1);
        process.kill(Number(pid), 'SIGTERM');
        // The signal may come just before the wait for a frame: then the next frame ends that wait.
        await workers.score(1).catch(() => undefined);
        await workers.line(({ code }) => code === 6);
        assert.notEqual((await workers.score(1)).json, pid);
      },
      { start: { concurrency, concurrencyIsDefault: false } },
    ));

test('what waits behind a lost request is answered by the replacement, and nothing is run twice', async () => {
  const path = folder();
  const [begun, release] = [join(path, 'begun'), join(path, 'release')];
  await withPython(
    'runs_once.py',
    async (workers) => {
      const held = workers.begin('held');
      await until(() => existsSync(begun));
      const waits = ['a', 'b', 'c'].map((name) => workers.score(name));
      process.kill(Number(workers.pids.at(-1)), 'SIGKILL');
      await assert.rejects(held.reply, { code: 'worker_lost' });
      writeFileSync(release, '');
      assert.deepEqual(
        (await Promise.all(waits)).map(({ status }) => status),
        [200, 200, 200],
      );
      assert.deepEqual(readFileSync(begun, 'utf8').trim().split('\n').toSorted(), ['a', 'b', 'c', 'held']);
    },
    { env: { BEGUN_FILE: begun, RELEASE_FILE: release } },
  );
});

test('a crash in C code shows the traceback of Python in the log', () =>
  withPython('ends.py', async (workers) => {
    await assert.rejects(workers.score('segfault'), { code: 'worker_lost' });
    await workers.lineWith('Segmentation fault');
    await workers.line(({ msg }) => /ends\.py", line \d+ in run/.test(String(msg)));
  }));

for (const way of ['recurse', 'memory'])
  test(`an error that Python can raise (${way}) is answered, and the worker goes on`, () =>
    withPython('ends.py', async (workers) => {
      const { json: first } = await workers.score('pid');
      await assert.rejects(workers.score(way), { code: 'run_failed', message: way === 'recurse' ? /RecursionError/ : /MemoryError/ });
      assert.equal((await workers.score('pid')).json, first);
    }));

for (const [way, concurrency] of [
  ['hang', 1],
  ['spin', 1],
  ['hang', 4],
] as const)
  test(`a run that ignores its deadline (${way}, ${concurrency} at a time) acknowledges the cancel, and its worker is replaced`, () =>
    withPython(
      'ends.py',
      async (workers) => {
        const { json: first } = await workers.score('pid');
        await assert.rejects(workers.score(way), { code: 'deadline_exceeded' });
        await workers.lineWith('did not end after its cancel');
        assert.notEqual((await workers.score('pid')).json, first);
      },
      { start: { concurrency, concurrencyIsDefault: false }, limits: { scoringTimeoutMs: 1500, cancelGraceMs: 500 } },
    ));

test('C code that holds the interpreter past the deadline is killed', () =>
  withPython(
    'ends.py',
    async (workers) => {
      await assert.rejects(workers.score('hold the lock'), { code: 'deadline_exceeded' });
      await workers.lineWith('did not react to a cancel');
      assert.equal((await workers.score('fine')).json, 'fine');
    },
    { limits: { scoringTimeoutMs: 1500, cancelGraceMs: 300 } },
  ));

test('a client that leaves costs nothing: the run goes on, and so does the worker', async () => {
  const path = folder();
  const [begun, release] = [join(path, 'begun'), join(path, 'release')];
  await withPython(
    'runs_once.py',
    async (workers) => {
      const left = workers.begin('left');
      await until(() => existsSync(begun));
      const waits = workers.score('waits');
      left.cancel();
      await assert.rejects(left.reply, { code: 'client_gone' });
      writeFileSync(release, '');
      assert.equal((await waits).json, '"waits"');
      assert.equal(workers.pids.length, 1);
    },
    { env: { BEGUN_FILE: begun, RELEASE_FILE: release } },
  );
});

test('no request is lost where a script ends its process at every second one', () =>
  withPython('ends.py', async (workers) => {
    for (let round = 0; round < 5; round++) {
      const lost = workers.score('exit');
      const fine = [workers.score('fine'), workers.score('fine')];
      await assert.rejects(lost, { code: 'worker_lost' });
      for (const each of fine) assert.equal((await each).json, 'fine');
    }
  }));
