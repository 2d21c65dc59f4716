import assert from 'node:assert/strict';
import test from 'node:test';
import { tmpdir } from 'node:os';
import { withoutEffect } from '../../../server/config/python-options.ts';
import { readConfig } from '../../../server/config/read-config.ts';
import { pythonEnv } from '../../../server/scoring/python-command.ts';

const venv = { environment: { kind: 'venv', folder: '/app/.venv' } } as const;
const conda = { environment: { kind: 'conda', folder: '/opt/conda' } } as const;

test('a worker sees its environment as activated', () => {
  const host = { PATH: '/usr/bin:/bin', PYTHONHOME: '/other', A: 'b', OMP_NUM_THREADS: '1' };
  assert.deepEqual(pythonEnv(host, venv, 2), {
    ...host,
    PATH: '/app/.venv/bin:/usr/bin:/bin',
    VIRTUAL_ENV: '/app/.venv',
    PYTHONHOME: undefined,
  });
  assert.deepEqual(pythonEnv(host, conda, 2), {
    ...host,
    PATH: '/opt/conda/bin:/usr/bin:/bin',
    CONDA_PREFIX: '/opt/conda',
    PYTHONHOME: undefined,
  });
  assert.deepEqual(pythonEnv(host, {}, 2), host);
  assert.equal(pythonEnv({}, venv, 2)['PATH'], '/app/.venv/bin');
});

test('numerical libraries get the threads of one worker, unless the user has sized one of them', () => {
  assert.equal(pythonEnv({ OMP_NUM_THREADS: '' }, {}, 3)['OMP_NUM_THREADS'], '3');
  for (const name of ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'])
    assert.deepEqual(pythonEnv({ [name]: '7' }, {}, 3), { [name]: '7' });
});

test('options that a script in Python does not have are named, if somebody has set them', () => {
  const told = (env: Record<string, string>): string[] => {
    const command = readConfig({ argv: [], env, cwd: tmpdir() });
    assert.ok(command.kind === 'serve');
    return withoutEffect(command.config);
  };
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({ MAX_BATCH_SIZE: 'auto', WORKER_COUNT: '2', NON_FINITE_NUMBERS: 'null' }), []);
  assert.deepEqual(told({ MAX_BATCH_SIZE: '8', WARM_UP: 'off' }), [
    'no effect for a script in Python, which runs its models itself: MAX_BATCH_SIZE, WARM_UP',
  ]);
  assert.match(told({ AZUREML_DEBUG_PORT: '5678' }).join(), /AZUREML_DEBUG_PORT only switches the time limits off.*debugpy\.listen/);
});
