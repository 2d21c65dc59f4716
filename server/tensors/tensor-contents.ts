import type { Tensor } from '../entry-script.ts';
import { type BigIntegerDtype, type BooleanDtype, dtypes, type IntegerDtype, type TensorData } from './dtypes.ts';
import { type InputSpec, misfit } from './infer-request.ts';
import { blockHead, countVarints, FieldReader, packVarints, readVarints } from './protobuf.ts';
import { fromBytes, text, toBytes } from './tensor-bytes.ts';
import { inputPlace, placeOf, sizeOf } from './tensor-shape.ts';

/**
 * The data of an input from its InferTensorContents, whose elements may be unpacked. The contents
 * are measured before memory is taken.
 * @param messages the InferTensorContents, in the parts that the client sent
 * @throws ServerError invalid_input; RangeError where the bytes are no protobuf
 */
export function readContents(spec: InputSpec, messages: readonly Buffer[]): TensorData {
  const { name, type, dims } = spec;
  const row = dtypes[type];
  if (row.contentsField === undefined && messages.length > 0)
    throw misfit(`input ${name}`, `raw_input_contents, the only form of ${row.datatype}`, 'contents');
  const found = measure(spec, messages);
  switch (row.kind) {
    case 'string':
      return elementsOf(spec, messages, found.fields, (bytes, flat) => text(name, dims, flat, bytes));
    case 'float':
      return fromBytes(name, type, dims, joined(messages, found));
    case 'bigint':
      return bigIntegers(spec, row, joined(messages, found));
    case 'integer':
    case 'boolean':
      return integers(spec, row, joined(messages, found));
    default:
      return row satisfies never;
  }
}

/**
 * The elements of a BYTES input from its InferTensorContents, each a copy.
 * @throws ServerError invalid_input; RangeError where the bytes are no protobuf
 */
export function readByteContents(spec: InputSpec, messages: readonly Buffer[]): Uint8Array[] {
  return elementsOf(spec, messages, measure(spec, messages).fields, (bytes) => new Uint8Array(bytes));
}

interface Found {
  readonly fields: number;
  /** Of all contents together. */
  readonly bytes: number;
}

function measure({ name, type }: InputSpec, messages: readonly Buffer[]): Found {
  const { contentsField, datatype } = dtypes[type];
  let [fields, bytes] = [0, 0];
  for (const message of messages) {
    const reader = new FieldReader(message);
    for (; reader.next(); fields++) {
      if (reader.number !== contentsField)
        throw misfit(`input ${name}`, `contents in the field ${contentsField} for ${datatype}`, `the field ${reader.number}`);
      bytes += reader.to - reader.from;
    }
  }
  return { fields, bytes };
}

/** The contents of all fields, joined. A single field, the usual case, is a view. */
function joined(messages: readonly Buffer[], { fields, bytes }: Found): Buffer {
  const all = fields === 1 ? undefined : Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const message of messages) {
    const reader = new FieldReader(message);
    while (reader.next()) {
      if (all === undefined) return reader.content;
      at += message.copy(all, at, reader.from, reader.to);
    }
  }
  return all ?? Buffer.alloc(0);
}

function elementsOf<T>(
  { name, dims }: InputSpec,
  messages: readonly Buffer[],
  count: number,
  read: (bytes: Buffer, flat: number) => T,
): T[] {
  checkCount(name, dims, count);
  const elements: T[] = [];
  for (const message of messages) {
    const reader = new FieldReader(message);
    while (reader.next()) elements.push(read(reader.content, elements.length));
  }
  return elements;
}

function checkCount(name: string, dims: readonly number[], count: number): void {
  if (count !== sizeOf(dims)) throw misfit(`input ${name}`, `${sizeOf(dims)} elements for its shape`, String(count));
}

/**
 * A tensor with contents as the field `number` of a message. Empty for a tensor without elements,
 * and for raw contents only.
 */
export function writeContents(number: number, tensor: Tensor): Uint8Array[] {
  const { data } = tensor;
  const { contentsField: field, kind } = dtypes[tensor.type];
  if (field === undefined || data.length === 0) return [];
  if (Array.isArray(data)) {
    const content = writeStrings(field, data);
    return [blockHead(number, content.length), content];
  }
  // Packed floats are their bytes.
  const bytes = kind === 'float' ? toBytes(tensor) : packVarints(data);
  const head = blockHead(field, bytes.length);
  return [blockHead(number, head.length + bytes.length), head, bytes];
}

function writeStrings(field: number, elements: readonly string[]): Buffer {
  const heads = elements.map((element) => blockHead(field, Buffer.byteLength(element)));
  const bytes = Buffer.allocUnsafe(
    elements.reduce((sum, element, index) => sum + (heads[index]?.length ?? 0) + Buffer.byteLength(element), 0),
  );
  let at = 0;
  for (const [index, element] of elements.entries()) {
    at += heads[index]?.copy(bytes, at) ?? 0;
    at += bytes.write(element, at);
  }
  return bytes;
}

/** Varints, each checked, because a number that is too large for its datatype would be cut. */
function integers({ name, dims }: InputSpec, row: IntegerDtype | BooleanDtype, bytes: Buffer): TensorData {
  const data = new row.array(checkedCount(name, dims, bytes));
  const signed = row.kind === 'integer' && row.least < 0;
  const isBool = row.kind === 'boolean';
  readVarints(bytes, (low, _high, index) => {
    const value = signed ? low | 0 : low;
    data[index] = value;
    if (data[index] !== value || (isBool && value > 1)) throw misfit(inputPlace(name, placeOf(dims, index)), row.datatype, String(value));
  });
  return data;
}

function bigIntegers({ name, dims }: InputSpec, { array }: BigIntegerDtype, bytes: Buffer): TensorData {
  const data = new array(checkedCount(name, dims, bytes));
  readVarints(bytes, (low, high, index) => {
    data[index] = (BigInt(high) << 32n) | BigInt(low);
  });
  return data;
}

function checkedCount(name: string, dims: readonly number[], varints: Buffer): number {
  const count = countVarints(varints);
  checkCount(name, dims, count);
  return count;
}
