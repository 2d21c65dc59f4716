/** Field numbers of onnx.proto, of the messages that are read or written here. */
export const MODEL = { graph: 7, opset: 8, function: 25 };
export const OPSET = { domain: 1, version: 2 };
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13, sparseInitializer: 15 };
export const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7, overload: 8 };
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  tensors: 10,
  graphs: 11,
  type: 20,
  reference: 21,
  /** No field of ONNX: it stands for lists that were cut out (onnx-file.ts). */
  cut: 536_870_911,
};
export const TENSOR = {
  dims: 1,
  dtype: 2,
  floats: 4,
  int32s: 5,
  strings: 6,
  int64s: 7,
  name: 8,
  raw: 9,
  doubles: 10,
  external: 13,
  location: 14,
};
export const SPARSE_TENSOR = { values: 1 };
/** A name and its text, such as those of external data. */
export const ENTRY = { key: 1, value: 2 };
export const VALUE = { name: 1, type: 2 };
export const TYPE = { tensor: 1, sequence: 4, map: 5, sparse: 8, optional: 9 };
export const TENSOR_TYPE = { elementType: 1, shape: 2 };
export const SHAPE = { dim: 1 };
export const DIM = { size: 1, symbol: 2 };
export const FUNCTION = { name: 1, input: 4, output: 5, node: 7, opset: 9, domain: 10, defaults: 11, overload: 13 };

/** Numbers of TensorProto.DataType. */
export const DTYPE = { float: 1, int32: 6, int64: 7, bool: 9, double: 11 };
