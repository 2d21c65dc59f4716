import type { Dtype, Tensor, TensorData } from '../entry-script.ts';
import { oipDatatypes } from '../oip-datatypes.ts';
import { blockField, blockHead, contentOf, countVarints, type Field, packVarints, readVarints } from '../protobuf.ts';
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
 * The data of an input from the fields of its InferTensorContents.
 * @throws ServerError invalid_input; RangeError where the bytes are no protobuf
 */
export function readContents({ name, type, dims }: InputSpec, fields: readonly Field[]): TensorData {
  if (type === 'float16') throw misfit(`input ${name}`, 'raw_input_contents, the only form of FP16', 'contents');
  const wanted = FIELDS[type];
  const other = fields.find(({ number }) => number !== wanted);
  if (other !== undefined)
    throw misfit(`input ${name}`, `contents in the field ${wanted} for ${oipDatatypes[type]}`, `the field ${other.number}`);
  const blocks = fields.map(contentOf);
  if (type === 'float32' || type === 'float64') return fromBytes(name, type, dims, joined(blocks));
  const data =
    type === 'string' ? blocks.map((bytes, index) => text(`input ${name}[${index}]`, bytes)) : integers(name, type, joined(blocks));
  if (data.length !== sizeOf(dims)) throw misfit(`input ${name}`, `${sizeOf(dims)} elements for its shape`, String(data.length));
  return data;
}

/** A tensor of any dtype but FP16 as the field `number` of a message. */
export function writeContents(number: number, tensor: Tensor): Uint8Array[] {
  const { type, data } = tensor;
  if (type === 'float16' || data.length === 0) return [];
  const field = FIELDS[type];
  if (Array.isArray(data)) {
    const content = Buffer.concat(data.map((element) => blockField(field, element)));
    return [blockHead(number, content.length), content];
  }
  // Packed floats are their bytes.
  const bytes = type === 'float32' || type === 'float64' ? toBytes(tensor) : packVarints(data);
  const head = blockHead(field, bytes.length);
  return [blockHead(number, head.length + bytes.length), head, bytes];
}

const joined = (blocks: readonly Buffer[]): Buffer => (blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks));

/** Varints, each checked: a number that is too large for its datatype would be cut. */
function integers(name: string, type: Integer, bytes: Buffer): Exclude<TensorData, string[]> {
  const data = new arrays[type](countVarints(bytes));
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
