import { fieldsOf, numbersOf } from '../../server/tensors/protobuf.ts';
import type { OipTensor } from './fixtures.ts';

// Field numbers of TensorProto in onnx.proto
const DIMS = 1;
const DATA_TYPE = 2;
const FLOAT_DATA = 4;
const NAME = 8;
const RAW_DATA = 9;

/** The data types that occur in the fixtures without case.json. */
const FLOAT = 1;

/**
 * A float32 TensorProto file as an Open Inference tensor.
 * @throws Error when it holds another data type
 */
export function readTensor(bytes: Buffer): OipTensor {
  const fields = fieldsOf(bytes);
  const blocks = (number: number): Buffer[] =>
    fields.flatMap((field) => (field.number === number && Buffer.isBuffer(field.value) ? [field.value] : []));
  const type = fields.find(({ number }) => number === DATA_TYPE)?.value;
  if (type !== FLOAT) throw new Error(`expected a tensor of float32 (${FLOAT}), got data type ${String(type)}`);
  const numbers = Buffer.concat([...blocks(RAW_DATA), ...blocks(FLOAT_DATA)]);
  return {
    name: blocks(NAME)[0]?.toString() ?? '',
    datatype: 'FP32',
    shape: fields.filter(({ number }) => number === DIMS).flatMap(numbersOf),
    data: Array.from({ length: numbers.length / 4 }, (_, index) => numbers.readFloatLE(index * 4)),
  };
}
