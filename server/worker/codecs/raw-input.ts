import type { Tensor, TensorSpec } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { dtypes } from '../../tensors/dtypes.ts';
import { Inputs, misfit } from '../../tensors/infer-request.ts';
import { fromBytes, text } from '../../tensors/tensor-bytes.ts';
import { sizeOf } from '../../tensors/tensor-shape.ts';

/**
 * The tensor of a raw request, whose body holds only data (docs/open-inference.md). One open size
 * of the model's shape follows from the length. Where another size beside the batch size is open,
 * the batch size is 1.
 * @param specs the model's inputs, or undefined where a script takes the data
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
  const inputs = new Inputs<Tensor>();
  const { array } = dtypes[type];
  if (array === undefined) {
    const sizes = shapeOfOne(spec);
    inputs.add(name, { type, dims: sizes, data: [text(name, sizes, 0, body)] });
    return inputs.tensors;
  }
  const dims = shapeOf(spec, body.length, array.BYTES_PER_ELEMENT);
  inputs.add(name, { type, dims, data: fromBytes(name, type, dims, body) });
  return inputs.tensors;
}

/** The whole body is one string, so every open size is 1. */
function shapeOfOne({ name, dims }: TensorSpec): number[] {
  const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : 1));
  if (sizeOf(sizes) === 1) return sizes;
  throw new ServerError(
    'invalid_input',
    `a raw request (Inference-Header-Content-Length: 0) has one string, and input ${name} takes [${sizes.join(',')}]: ` +
      'send each string with its length in front, behind JSON with the shape',
  );
}

/** @param bytes of the body @param width bytes of an element */
function shapeOf({ name, dims }: TensorSpec, bytes: number, width: number): number[] {
  const open = dims.filter((dim) => typeof dim === 'string').length;
  const settled = dims.map((dim, axis) => (axis === 0 && open > 1 && typeof dim === 'string' ? 1 : dim));
  const fixed = settled.filter((dim) => typeof dim === 'number');
  if (fixed.length < settled.length - 1) throw refused(`the shape of ${name} leaves more than that open`);
  const step = Math.max(1, sizeOf(fixed)) * width;
  const rest = bytes / step;
  if (fixed.length < settled.length && !Number.isInteger(rest))
    throw misfit(
      `input ${name}`,
      `a multiple of ${step} bytes for the shape [${settled.map((dim) => (dim === '' ? '?' : dim)).join(',')}] of its datatype`,
      String(bytes),
    );
  // `fromBytes` refuses a length that does not fit a shape without open sizes.
  return settled.map((dim) => (typeof dim === 'number' ? dim : rest));
}

function refused(why: string): ServerError {
  return new ServerError(
    'invalid_input',
    `a raw request (Inference-Header-Content-Length: 0) needs a model with one input and at most one open size beside the batch: ${why}`,
  );
}
