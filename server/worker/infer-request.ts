import type { Dtype, Tensor, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { JsonNumbers } from '../json-numbers.ts';
import { oipDatatypes } from '../oip-datatypes.ts';

/** What a request of the Open Inference Protocol says beside its tensors. */
export interface InferRequest {
  /** The client's own id, to be answered. */
  readonly id: string | undefined;
  /** The model's version, if the client asked for one. */
  readonly version: string | undefined;
  /** Undefined: all. */
  readonly outputs: readonly WantedOutput[] | undefined;
  /** Bytes instead of numbers, for outputs that do not say otherwise. */
  readonly binary: boolean;
}

export interface WantedOutput {
  readonly name: string;
  readonly binary: boolean | undefined;
}

/** An input without its data. */
export interface InputSpec extends TensorSpec {
  readonly dims: readonly number[];
}

/** Deeper than any model; the checks of nested data recurse. */
export const MOST_DIMS = 64;
const dtypes: ReadonlyMap<unknown, Dtype> = new Map(Object.entries(oipDatatypes).map(([dtype, name]) => [name, dtype as Dtype]));

/** Name, datatype and shape of an input, checked. @throws ServerError invalid_input */
export function inputSpec(index: number, name: unknown, datatype: unknown, shape: unknown): InputSpec {
  if (typeof name !== 'string' || name === '') throw misfit(`inputs[${index}]`, 'a "name"', show(name));
  const type = dtypes.get(datatype);
  if (type === undefined) throw misfit(`input ${name}`, `a datatype, one of ${Array.from(dtypes.keys()).join(', ')}`, show(datatype));
  const fits = Array.isArray(shape) && shape.length <= MOST_DIMS && shape.every((dim) => Number.isSafeInteger(dim) && Number(dim) >= 0);
  if (!fits || !Number.isSafeInteger(sizeOf(shape as number[])))
    throw misfit(`input ${name}`, `a "shape" of at most ${MOST_DIMS} whole numbers from 0`, show(shape));
  return { name, type, dims: shape as number[] };
}

/** Collects inputs by name; names are the client's, so the record has no prototype that they could meet. */
export class Inputs {
  readonly tensors = Object.create(null) as Record<string, Tensor>;

  /** @throws ServerError invalid_input */
  add({ name, type, dims }: InputSpec, data: Tensor['data']): void {
    if (name in this.tensors) throw new ServerError('invalid_input', `input ${name}: expected each name once, got it twice`);
    this.tensors[name] = { type, dims, data };
  }
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

export function misfit(where: string, expected: string, got: string): ServerError {
  return new ServerError('invalid_input', `${where}: expected ${expected}, got ${got}`);
}

const shownBigint = (_key: string, item: unknown): unknown => (typeof item === 'bigint' ? String(item) : item);

/** A value of a request in an error message. */
export function show(value: unknown): string {
  if (value === undefined) return 'none';
  const text = JSON.stringify(value instanceof JsonNumbers ? Array.from(value.data.subarray(0, 9)) : value, shownBigint) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
