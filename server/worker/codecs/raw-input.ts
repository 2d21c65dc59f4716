import type { Tensor, TensorSpec } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { Inputs, sizeOf } from '../../tensors/infer-request.ts';
import { arrays, fromBytes, text } from '../../tensors/tensor-bytes.ts';

/**
 * The tensor of a raw request, whose body is data and nothing else: reference/open-inference-protocol.md, section 4. What the
 * model leaves open of the shape follows from the length; where that is more than the batch size, the batch is one.
 * @param specs the model's inputs; undefined where a script decides what it takes
 * @throws ServerError invalid_input
 */
export function rawInput(specs: readonly TensorSpec[] | undefined, body: Buffer): Record<string, Tensor> {
  const [spec, ...others] = specs ?? [];
  if (spec === undefined || others.length > 0)
    throw refused(
      specs === undefined
        ? 'an entry script decides what it takes'
        : `this one has the inputs ${specs.map(({ name }) => name).join(', ') || 'none'}`,
    );
  const { name, type } = spec;
  const inputs = new Inputs();
  if (type === 'string') {
    // The whole body is the one element.
    inputs.add({ name, type, dims: shapeOf(spec, 1) }, [text(`input ${name}`, body)]);
    return inputs.tensors;
  }
  const dims = shapeOf(spec, body.length / arrays[type].BYTES_PER_ELEMENT);
  inputs.add({ name, type, dims }, fromBytes(name, type, dims, body));
  return inputs.tensors;
}

function shapeOf({ name, dims }: TensorSpec, elements: number): number[] {
  const open = dims.filter((dim) => typeof dim === 'string').length;
  const settled = dims.map((dim, axis) => (axis === 0 && open > 1 && typeof dim === 'string' ? 1 : dim));
  const fixed = settled.filter((dim) => typeof dim === 'number');
  if (fixed.length < settled.length - 1) throw refused(`the shape of ${name} leaves more than that open`);
  // A length that does not fit is refused by its bytes.
  const rest = Math.floor(elements / Math.max(1, sizeOf(fixed)));
  return settled.map((dim) => (typeof dim === 'number' ? dim : rest));
}

function refused(why: string): ServerError {
  return new ServerError(
    'invalid_input',
    `a raw request (Inference-Header-Content-Length: 0) needs a model with one input and at most one open size beside the batch: ${why}`,
  );
}
