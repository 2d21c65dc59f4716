/**
 * Test script: as the no-code script, for the model that the header `x-model` names. Each model is
 * used once.
 */
import { type InitContext, type RequestContext, ScoringError } from 'scoring-server';
import { answer } from '../../entry-scripts/onnx.ts';

export { exactIntegers, inputType } from '../../entry-scripts/onnx.ts';

let openModel: InitContext['openModel'];

export function init(context: InitContext): void {
  openModel = (file) => context.openModel(file);
}

export async function run(data: unknown, { headers }: RequestContext): Promise<unknown> {
  const file = headers.get('x-model');
  if (file === null) throw new ScoringError(400, 'expected the header x-model');
  const model = await openModel(file);
  try {
    return await answer(model, data);
  } finally {
    await model.release();
  }
}
