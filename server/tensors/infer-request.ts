import type { Dtype, Tensor, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { JsonNumbers } from './json-numbers.ts';
import { excerpt } from '../guards/excerpt.ts';
import { oipDatatypes } from './oip-datatypes.ts';
import { isShape, expectedShape } from './tensor-shape.ts';
import { stringify } from '../guards/built-ins.ts';

export { sizeOf } from './tensor-shape.ts';

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

type Members = Readonly<Record<string, unknown>>;
const dtypes: ReadonlyMap<unknown, Dtype> = new Map(Object.entries(oipDatatypes).map(([dtype, name]) => [name, dtype as Dtype]));

/** Name, datatype and shape of an input, checked. @throws ServerError invalid_input */
export function inputSpec(index: number, name: unknown, datatype: unknown, shape: unknown): InputSpec {
  if (typeof name !== 'string' || name === '') throw misfit(`inputs[${index}]`, 'a "name"', show(name));
  const type = dtypes.get(datatype);
  if (type === undefined) throw misfit(`input ${name}`, `a datatype, one of ${Array.from(dtypes.keys()).join(', ')}`, show(datatype));
  if (!isShape(shape)) throw misfit(`input ${name}`, `a "shape" of ${expectedShape(shape)}`, show(shape));
  return { name, type, dims: shape };
}

/** Collects inputs by name; names are the client's, so the record has no prototype that they could meet. */
export class Inputs {
  readonly tensors = Object.create(null) as Record<string, Tensor>;

  /** @throws ServerError invalid_input */
  add({ name, type, dims }: InputSpec, data: Tensor['data']): void {
    if (name in this.tensors) throw misfit(`input ${name}`, 'each name once', 'it twice');
    this.tensors[name] = { type, dims, data };
  }
}

/** The outputs that a client wants; undefined: all. @throws ServerError invalid_input for a name that comes twice */
export function wantedOutputs(outputs: readonly WantedOutput[]): readonly WantedOutput[] | undefined {
  const names = new Set<string>();
  for (const { name } of outputs) {
    if (names.has(name)) throw misfit(`output ${name}`, 'each name once', 'it twice');
    names.add(name);
  }
  return outputs.length === 0 ? undefined : outputs;
}

export function misfit(where: string, expected: string, got: string): ServerError {
  return new ServerError('invalid_input', `${excerpt(where)}: expected ${expected}, got ${excerpt(got)}`);
}

const MOST_SHOWN = 60;

/** A value of a request in an error message. */
export function show(value: unknown): string {
  return value === undefined ? 'none' : excerpt(sketch(value, MOST_SHOWN + 1), MOST_SHOWN);
}

/** JSON of a value, but for what is certainly behind the first `room` characters: neither its size nor its depth matter. */
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
    text += sketch((value as Members)[key], room - text.length - 1);
  }
  return `{${text}}`;
}

function firstRow({ dims, data }: JsonNumbers): string {
  const row = data.subarray(0, Math.min(MOST_SHOWN, dims.at(-1) ?? 0));
  const open = '['.repeat(dims.length);
  return row.length < data.length ? `${open}${row.join(',')},…` : `${open}${row.join(',')}${']'.repeat(dims.length)}`;
}
