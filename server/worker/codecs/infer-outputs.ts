import type { Tensor } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { formless } from '../../guards/formless.ts';
import { type Dtype, dtypeEntries, type DtypeRow, dtypes, isDtype, type TensorData } from '../../tensors/dtypes.ts';
import { elementTypes } from '../../tensors/elements.ts';
import { type InferRequest, show } from '../../tensors/infer-request.ts';
import { claimsTensor, dataOf, isTypedArray, type TensorClaim } from '../../tensors/tensor.ts';
import { expectedShape, isShape, MOST_DIMS, shownDims, sizeOf } from '../../tensors/tensor-shape.ts';
import { tooLarge } from '../answer-limit.ts';
import type { AnswerParts, Parameters } from './answer-parts.ts';

/** One output of an answer, in the form of the protocol. */
export interface Output {
  readonly name: string;
  readonly tensor: Tensor;
  readonly binary: boolean;
  readonly parameters: Parameters | undefined;
}

/** Name of the output where `run()` answered a single value. */
const ONLY_NAME = 'output';

/** Dtype by class, of the typed arrays that carry their dtype. */
const dtypeOfClass: ReadonlyMap<unknown, Dtype> = new Map<unknown, Dtype>([
  ...dtypeEntries.map(([dtype, row]) => [classOf(row), dtype] as const).filter(([Class]) => Class !== undefined),
  [Uint8ClampedArray, 'uint8'],
  [Buffer, 'uint8'],
]);

/** The class of numbers that stands for one dtype, or undefined where no class does. */
function classOf(row: DtypeRow): unknown {
  switch (row.kind) {
    case 'float':
      return row.numbers;
    case 'integer':
    case 'bigint':
      return row.array;
    case 'boolean':
    case 'string':
      return undefined;
    default:
      return row satisfies never;
  }
}

/**
 * The outputs that the client wants from an answer of `run()`: values by name, or one value alone,
 * each with a tensor form. Numbers without a dtype are float64 and bigints int64, whole or not, so
 * that a client can rely on the datatype.
 * @param limitBytes largest answer
 * @throws ServerError result_not_json for a value without a tensor form, or parameters of an output
 * that is not there; invalid_input for an unknown output; answer_too_large
 */
export function outputsOf(
  { value, outputParameters }: Pick<AnswerParts, 'value' | 'outputParameters'>,
  { outputs: wanted, binary }: Pick<InferRequest, 'outputs' | 'binary'>,
  limitBytes = Infinity,
): Output[] {
  const named = namedValues(value);
  const names = Array.from(named.keys());
  for (const name of outputParameters.keys())
    if (!named.has(name))
      throw new ServerError(
        'result_not_json',
        `run() answered parameters of the output ${excerpt(name)}, which its answer does not have: the outputs are ${names.join(', ') || 'none'}`,
      );
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
    return { name, tensor, binary: output.binary ?? binary, parameters: outputParameters.get(name) };
  });
}

/** Least bytes of a tensor, in any form. */
function leastBytes({ data }: Tensor): number {
  if (!Array.isArray(data)) return data.length;
  let bytes = 0;
  for (const text of data) bytes += text.length + 1;
  return bytes;
}

function namedValues(result: unknown): Map<string, unknown> {
  if (result === undefined || result === null) return new Map();
  const odd = typeof result === 'object' && !claimsTensor(result) ? formless(result) : undefined;
  if (odd !== undefined) throw noTensor(ONLY_NAME, odd.what, odd.instead);
  const alone = typeof result !== 'object' || Array.isArray(result) || ArrayBuffer.isView(result) || claimsTensor(result);
  return new Map(alone ? [[ONLY_NAME, result]] : Object.entries(result).filter(([, value]) => value !== undefined));
}

function tensorOf(name: string, value: unknown, limitBytes: number): Tensor {
  if (ArrayBuffer.isView(value)) return ofTypedArray(name, value);
  if (typeof value === 'object' && value !== null && claimsTensor(value)) return checked(name, value, limitBytes);
  const dims: number[] = [];
  // An array that contains itself has no end: isRectangular refuses it.
  for (let level = value; Array.isArray(level) && dims.length < MOST_DIMS; level = level[0]) dims.push(level.length);
  // Arrays with shared items may promise more elements than fit into memory.
  if (sizeOf(dims) > limitBytes) throw tooLarge(limitBytes);
  if (!isRectangular(value, dims)) throw noTensor(name, 'arrays whose sizes differ');
  const flat: readonly unknown[] = Array.isArray(value) ? value.flat(dims.length) : [value];
  const type = dtypeOf(name, flat);
  return { type, dims, data: elements(name, type, flat) };
}

function ofTypedArray(name: string, value: ArrayBufferView): Tensor {
  const type = dtypeOfClass.get(value.constructor);
  if (type === undefined || !isTypedArray(value)) throw noTensor(name, `a ${value.constructor.name}`);
  const plain = value instanceof Uint8ClampedArray ? new Uint8Array(value.buffer, value.byteOffset, value.length) : value;
  return { type, dims: [value.length], data: dataOf(plain) };
}

/** A tensor of a script may have plain arrays for data, and any length. */
function checked(name: string, { type, dims, data }: TensorClaim, limitBytes: number): Tensor {
  if (!isDtype(type)) throw noTensor(name, `a tensor of the dtype ${show(type)}`);
  if (!isShape(dims)) throw noTensor(name, `a tensor of dims ${shownDims(dims)} (expected ${expectedShape(dims)})`);
  if (!Array.isArray(data) && !isTypedArray(data)) throw noTensor(name, `a tensor of dims ${shownDims(dims)} with data that is no array`);
  if (data.length !== sizeOf(dims)) throw noTensor(name, `a tensor of dims ${shownDims(dims)} with ${data.length} elements`);
  const { array } = dtypes[type];
  if (array !== undefined && data instanceof array) return { type, dims, data };
  if (data.length > limitBytes) throw tooLarge(limitBytes);
  return { type, dims, data: elements(name, type, data) };
}

function elements(name: string, type: Dtype, values: ArrayLike<unknown>): TensorData {
  const { allocate, write, expected } = elementTypes[type];
  const data = allocate(values.length);
  const wrong = write(data, 0, values);
  if (wrong < 0) return dataOf(data);
  const value = values[wrong];
  const what = typeof value === 'object' && value !== null ? describe(value) : show(value);
  throw noTensor(name, `${what} at element ${wrong}, where ${type} needs ${expected}`);
}

/** The first element decides, except that one bigint makes all int64. `elements` checks each. */
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
  if (value === null) return 'null';
  return typeof value === 'object' ? (formless(value)?.what ?? 'an object') : `a ${typeof value}`;
}

const ANY_FORM = 'tensors, typed arrays, or (nested) arrays of numbers, strings or booleans by name';

function noTensor(name: string, what: string, instead = ANY_FORM): ServerError {
  return new ServerError('result_not_json', `run() answered ${what} as the output ${name}, which has no tensor form: return ${instead}`);
}
