import type { Field } from '../../tensors/protobuf.ts';
import { TENSOR } from '../graph/onnx-proto.ts';
import { floatsOf, integerOf, integersOf, shortest, textsOf } from './onnx-fields.ts';

/** A class label, or another element of a constant. Integers beyond 2^53 are decimal texts. */
export type Label = string | number;

/** Numbers of TensorProto.DataType. */
const [FLOAT, INT32, INT64, STRING, DOUBLE] = [1, 6, 7, 8, 11];

/**
 * The elements of a TensorProto that is one list. Undefined for other shapes, for external data,
 * and for dtypes that hold no labels.
 */
export function constantValues(fields: readonly Field[]): readonly Label[] | undefined {
  const isList = integersOf(fields, TENSOR.dims).filter((size) => size !== 1).length < 2;
  if (!isList || fields.some(({ number }) => number === TENSOR.external)) return undefined;
  const raw = fields.findLast(({ number }) => number === TENSOR.raw)?.value;
  switch (integerOf(fields, TENSOR.dtype)) {
    case undefined:
      return undefined;
    case STRING:
      return textsOf(fields, TENSOR.strings);
    case INT64:
      return Buffer.isBuffer(raw) ? elements(raw, 8, (at) => shortest(raw.readBigInt64LE(at))) : integersOf(fields, TENSOR.int64s);
    case INT32:
      return Buffer.isBuffer(raw) ? elements(raw, 4, (at) => raw.readInt32LE(at)) : integersOf(fields, TENSOR.int32s);
    case FLOAT:
      return Buffer.isBuffer(raw) ? elements(raw, 4, (at) => raw.readFloatLE(at)) : floatsOf(fields, TENSOR.floats);
    case DOUBLE:
      return Buffer.isBuffer(raw) ? elements(raw, 8, (at) => raw.readDoubleLE(at)) : undefined;
    default:
      return undefined;
  }
}

function elements(bytes: Buffer, size: number, read: (at: number) => Label): Label[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => read(index * size));
}
