/** Field numbers of onnx.proto. */
export const MODEL = { graph: 7, opset: 8, function: 25 } as const;
export const OPSET = { domain: 1, version: 2 } as const;
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
export const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 } as const;
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
  reference: 21,
} as const;
export const TENSOR = { dims: 1, dtype: 2, floats: 4, int32s: 5, int64s: 7, name: 8, raw: 9, doubles: 10, external: 13 } as const;
export const SPARSE_TENSOR = { values: 1 } as const;
export const VALUE = { name: 1, type: 2 } as const;
export const TYPE = { tensor: 1 } as const;
export const TENSOR_TYPE = { shape: 2 } as const;
export const SHAPE = { dim: 1 } as const;
export const DIM = { size: 1, name: 2 } as const;
export const FUNCTION = { name: 1, input: 4, output: 5, node: 7, opset: 9, domain: 10, defaults: 11 } as const;

/** Numbers of TensorProto.DataType. */
export const DTYPE = { float: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, bool: 9, float16: 10, double: 11 } as const;
