import assert from 'node:assert/strict';
import { test } from '../python-test.ts';
import { pythonWorkers, withPython } from './python-workers.ts';

for (const [how, code, text] of [
  ['import', 'script_broken', /a_module_that_is_not_there/],
  ['raise at import', 'script_broken', /ValueError: at import/],
  ['init', 'init_failed', /User's init function failed: User script at \S+refuses\.py: init\(\) raised an exception: [\s\S]*in init/],
  ['exit', 'init_failed', /init\(\) raised an exception: [\s\S]*SystemExit: 9/],
] as const)
  test(`a script that cannot start is a failure that shows its own frames (${how})`, async () => {
    const workers = pythonWorkers('refuses.py', { env: { HOW: how } });
    try {
      const failure = await workers.failure;
      assert.equal(failure.code, code);
      assert.match(failure.message, text);
      assert.match(failure.message, /refuses\.py", line \d+/);
      assert.doesNotMatch(failure.message, /scoring_worker/);
    } finally {
      await workers.stop();
    }
  });

test('an exception of run() is a failure with its traceback, from the first frame of the script', () =>
  withPython('fails.py', async (workers) => {
    await assert.rejects(workers.score('plain'), (error: Error & { code: string }) => {
      assert.equal(error.code, 'run_failed');
      assert.match(error.message, /KeyError: 'first'[\s\S]*direct cause[\s\S]*ValueError: secret text/);
      assert.doesNotMatch(error.message, /scoring_worker/);
      return true;
    });
    for (const how of ['odd', 'long', 'base']) await assert.rejects(workers.score(how), { code: 'run_failed' }, how);
    assert.equal(workers.pids.length, 1);
  }));

test('a script starts under PYTHONSAFEPATH', () =>
  withPython('pid.py', async (workers) => assert.equal((await workers.score(1)).status, 200), { env: { PYTHONSAFEPATH: '1' } }));

test('a missing debugger is told in one line with the cure', async () => {
  const workers = pythonWorkers('pid.py', { env: { AZUREML_DEBUG_PORT: '5678' } });
  try {
    const failure = await workers.failure;
    assert.equal(failure.code, 'script_broken');
    assert.match(failure.message, /AZUREML_DEBUG_PORT is set, and \S+ has no debugpy: run `\S+ -m pip install debugpy`/);
  } finally {
    await workers.stop();
  }
});
