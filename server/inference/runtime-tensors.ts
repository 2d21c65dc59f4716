import type { InferenceSession } from 'onnxruntime-node';
import type { Tensor, TensorSpec } from '../entry-script.ts';
import { isDtype } from '../tensors/dtypes.ts';
import { dataOf } from '../tensors/tensor.ts';

/**
 * Specs of the tensors among a session's inputs or outputs. Models with tensors of other types are
 * refused at load.
 */
export function specsOf(metadata: readonly InferenceSession.ValueMetadata[]): TensorSpec[] {
  return metadata.flatMap((value) =>
    value.isTensor && isDtype(value.type) ? [{ name: value.name, type: value.type, dims: value.shape }] : [],
  );
}

/**
 * ONNX Runtime's results in the wanted order.
 * @param wanted names in the session
 * @param names the same outputs by their names in the file
 */
export function tensorsOf(
  results: InferenceSession.OnnxValueMapType,
  wanted: readonly string[],
  names: readonly string[],
): Record<string, Tensor> {
  // An object without a prototype is several times slower.
  const tensors: Record<string, Tensor> = names.includes('__proto__') ? Object.create(null) : {};
  for (const [index, name] of wanted.entries()) {
    const result = results[name];
    if (result === undefined || !isDtype(result.type)) throw new Error(`ONNX Runtime returned no tensor for the output ${name}`);
    tensors[names[index] ?? name] = { type: result.type, dims: result.dims, data: dataOf(result.data) };
  }
  return tensors;
}
