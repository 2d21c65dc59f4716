import assert from 'node:assert/strict';
import { cpSync, globSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from '../python-test.ts';
import { folder } from '../../set-up/folder.ts';
import { withWorkers } from '../../worker/start-workers.ts';
import { PYTHON, WORKER_MAIN } from './python-workers.ts';

const collection = { rates: {}, others: 1, workspace: '', endpoint: '', modelVersions: {} };

/** Imports what the server has for scripts, also in a process that is spawned. */
const SCRIPT = `
import multiprocessing
import os
import sys

# What no path hook may fail on.
sys.path[:0] = [os.path.join(os.path.dirname(__file__), "loop"), b"bytes"]
import helper
from azureml.ai.monitoring import Collector
from azureml.contrib.services.aml_request import AMLRequest
from azureml.core import Model
from scoring_server import ScoringError, metrics

del sys.path[:2]


def init():
    pass


def double(number):
    return number * 2


def doubled(numbers):
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        return processes.map(double, numbers)
`;

for (const [mode, run, concurrency] of [
  ['serial', 'def run(raw_data):', 1],
  ['pool', 'def run(raw_data):', 2],
  ['loop', 'async def run(raw_data):', 2],
] as const)
  test(`a worker writes no file into the server's folder, and the script's modules keep their bytecode (${mode})`, async () => {
    const [root, application] = [folder(), folder()];
    const server = join(root, 'python');
    cpSync(dirname(WORKER_MAIN), server, { recursive: true, filter: (path) => !path.endsWith('__pycache__') });
    const before = globSync('**', { cwd: server }).toSorted();
    const script = join(application, 'score.py');
    writeFileSync(script, `${SCRIPT}\n\n${run}\n    return doubled([1, 2])\n`);
    writeFileSync(join(application, 'helper.py'), '');
    symlinkSync('loop', join(application, 'loop'));
    await withWorkers(
      script,
      async (workers) => {
        assert.deepEqual((await workers.score(1)).json, [2, 4]);
        await workers.stop();
      },
      {
        command: [PYTHON, join(server, 'worker.py')],
        env: { AZUREML_ENTRY_SCRIPT: script, PYTHONDONTWRITEBYTECODE: '' },
        start: { concurrency, concurrencyIsDefault: false, collection },
      },
    );
    assert.deepEqual(globSync('**', { cwd: server }).toSorted(), before);
    assert.equal(globSync('__pycache__/helper.*', { cwd: application }).length, 1);
  });
