/** This server with an entry script in Python: the one that Azure ML's server gets, too. */

import { json } from '../http-subject.ts';
import { PythonEnvironment } from '../python-environment.ts';
import type { Subject } from '../subject.ts';
import { serve } from './ours.ts';
import { pythonEnv, scriptBody, scriptOf, scriptPredictions, scriptRequirements, WORKERS, writeScriptFiles } from './score-py.ts';

const environment = new PythonEnvironment('ours-python', scriptRequirements);

export const oursPython: Subject = {
  name: 'ours-python',
  title: `this server, access log off, the score.py of azureml, ${WORKERS} workers`,
  prepare: () => environment.prepare(),
  start: async (row, place) => {
    await writeScriptFiles(row, place, environment);
    const env = {
      ...pythonEnv(row, place, environment, 1),
      AZUREML_INFERENCE_PYTHON_PATH: environment.program('python'),
      AML_APP_ROOT: place.folder,
    };
    const args = ['--entry-script', scriptOf(row), '--model-dir', place.folder, '--worker-count', String(WORKERS)];
    return serve(
      row,
      place,
      { args, env },
      {
        url: '/score',
        body: JSON.stringify(scriptBody(row)),
        predictions: (answer) => scriptPredictions(json(answer), row),
      },
    );
  },
};
