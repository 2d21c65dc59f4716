import type { Dtype, Tensor, TensorData } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { float16Bits } from '../../tensors/float16.ts';
import { elementTypes } from '../../inference/elements.ts';
import { isShape, MOST_DIMS, expectedShape, shownDims, sizeOf } from '../../tensors/tensor-shape.ts';
import { tooLarge } from '../answer-limit.ts';
import { type InferRequest, show } from '../../tensors/infer-request.ts';
import { arrays } from '../../tensors/tensor-bytes.ts';

/** One output of an answer, in the form of the protocol. */
export interface Output {
  readonly name: string;
  readonly tensor: Tensor;
  readonly binary: boolean;
}

/** What an output is called when `run()` answered a single value. */
const ONLY_NAME = 'output';

/** Typed arrays that carry their dtype; Float16Array goes as bits. */
const dtypeOfClass: ReadonlyMap<unknown, Dtype> = new Map<unknown, Dtype>([
  ...Object.entries(arrays)
    .filter(([dtype]) => dtype !== 'bool' && dtype !== 'float16')
    .map(([dtype, Class]) => [Class, dtype as Dtype] as const),
  [Uint8ClampedArray, 'uint8'],
  [Buffer, 'uint8'],
]);

/**
 * What `run()` answered, as the outputs that the client wants: a tensor or a value with a tensor form by name, or one alone.
 * Numbers without a dtype are float64 (they are doubles), bigints int64, and no value decides by being whole: a client
 * can rely on the datatype.
 * @param limitBytes largest answer
 * @throws ServerError result_not_json where there is no tensor form; invalid_input for an output that there is not; answer_too_large
 */
export function outputsOf(result: unknown, { outputs: wanted, binary }: InferRequest, limitBytes = Infinity): Output[] {
  const named = namedValues(result);
  const names = Array.from(named.keys());
  let least = 0;
  return (wanted ?? names.map((name) => ({ name, binary: undefined }))).map((output) => {
    const { name } = output;
    if (!named.has(name))
      throw new ServerError(
        'invalid_input',
        `output ${excerpt(name)}: there is no such output; the outputs are ${names.join(', ') || 'none'}.`,
      );
    const tensor = tensorOf(name, named.get(name), limitBytes);
    least += leastBytes(tensor);
    if (least > limitBytes) throw tooLarge(limitBytes);
    return { name, tensor, binary: output.binary ?? binary };
  });
}

/** What a tensor takes at least, in any form. */
function leastBytes({ data }: Tensor): number {
  if (!Array.isArray(data)) return data.length;
  let bytes = 0;
  for (const text of data) bytes += text.length + 1;
  return bytes;
}

function namedValues(result: unknown): Map<string, unknown> {
  if (result === undefined || result === null) return new Map();
  const alone = typeof result !== 'object' || Array.isArray(result) || ArrayBuffer.isView(result) || isTensor(result);
  return new Map(alone ? [[ONLY_NAME, result]] : Object.entries(result).filter(([, value]) => value !== undefined));
}

function isTensor(value: object): value is Tensor {
  return 'type' in value && 'dims' in value && 'data' in value && Array.isArray(value.dims);
}

function tensorOf(name: string, value: unknown, limitBytes: number): Tensor {
  if (ArrayBuffer.isView(value)) return ofTypedArray(name, value);
  if (typeof value === 'object' && value !== null && isTensor(value)) return checked(name, value, limitBytes);
  const dims: number[] = [];
  // One that contains itself has no end; isRectangular refuses it.
  for (let level = value; Array.isArray(level) && dims.length < MOST_DIMS; level = level[0] as unknown) dims.push(level.length);
  // Arrays that stand in each other more than once may promise more than there is memory.
  if (sizeOf(dims) > limitBytes) throw tooLarge(limitBytes);
  if (!isRectangular(value, dims)) throw noTensor(name, 'arrays whose sizes differ');
  const flat: readonly unknown[] = Array.isArray(value) ? value.flat(dims.length) : [value];
  const type = dtypeOf(name, flat);
  return { type, dims, data: elements(name, type, flat) };
}

function ofTypedArray(name: string, value: ArrayBufferView): Tensor {
  if (value instanceof Float16Array) return { type: 'float16', dims: [value.length], data: float16Bits(value) };
  const type = dtypeOfClass.get(value.constructor);
  if (type === undefined) throw noTensor(name, `a ${value.constructor.name}`);
  const data = value as Exclude<TensorData, string[]>;
  return { type, dims: [data.length], data };
}

/** A tensor that a script made may have plain arrays for data, and any length. */
function checked(name: string, { type, dims, data }: Tensor, limitBytes: number): Tensor {
  if (!Object.hasOwn(elementTypes, type)) throw noTensor(name, `a tensor of the dtype ${show(type)}`);
  if (!isShape(dims)) throw noTensor(name, `a tensor of dims ${shownDims(dims)} (expected ${expectedShape(dims)})`);
  const isArray: boolean = Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView));
  if (!isArray || data.length !== sizeOf(dims))
    throw noTensor(name, `a tensor of dims ${shownDims(dims)} with ${isArray ? `${data.length} elements` : 'data that is no array'}`);
  if (type !== 'string' && data instanceof arrays[type]) return { type, dims, data };
  if (data.length > limitBytes) throw tooLarge(limitBytes);
  return { type, dims, data: elements(name, type, data) };
}

function elements(name: string, type: Dtype, values: ArrayLike<unknown>): TensorData {
  const { allocate, write, expected } = elementTypes[type];
  const data = allocate(values.length);
  const wrong = write(data, 0, values);
  if (wrong >= 0) throw noTensor(name, `${show(values[wrong])} at element ${wrong}, where ${type} wants ${expected}`);
  return data instanceof Float16Array ? float16Bits(data) : data;
}

/** The first element decides, but for bigints, beside which safe whole numbers may stand; `elements` checks the others. */
function dtypeOf(name: string, values: readonly unknown[]): Dtype {
  const [first] = values;
  if (typeof first === 'boolean') return 'bool';
  if (typeof first === 'string') return 'string';
  if (first !== undefined && typeof first !== 'number' && typeof first !== 'bigint') throw noTensor(name, describe(first));
  return values.some((value) => typeof value === 'bigint') ? 'int64' : 'float64';
}

function isRectangular(value: unknown, dims: readonly number[], axis = 0): boolean {
  // A hole is no element.
  if (axis === dims.length) return value !== undefined && !Array.isArray(value);
  if (!Array.isArray(value) || value.length !== dims[axis]) return false;
  for (const item of value) if (!isRectangular(item, dims, axis + 1)) return false;
  return true;
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function noTensor(name: string, what: string): ServerError {
  return new ServerError(
    'result_not_json',
    `run() answered ${what} as the output ${name}, which has no tensor form: return tensors, typed arrays, or (nested) arrays of numbers, strings or booleans by name`,
  );
}
