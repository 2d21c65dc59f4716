import type { BytesTensor, InferParameter, InferParameters, RequestParameters, Tensor } from '../entry-script.ts';
import { bufferFrom } from '../guards/built-ins.ts';
import { dtypes, type TensorData } from './dtypes.ts';
import {
  Inputs,
  type InputTensors,
  type InputSpec,
  inputSpec,
  isParameter,
  misfit,
  requestParameters,
  show,
  wantedOutputs,
} from './infer-request.ts';
import { JsonNumbers } from './json-numbers.ts';
import { byteElements, fromBytes } from './tensor-bytes.ts';
import { valuesOf } from './tensor.ts';
import { toTensor } from './to-tensor.ts';

/**
 * Tensors in the JSON of the Open Inference Protocol: both the protocol's own route and the no-code
 * script read and write them here.
 */

export type { JsonNumbers };

export type Members = Readonly<Record<string, unknown>>;

/** True for an array of numbers that came as a tensor. */
export const isNumbers = (value: unknown): value is JsonNumbers => value instanceof JsonNumbers;

/** True for a JSON object, which arrays and tensors of numbers are not. */
export const isRecord = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isNumbers(value);

/**
 * The tensors of the member "inputs", by name. Data may be flat, or nested as the shape says.
 * @param binary bytes behind the JSON, which the parameter "binary_data_size" shares out; undefined
 * where the route takes none
 * @param asBytes elements of BYTES stay bytes
 * @throws ServerError invalid_input
 */
export function readInputs(list: readonly unknown[]): Record<string, Tensor>;
export function readInputs(list: readonly unknown[], binary: Buffer, asBytes: boolean): InputTensors;
export function readInputs(list: readonly unknown[], binary?: Buffer, asBytes = false): InputTensors {
  const inputs = new Inputs();
  let at = 0;
  for (const [index, input] of list.entries()) {
    if (!isRecord(input)) throw misfit(`inputs[${index}]`, 'an object', show(input));
    const { name, datatype, shape, data } = input;
    const spec = inputSpec(index, name, datatype, plainList(shape));
    const size = binary === undefined ? undefined : binarySize(spec, input, binary.length - at);
    const bytes = size === undefined ? undefined : binary?.subarray(at, at + size);
    at += bytes?.length ?? 0;
    if (asBytes && spec.type === 'string') inputs.add(spec.name, bytesTensorOf(spec, data, bytes));
    else inputs.add(spec.name, tensorOf(spec, data, bytes, binary !== undefined));
  }
  if (binary !== undefined && at !== binary.length)
    throw misfit('the body', `${at} bytes of binary tensors behind the JSON`, String(binary.length));
  return inputs.tensors;
}

/** A member that may be absent, or null, which clients such as MLServer's send for every one. */
export const optional = (value: unknown): unknown => value ?? undefined;

function tensorOf(spec: InputSpec, data: unknown, bytes: Buffer | undefined, takesBinary: boolean): Tensor {
  const { name, type, dims } = spec;
  return { type, dims, data: bytes === undefined ? fromJson(spec, data, takesBinary) : fromBytes(name, type, dims, bytes) };
}

/** In JSON, elements are the UTF-8 of the texts. */
function bytesTensorOf(spec: InputSpec, data: unknown, bytes: Buffer | undefined): BytesTensor {
  const { name, dims } = spec;
  const elements =
    bytes === undefined
      ? Array.from<unknown, Uint8Array>(fromJson(spec, data, true), (text) => new Uint8Array(bufferFrom(String(text))))
      : byteElements(name, dims, bytes);
  return { type: 'bytes', dims, data: elements };
}

/** The parameters of a request, an input or an output. @throws ServerError invalid_input */
export function parametersOf({ parameters }: Members, where: string): Members {
  if (optional(parameters) === undefined) return {};
  if (!isRecord(parameters)) throw misfit(`parameters of ${where}`, 'an object', show(parameters));
  return parameters;
}

/**
 * The parameters of a request whose inputs and outputs have been checked.
 * @throws ServerError invalid_input for parameters that are no object
 */
export function readParameters(message: Members): RequestParameters {
  return requestParameters(scalars(message, 'the request'), carriers(message['inputs'], 'input'), carriers(message['outputs'], 'output'));
}

function carriers(list: unknown, kind: string): { name: string; parameters: InferParameters | undefined }[] {
  if (!Array.isArray(list)) return [];
  return list
    .filter((item) => isRecord(item) && optional(item['parameters']) !== undefined)
    .map((carrier: Members) => {
      const name = String(carrier['name']);
      return { name, parameters: scalars(carrier, `${kind} ${name}`) };
    });
}

/**
 * A record without a prototype; undefined if it would be empty. Why no error: clients send null for
 * what they do not set, and objects for other servers.
 */
function scalars(members: Members, where: string): InferParameters | undefined {
  if (optional(members['parameters']) === undefined) return undefined;
  let parameters: Record<string, InferParameter> | undefined;
  for (const [name, value] of Object.entries(parametersOf(members, where))) {
    if (isParameter(value)) (parameters ??= emptyRecord())[name] = value;
  }
  return parameters;
}

const emptyRecord = (): Record<string, InferParameter> => Object.create(null);

/**
 * The names of the wanted outputs, or undefined for all.
 * @throws ServerError invalid_input for a name that comes twice
 */
export function outputNames(names: readonly string[]): string[] | undefined {
  return wantedOutputs(names.map((name) => ({ name, binary: undefined })))?.map(({ name }) => name);
}

/** The members that describe an output. */
export function outputHead(name: string, { type, dims }: Tensor): { name: string; datatype: string; shape: readonly number[] } {
  return { name, datatype: dtypes[type].datatype, shape: dims };
}

/** The member "data" of an output: flat, in a form whose JSON needs no dtype. */
export function outputData(tensor: Tensor): unknown {
  return dtypes[tensor.type].kind === 'boolean' ? Array.from<unknown, boolean>(tensor.data, Boolean) : valuesOf(tensor);
}

/** Bytes of an input behind the JSON, or undefined if its data is in the JSON. */
function binarySize(spec: InputSpec, input: Members, left: number): number | undefined {
  const size = optional(parametersOf(input, `input ${spec.name}`)['binary_data_size']);
  if (size === undefined) return undefined;
  if (optional(input['data']) !== undefined)
    throw misfit(`input ${spec.name}`, 'either "data" or the parameter "binary_data_size"', 'both');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > left)
    throw misfit(`input ${spec.name}`, `a binary_data_size from 0 to the ${left} bytes that are left of the body`, show(size));
  return size;
}

function fromJson(spec: InputSpec, data: unknown, takesBinary: boolean): TensorData {
  const { name, type, dims } = spec;
  if (optional(data) === undefined)
    throw takesBinary
      ? misfit(`input ${name}`, '"data", or the parameter "binary_data_size"', 'neither')
      : misfit(`input ${name}`, '"data" (this route takes no binary tensors)', 'none');
  if (!isNumbers(data)) return toTensor(spec, { type, dims, data }).data;
  if (data.dims.length > 1 && String(data.dims) !== String(dims))
    throw misfit(`input ${name}`, `data nested as the shape [${dims.join(',')}] says, or flat`, `[${data.dims.join(',')}]`);
  return toTensor(spec, { type, dims, data: data.data }).data;
}

/** A list of numbers as an array; other values unchanged. */
const plainList = (value: unknown): unknown => (isNumbers(value) && value.dims.length === 1 ? Array.from(value.data) : value);
