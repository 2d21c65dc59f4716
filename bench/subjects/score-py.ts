/**
 * The same score.py for this server and for Azure ML's: with scikit-learn, as Azure's documents
 * have it, or with ONNX Runtime.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byName, type Case } from '../cases.ts';
import { run } from '../children.ts';
import type { PythonEnvironment } from '../python-environment.ts';
import type { Place } from '../subject.ts';

/** Folder of the programs in Python. */
export const SOURCES = fileURLToPath(new URL('./python', import.meta.url));
/** Processes of each server that run the script. */
export const WORKERS = 2;
export const scriptRequirements = ['scikit-learn==1.9.1'];

const withScikitLearn = (row: Case): boolean => row.name === 'ridge-sklearn';

export const scriptOf = (row: Case): string => join(SOURCES, withScikitLearn(row) ? 'sklearn_score.py' : 'onnx_score.py');

export const scriptBody = (row: Case): unknown =>
  withScikitLearn(row) ? { data: Object.values(byName(row))[0] } : { inputs: byName(row) };

export const scriptPredictions = (answer: unknown, row: Case): unknown =>
  withScikitLearn(row) ? answer : (answer as { outputs: Record<string, unknown> }).outputs[row.output];

/** Writes logging.json, and the model of scikit-learn where the script loads one. */
export async function writeScriptFiles(row: Case, { folder }: Place, environment: PythonEnvironment): Promise<void> {
  // The only way to switch off the access log of Azure ML's server. It silences the script, too.
  const loggers = Object.fromEntries(['azmlinfsrv', 'gunicorn.access', 'gunicorn.error'].map((logger) => [logger, { level: 'WARNING' }]));
  writeFileSync(join(folder, 'logging.json'), JSON.stringify({ version: 1, loggers, root: { level: 'WARNING' } }));
  if (!withScikitLearn(row)) return;
  const file = join(folder, 'model', 'sklearn_regression_model.pkl');
  await run(environment.program('python'), [join(SOURCES, 'train_ridge.py'), row.file, file]);
}

/** What a program in Python sees of the case. */
export const pythonEnv = (row: Case, { port }: Place, environment: PythonEnvironment, threads: number): Record<string, string> => ({
  PATH: `${environment.program('')}:${process.env.PATH}`,
  PYTHONPATH: SOURCES,
  PYTHONDONTWRITEBYTECODE: '1',
  BENCH_MODEL: row.file,
  BENCH_OUTPUT: row.output,
  BENCH_PORT: String(port),
  BENCH_THREADS: String(threads),
});
