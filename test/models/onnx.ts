/**
 * Writes ONNX files without a protobuf library: each function returns the bytes of one message of
 * onnx.proto. Numbers in the calls are the field numbers of that file.
 */

/**
 * Element types by their number in TensorProto.DataType. The last four cannot be served: tests of
 * refusals need them.
 */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  float8e4m3fn: 17,
  uint4: 21,
  int4: 22,
} as const;

export type ElementType = keyof typeof elementTypes;
/** A number is a fixed size, a string names a symbolic one. */
export type Shape = readonly (number | string)[];

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const whole = (field: number, value: number | bigint): Buffer => Buffer.concat([varint(field << 3), varint(value)]);

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
}

/** A string, bytes, or a message: everything that has a length in front. */
function block(field: number, ...content: readonly (string | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

/** TensorProto. Numbers are stored raw, little-endian, as every platform of Node has them. */
export function tensor(name: string, type: ElementType, dims: readonly number[], data: ArrayBufferView | readonly string[]): Buffer {
  const shape = dims.length > 0 ? block(1, ...dims.map(varint)) : Buffer.alloc(0);
  const title = name === '' ? Buffer.alloc(0) : block(8, name);
  const head = [shape, whole(2, elementTypes[type])];
  if (!ArrayBuffer.isView(data)) return Buffer.concat([...head, ...data.map((text) => block(6, text)), title]);
  return Buffer.concat([...head, title, block(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]);
}

/** TensorProto whose bytes lie in another file, beside the model. */
export function externalTensor(name: string, type: ElementType, dims: readonly number[], file: string): Buffer {
  const location = block(13, block(1, 'location'), block(2, file));
  return Buffer.concat([block(1, ...dims.map(varint)), whole(2, elementTypes[type]), block(8, name), location, whole(14, 1)]);
}

/** AttributeProto, one function a kind of value. */
export const attribute = {
  int: (name: string, value: number): Buffer => Buffer.concat([block(1, name), whole(3, value), whole(20, 2)]),
  float: (name: string, value: number): Buffer => Buffer.concat([block(1, name), float(2, value), whole(20, 1)]),
  string: (name: string, value: string): Buffer => Buffer.concat([block(1, name), block(4, value), whole(20, 3)]),
  tensor: (name: string, value: Buffer): Buffer => Buffer.concat([block(1, name), block(5, value), whole(20, 4)]),
  graph: (name: string, value: Buffer): Buffer => Buffer.concat([block(1, name), block(6, value), whole(20, 5)]),
  ints: (name: string, values: readonly number[]): Buffer =>
    Buffer.concat([block(1, name), ...values.map((value) => whole(8, value)), whole(20, 7)]),
  floats: (name: string, values: readonly number[]): Buffer =>
    Buffer.concat([block(1, name), ...values.map((value) => float(7, value)), whole(20, 6)]),
  strings: (name: string, values: readonly string[]): Buffer =>
    Buffer.concat([block(1, name), ...values.map((value) => block(9, value)), whole(20, 8)]),
  type: (name: string, value: Buffer): Buffer => Buffer.concat([block(1, name), block(14, value), whole(20, 13)]),
  /** Inside a function: the value that the call gives to an attribute of the function. */
  reference: (name: string, kind: AttributeKind, to: string): Buffer =>
    Buffer.concat([block(1, name), whole(20, attributeKinds[kind]), block(21, to)]),
};

/** Kinds of attributes by their number in AttributeProto.AttributeType. */
export const attributeKinds = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8, type: 13 } as const;

export type AttributeKind = keyof typeof attributeKinds;

/** NodeProto. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Buffer[] = [],
  domain = '',
  name = `${outputs[0]}/${operator}`,
): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => block(1, input)),
    ...outputs.map((output) => block(2, output)),
    block(3, name),
    block(4, operator),
    ...attributes.map((item) => block(5, item)),
    domain === '' ? Buffer.alloc(0) : block(7, domain),
  ]);
}

/** TypeProto. */
export const types = {
  /** Without dims the rank is unknown. An empty string is a size without a name. */
  tensor: (type: ElementType, dims?: Shape): Buffer => {
    const sizes = dims?.map((size) => block(1, typeof size === 'number' ? whole(1, size) : size === '' ? '' : block(2, size)));
    return block(1, whole(1, elementTypes[type]), sizes === undefined ? '' : block(2, ...sizes));
  },
  sequence: (of: Buffer): Buffer => block(4, block(1, of)),
  map: (key: ElementType, of: Buffer): Buffer => block(5, whole(1, elementTypes[key]), block(2, of)),
  optional: (of: Buffer): Buffer => block(9, block(1, of)),
};

/** ValueInfoProto of any type; without one the type is inferred. */
export const typedValue = (name: string, type?: Buffer): Buffer =>
  Buffer.concat([block(1, name), type === undefined ? Buffer.alloc(0) : block(2, type)]);

/** ValueInfoProto of a tensor. */
export const value = (name: string, type: ElementType, dims?: Shape): Buffer => typedValue(name, types.tensor(type, dims));

/** ValueInfoProto of a sequence of tensors. */
export const sequenceValue = (name: string, type: ElementType, dims: Shape): Buffer =>
  typedValue(name, types.sequence(types.tensor(type, dims)));

/** ValueInfoProto of what ZipMap gives: a sequence of maps from int64 or string to float. */
export const mapsValue = (name: string, key: 'int64' | 'string'): Buffer =>
  typedValue(name, types.sequence(types.map(key, types.tensor('float32', []))));

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Buffer[];
  readonly initializers?: readonly Buffer[];
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
}

/** GraphProto. */
export function graph({ name, nodes, initializers = [], inputs, outputs }: Graph): Buffer {
  return Buffer.concat([
    ...nodes.map((item) => block(1, item)),
    block(2, name),
    ...initializers.map((item) => block(5, item)),
    ...inputs.map((item) => block(11, item)),
    ...outputs.map((item) => block(12, item)),
  ]);
}

export interface Versions {
  readonly ir?: number;
  readonly opset?: number;
  /** Further operator sets, by domain. */
  readonly opsets?: Readonly<Record<string, number>>;
}

const operatorSets = (field: number, { opset = 17, opsets = {} }: Versions): Buffer[] =>
  Object.entries({ '': opset, ...opsets }).map(([domain, version]) => block(field, block(1, domain), whole(2, version)));

export interface LocalFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of attributes that a call gives. */
  readonly attributes: readonly string[];
  readonly nodes: readonly Buffer[];
}

/** FunctionProto. */
export const localFunction = ({ domain, name, inputs, outputs, attributes, nodes }: LocalFunction, versions: Versions): Buffer =>
  Buffer.concat([
    block(1, name),
    ...inputs.map((input) => block(4, input)),
    ...outputs.map((output) => block(5, output)),
    ...attributes.map((item) => block(6, item)),
    ...nodes.map((item) => block(7, item)),
    ...operatorSets(9, versions),
    block(10, domain),
  ]);

/** ModelProto: the content of an .onnx file. */
export const model = (content: Graph, versions: Versions = {}): Buffer => modelOf(graph(content), [], versions);

/** ModelProto of a graph and of functions that are encoded already. */
export function modelOf(content: Buffer, functions: readonly Buffer[], versions: Versions): Buffer {
  return Buffer.concat([
    whole(1, versions.ir ?? 8),
    block(2, 'scoring-server'),
    block(7, content),
    ...operatorSets(8, versions),
    ...functions.map((item) => block(25, item)),
  ]);
}
