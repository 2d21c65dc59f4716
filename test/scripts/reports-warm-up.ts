import { InferenceSession } from 'onnxruntime-node';
import type { InitContext } from 'scoring-server';
// Says when ONNX Runtime has run the model.
export async function init({ openModel }: InitContext) {
  await openModel();
  const { run } = InferenceSession.prototype;
  InferenceSession.prototype.run = async function (...given: [never]) {
    const results = await run.apply(this, given);
    console.log('warmed up');
    return results;
  };
}
export const run = () => 'unused';
