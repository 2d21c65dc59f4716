/**
 * What score.py does, in TypeScript, with the model that convert.py wrote.
 *
 * docs/cookbook/scikit-learn/.venv/bin/python docs/cookbook/scikit-learn/convert.py
 * npm start -- --entry-script docs/cookbook/scikit-learn/converted.ts \
 *   --model-dir docs/cookbook/scikit-learn/model
 */

import type { InitContext, Model } from 'scoring-server';

let model: Model;

export async function init({ openModel, log }: InitContext) {
  model = await openModel('model.onnx');
  log.info('the model is loaded');
}

export async function run({ data }: { data: number[][] }) {
  console.log('scoring %d rows', data.length);
  const { variable } = await model.run({ X: data });
  return variable?.data;
}
