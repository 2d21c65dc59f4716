import type { Tensor } from '../entry-script.ts';
import { dtypes, isDtype, type TensorData } from './dtypes.ts';
import type { Elements } from './elements.ts';
import { float16Bits, float16Numbers } from './float16.ts';

/** An object with the members of a tensor, whose values are still to be checked. */
export interface TensorClaim {
  readonly type: unknown;
  readonly dims: readonly unknown[];
  readonly data: unknown;
}

/** True for an object that its author means as a tensor, with or without usable data. */
export function claimsTensor(value: object): value is TensorClaim {
  return 'type' in value && 'dims' in value && 'data' in value && Array.isArray(value.dims);
}

/**
 * A tensor by its members: ONNX Runtime's own class, this server's, or an object that an author
 * made. Its dtype and sizes are unchecked.
 */
export function isTensor(value: object): value is Tensor {
  return claimsTensor(value) && (ArrayBuffer.isView(value.data) || Array.isArray(value.data));
}

/** True for every view that has elements: all but DataView. */
export function isTypedArray(value: unknown): value is NodeJS.TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** The values of a tensor's elements: numbers in place of the bits of float16. A view, no copy. */
export function valuesOf({ type, data }: Pick<Tensor, 'type' | 'data'>): TensorData | Float16Array {
  // The cheap check first: most data is no bits. Scripts make tensors of any type.
  if (!(data instanceof Uint16Array) || !isDtype(type)) return data;
  const row = dtypes[type];
  return row.kind === 'float' && row.numbers === Float16Array ? float16Numbers(data) : data;
}

/** Elements in the form of a tensor's data: bits in place of float16 numbers, a view. */
export function dataOf(elements: Elements): TensorData {
  return elements instanceof Float16Array ? float16Bits(elements) : elements;
}

type Floats = Float16Array | Float32Array | Float64Array;

export function isFloats(array: NodeJS.TypedArray): array is Floats {
  return array instanceof Float32Array || array instanceof Float64Array || array instanceof Float16Array;
}

/** True if there is a NaN or an infinity from `from` to `to`. */
export function hasNonFinite(array: Floats, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (!Number.isFinite(array[index])) return true;
  return false;
}
