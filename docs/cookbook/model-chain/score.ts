/**
 * The output of one model is the input of the next, as it is.
 *
 * npm start -- --entry-script docs/cookbook/model-chain/score.ts
 * sh docs/cookbook/model-chain/try.sh
 */

import type { InitContext, Model } from 'scoring-server';

export const sample = { rows: [[1, 0, 2, 0]] };

let encoder: Model;
let classifier: Model;

export async function init(context: InitContext) {
  encoder = await context.openModel('encoder.onnx');
  classifier = await context.openModel('classifier.onnx');
}

export async function run({ rows }: { rows: number[][] }) {
  // The classifier's input has the name of the encoder's output.
  const encoded = await encoder.run({ features: rows }, ['embedding']);
  return classifier.run(encoded);
}
