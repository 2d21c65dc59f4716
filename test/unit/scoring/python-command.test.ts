import assert from 'node:assert/strict';
import test from 'node:test';
import { tmpdir } from 'node:os';
import { withoutEffect } from '../../../server/config/python-options.ts';
import { readConfig } from '../../../server/config/read-config.ts';
import { pythonEnv as envOf } from '../../../server/scoring/python-command.ts';

const pythonEnv = (env: Record<string, string>, interpreter: Parameters<typeof envOf>[1], threads: number) =>
  envOf(env, interpreter, { threads, debugPort: 0 });
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
    VIRTUAL_ENV: undefined,
  });
  assert.deepEqual(pythonEnv(host, {}, 2), host);
  assert.equal(pythonEnv({}, venv, 2)['PATH'], '/app/.venv/bin');
});

test('numerical libraries get the threads of one worker, unless the user has sized one of them', () => {
  assert.equal(pythonEnv({ OMP_NUM_THREADS: '' }, {}, 3)['OMP_NUM_THREADS'], '3');
  for (const name of ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'])
    assert.deepEqual(pythonEnv({ [name]: '7' }, {}, 3), { [name]: '7' });
});

test('the port of a debugger is in the environment, wherever the option came from', () => {
  assert.equal(envOf({}, {}, { threads: 1, debugPort: 5678 })['AZUREML_DEBUG_PORT'], '5678');
});

test('options that a script in Python does not have are named, if somebody has set them', () => {
  const told = (env: Record<string, string>): string | undefined => {
    const command = readConfig({ argv: [], env, cwd: tmpdir() });
    assert.ok(command.kind === 'serve');
    return withoutEffect(command.config);
  };
  assert.equal(told({}), undefined);
  assert.equal(told({ MAX_BATCH_SIZE: 'auto', WORKER_COUNT: '2', NON_FINITE_NUMBERS: 'null' }), undefined);
  assert.equal(
    told({ MAX_BATCH_SIZE: '8', WARM_UP: 'off' }),
    'no effect for a script in Python, which runs its models itself: MAX_BATCH_SIZE, WARM_UP',
  );
});
