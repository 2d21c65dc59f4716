import { InferenceSession } from 'onnxruntime-node';
import type { InitContext } from 'scoring-server';
// Says when ONNX Runtime has run the model.
export async function init({ openModel }: InitContext) {
  await openModel();
  const { prototype } = InferenceSession as unknown as { prototype: { run(...given: never[]): Promise<unknown> } };
  const { run } = prototype;
  prototype.run = async function (...given) {
    const results = await run.apply(this, given);
    console.log('warmed up');
    return results;
  };
}
export const run = () => 'unused';
