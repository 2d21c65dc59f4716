import type { BytesTensor, Dtype, InferParameter, InferParameters, RequestParameters, Tensor, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { stringify } from '../guards/built-ins.ts';
import { excerpt } from '../guards/excerpt.ts';
import { dtypeEntries } from './dtypes.ts';
import { JsonNumbers } from './json-numbers.ts';
import { expectedShape, isShape } from './tensor-shape.ts';

/** A request of the Open Inference Protocol without its tensors. */
export interface InferRequest {
  /** The client's own id, which the answer repeats. */
  readonly id: string | undefined;
  /** The model's version, or undefined if the client named none. */
  readonly version: string | undefined;
  /** The wanted outputs, or undefined for all. */
  readonly outputs: readonly WantedOutput[] | undefined;
  /** Bytes instead of numbers, for outputs without a choice of their own. */
  readonly binary: boolean;
  readonly parameters: RequestParameters;
}

export interface WantedOutput {
  readonly name: string;
  readonly binary: boolean | undefined;
}

/** An input without its data. */
export interface InputSpec extends TensorSpec {
  readonly dims: readonly number[];
}

const dtypeByName: ReadonlyMap<unknown, Dtype> = new Map(dtypeEntries.map(([dtype, { datatype }]) => [datatype, dtype]));

/** Name, datatype and shape of an input, checked. @throws ServerError invalid_input */
export function inputSpec(index: number, name: unknown, datatype: unknown, shape: unknown): InputSpec {
  if (typeof name !== 'string' || name === '') throw misfit(`inputs[${index}]`, 'a "name"', show(name));
  const type = dtypeByName.get(datatype);
  if (type === undefined) throw misfit(`input ${name}`, `a datatype, one of ${Array.from(dtypeByName.keys()).join(', ')}`, show(datatype));
  if (!isShape(shape)) throw misfit(`input ${name}`, `a "shape" of ${expectedShape(shape)}`, show(shape));
  return { name, type, dims: shape };
}

/** Inputs by name, as `run()` gets them. BytesTensor: only for a script that asks for it. */
export type InputTensors<T = Tensor | BytesTensor> = Record<string, T>;

/** Collects inputs by name. The record has no prototype, because clients choose the names. */
export class Inputs<T extends Tensor | BytesTensor = Tensor | BytesTensor> {
  readonly tensors: InputTensors<T> = Object.create(null);

  /** @throws ServerError invalid_input for a name that comes twice */
  add(name: string, tensor: T): void {
    if (name in this.tensors) throw misfit(`input ${name}`, 'each name once', 'it twice');
    this.tensors[name] = tensor;
  }
}

/**
 * The outputs that a client wants, or undefined for all.
 * @throws ServerError invalid_input for a name that comes twice
 */
export function wantedOutputs(outputs: readonly WantedOutput[]): readonly WantedOutput[] | undefined {
  const names = new Set<string>();
  for (const { name } of outputs) {
    if (names.has(name)) throw misfit(`output ${name}`, 'each name once', 'it twice');
    names.add(name);
  }
  return outputs.length === 0 ? undefined : outputs;
}

/** A part of a request that may have parameters. */
interface Carrier {
  readonly name: string;
  readonly parameters: InferParameters | undefined;
}

const NOTHING: Readonly<Record<string, never>> = Object.freeze(Object.create(null));

/** The client sent none. */
export const NO_PARAMETERS: RequestParameters = Object.freeze({ request: NOTHING, inputs: NOTHING, outputs: NOTHING });

/** The parameters of a request, by their place. */
export function requestParameters(
  request: InferParameters | undefined,
  inputs: readonly Carrier[],
  outputs: readonly Carrier[],
): RequestParameters {
  return { request: request ?? NOTHING, inputs: byName(inputs), outputs: byName(outputs) };
}

function byName(carriers: readonly Carrier[]): RequestParameters['inputs'] {
  // Most requests have none, and objects without a prototype are slow to make.
  if (carriers.every(({ parameters }) => parameters === undefined)) return NOTHING;
  const found: Record<string, InferParameters> = Object.create(null);
  for (const { name, parameters } of carriers) if (parameters !== undefined) found[name] = parameters;
  return found;
}

/** True for a value that a parameter may have. */
export function isParameter(value: unknown): value is InferParameter {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

/**
 * The error for a part of a request that has the wrong form.
 * @param most characters of `got`: more where the text itself is bounded
 */
export function misfit(where: string, expected: string, got: string, most?: number): ServerError {
  return new ServerError('invalid_input', `${excerpt(where)}: expected ${expected}, got ${excerpt(got, most)}`);
}

const MOST_SHOWN = 60;

/** A value of a request in an error message. */
export function show(value: unknown): string {
  return value === undefined ? 'none' : excerpt(sketch(value, MOST_SHOWN + 1), MOST_SHOWN);
}

/**
 * JSON of a value, cut soon after the first `room` characters. Why: the time must not grow with the
 * size or depth of the value.
 */
function sketch(value: unknown, room: number): string {
  if (typeof value === 'string') return stringify(value.slice(0, room));
  if (typeof value === 'bigint') return stringify(String(value));
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'a function' : String(value);
  if (room <= 0) return '';
  if (value instanceof JsonNumbers) return firstRow(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) {
      if (text.length > room) break;
      text += `${text === '' ? '' : ','}${sketch(item, room - text.length - 1)}`;
    }
    return `[${text}]`;
  }
  for (const key in value) {
    if (text.length > room) break;
    text += `${text === '' ? '' : ','}${sketch(key, room)}:`;
    text += sketch(Reflect.get(value, key), room - text.length - 1);
  }
  return `{${text}}`;
}

function firstRow({ dims, data }: JsonNumbers): string {
  const row = data.subarray(0, Math.min(MOST_SHOWN, dims.at(-1) ?? 0));
  const open = '['.repeat(dims.length);
  return row.length < data.length ? `${open}${row.join(',')},…` : `${open}${row.join(',')}${']'.repeat(dims.length)}`;
}
