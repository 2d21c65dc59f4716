import { readFileSync } from 'node:fs';

/** What the sample is asked, and what it answers. */
export const SAMPLE = { data: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };
export const SAMPLE_ANSWER = [11633.100167144928];

/** float32 X [N,10] -> variable [N,1] */
export const MODEL = readFileSync(new URL('../../../entry-scripts/diabetes.onnx', import.meta.url));

/** An entry script that opens the model beside it or in the model directory. */
export const SCRIPT = `import type { InitContext, Model } from 'scoring-server';
import { ScoringError } from 'scoring-server';

let model: Model;

export async function init(context: InitContext) {
  model = await context.openModel('model.onnx');
}

export async function run({ data }: { data: number[][] }) {
  if (data.length === 0) throw new ScoringError(422, 'no rows');
  return { mine: (await model.run({ X: data })).variable };
}
`;
