import { blockField, packVarints, varintField } from '../../tensors/protobuf.ts';
import { ATTRIBUTE, DIM, GRAPH, NODE, SHAPE, TENSOR, TENSOR_TYPE, TYPE, VALUE } from '../graph/onnx-proto.ts';
import { type Dim, inside } from './onnx-fields.ts';
import type { OnnxValue } from './onnx-graph.ts';

/** Numbers of TensorProto.DataType. */
export const FLOAT = 1;
const INT64 = 7;
/** Numbers of AttributeProto.AttributeType. */
const [INT, INTS] = [2, 7];

/** An output with another name, and another type if one is given. */
export function renamed({ field }: OnnxValue, name: string, type?: Buffer): Buffer {
  const fields = inside(field).map((each) => {
    if (each.number === VALUE.name) return blockField(VALUE.name, name);
    return each.number === VALUE.type && type !== undefined ? type : each.raw;
  });
  return blockField(GRAPH.output, Buffer.concat(fields));
}

/** The type of a tensor, as a field of a ValueInfoProto. */
export function tensorType(elementType: number, dims: readonly Dim[]): Buffer {
  const sizes = dims.map((dim) => {
    const size = typeof dim === 'number' ? varintField(DIM.size, dim) : dim === '' ? '' : blockField(DIM.symbol, dim);
    return blockField(SHAPE.dim, size);
  });
  const tensor = Buffer.concat([varintField(TENSOR_TYPE.elementType, elementType), blockField(TENSOR_TYPE.shape, Buffer.concat(sizes))]);
  return blockField(VALUE.type, blockField(TYPE.tensor, tensor));
}

/** A node with one output, as a field of the graph. */
export function node(operator: string, inputs: readonly string[], output: string, attribute: Buffer = Buffer.alloc(0)): Buffer {
  const ports = [...inputs.map((input) => blockField(NODE.input, input)), blockField(NODE.output, output)];
  return blockField(GRAPH.node, Buffer.concat([...ports, blockField(NODE.operator, operator), attribute]));
}

/** An attribute with a list of one whole number, as a field of a node. */
export function intsAttribute(name: string, value: number): Buffer {
  const fields = [blockField(ATTRIBUTE.name, name), varintField(ATTRIBUTE.ints, value), varintField(ATTRIBUTE.type, INTS)];
  return blockField(NODE.attribute, Buffer.concat(fields));
}

/** An attribute with a whole number, as a field of a node. */
export function intAttribute(name: string, value: number): Buffer {
  const fields = [blockField(ATTRIBUTE.name, name), varintField(ATTRIBUTE.int, value), varintField(ATTRIBUTE.type, INT)];
  return blockField(NODE.attribute, Buffer.concat(fields));
}

/** An int64 initializer of one element. */
export function oneInteger(name: string, value: number): Buffer {
  const fields = [
    varintField(TENSOR.dims, 1),
    varintField(TENSOR.dtype, INT64),
    blockField(TENSOR.int64s, packVarints([value])),
    blockField(TENSOR.name, name),
  ];
  return blockField(GRAPH.initializer, Buffer.concat(fields));
}
