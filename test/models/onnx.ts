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
};

/** NodeProto. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Buffer[] = [],
  domain = '',
): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => block(1, input)),
    ...outputs.map((output) => block(2, output)),
    block(3, `${outputs[0]}/${operator}`),
    block(4, operator),
    ...attributes.map((item) => block(5, item)),
    domain === '' ? Buffer.alloc(0) : block(7, domain),
  ]);
}

/** TypeProto of a tensor; without dims its rank is unknown. */
function tensorType(type: ElementType, dims?: Shape): Buffer {
  const sizes = dims?.map((size) => block(1, typeof size === 'number' ? whole(1, size) : block(2, size)));
  return block(1, whole(1, elementTypes[type]), sizes === undefined ? '' : block(2, ...sizes));
}

/** ValueInfoProto of a tensor. */
export const value = (name: string, type: ElementType, dims?: Shape): Buffer =>
  Buffer.concat([block(1, name), block(2, tensorType(type, dims))]);

/** ValueInfoProto of a sequence of tensors. */
export const sequenceValue = (name: string, type: ElementType, dims: Shape): Buffer =>
  Buffer.concat([block(1, name), block(2, block(4, block(1, tensorType(type, dims))))]);

/** ValueInfoProto of what ZipMap gives: a sequence of maps from int64 or string to float. */
export const mapsValue = (name: string, key: 'int64' | 'string'): Buffer =>
  Buffer.concat([block(1, name), block(2, block(4, block(1, block(5, whole(1, elementTypes[key]), block(2, tensorType('float32', []))))))]);

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

/** ModelProto: the content of an .onnx file. */
export function model(content: Graph, { ir = 8, opset = 17, opsets = {} }: Versions = {}): Buffer {
  return Buffer.concat([
    whole(1, ir),
    block(2, 'scoring-server'),
    block(7, graph(content)),
    ...Object.entries({ '': opset, ...opsets }).map(([domain, version]) => block(8, block(1, domain), whole(2, version))),
  ]);
}
