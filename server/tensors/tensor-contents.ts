import type { Dtype, Tensor, TensorData } from '../entry-script.ts';
import { oipDatatypes } from './oip-datatypes.ts';
import { blockHead, countVarints, FieldReader, packVarints, readVarints } from './protobuf.ts';
import { type InputSpec, misfit, sizeOf } from './infer-request.ts';
import { arrays, fromBytes, text, toBytes } from './tensor-bytes.ts';

/** Numbers of the fields of InferTensorContents: reference/open-inference-protocol.md, section 3. FP16 has none. */
const FIELDS: Readonly<Record<Exclude<Dtype, 'float16'>, number>> = {
  bool: 1,
  int8: 2,
  int16: 2,
  int32: 2,
  int64: 3,
  uint8: 4,
  uint16: 4,
  uint32: 4,
  uint64: 5,
  float32: 6,
  float64: 7,
  string: 8,
};

type Integer = Exclude<Dtype, 'float16' | 'float32' | 'float64' | 'string'>;

/**
 * The data of an input from its InferTensorContents. Elements may stand one by one: what a client sends is walked through twice, so
 * that nothing is made before it is known to fit.
 * @param messages the InferTensorContents, in the parts in which it came
 * @throws ServerError invalid_input; RangeError where the bytes are no protobuf
 */
export function readContents(spec: InputSpec, messages: readonly Buffer[]): TensorData {
  const { name, type, dims } = spec;
  if (type === 'float16' && messages.length > 0) throw misfit(`input ${name}`, 'raw_input_contents, the only form of FP16', 'contents');
  const found = measure(spec, messages);
  if (type === 'string') return strings(spec, messages, found.fields);
  const bytes = joined(messages, found);
  return type === 'float32' || type === 'float64' || type === 'float16' ? fromBytes(name, type, dims, bytes) : integers(spec, type, bytes);
}

interface Found {
  readonly fields: number;
  /** Of all contents together. */
  readonly bytes: number;
}

function measure({ name, type }: InputSpec, messages: readonly Buffer[]): Found {
  const wanted = type === 'float16' ? 0 : FIELDS[type];
  let [fields, bytes] = [0, 0];
  for (const message of messages) {
    const reader = new FieldReader(message);
    for (; reader.next(); fields++) {
      if (reader.number !== wanted)
        throw misfit(`input ${name}`, `contents in the field ${wanted} for ${oipDatatypes[type]}`, `the field ${reader.number}`);
      bytes += reader.to - reader.from;
    }
  }
  return { fields, bytes };
}

/** The contents of all fields behind one another; of a single one, as it should be, a view. */
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

function strings({ name, dims }: InputSpec, messages: readonly Buffer[], count: number): string[] {
  checkCount(name, dims, count);
  const elements: string[] = [];
  for (const message of messages) {
    const reader = new FieldReader(message);
    while (reader.next()) elements.push(text(`input ${name}`, reader.content, elements.length));
  }
  return elements;
}

function checkCount(name: string, dims: readonly number[], count: number): void {
  if (count !== sizeOf(dims)) throw misfit(`input ${name}`, `${sizeOf(dims)} elements for its shape`, String(count));
}

/** A tensor of any dtype but FP16 as the field `number` of a message. */
export function writeContents(number: number, tensor: Tensor): Uint8Array[] {
  const { type, data } = tensor;
  if (type === 'float16' || data.length === 0) return [];
  const field = FIELDS[type];
  if (Array.isArray(data)) {
    const content = writeStrings(field, data);
    return [blockHead(number, content.length), content];
  }
  // Packed floats are their bytes.
  const bytes = type === 'float32' || type === 'float64' ? toBytes(tensor) : packVarints(data);
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

/** Varints, each checked: a number that is too large for its datatype would be cut. */
function integers({ name, dims }: InputSpec, type: Integer, bytes: Buffer): Exclude<TensorData, string[]> {
  const count = countVarints(bytes);
  checkCount(name, dims, count);
  const data = new arrays[type](count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    readVarints(bytes, (low, high, index) => {
      data[index] = (BigInt(high) << 32n) | BigInt(low);
    });
    return data;
  }
  const signed = type.startsWith('int');
  readVarints(bytes, (low, _high, index) => {
    const value = signed ? low | 0 : low;
    data[index] = value;
    if (data[index] !== value || (type === 'bool' && value > 1)) throw misfit(`input ${name}[${index}]`, oipDatatypes[type], String(value));
  });
  return data;
}
