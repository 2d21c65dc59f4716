import { FieldReader } from '../../tensors/protobuf.ts';
import type { Tracked } from '../rows/value.ts';
import { CONSTANT } from '../rows/value.ts';
import type { Span } from './node-attributes.ts';
import { DIM, FUNCTION, GRAPH, MODEL, NODE, OPSET, SHAPE, SPARSE_TENSOR, TENSOR_TYPE, TYPE, VALUE } from './onnx-proto.ts';
import { latin1, tensorOf } from './onnx-tensor.ts';

/** Names are Latin-1, one character a byte. */
export interface OnnxNode {
  /** Where its name lies; undefined if it has none. */
  readonly name: Span | undefined;
  readonly operator: string;
  readonly domain: string;
  /** Tells functions of one name apart. */
  readonly overload: string;
  /** Empty for an absent input or output. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Span[];
}

export interface OnnxInput {
  readonly name: string;
  /** A number, the name of a symbol, or '' for a size without a name. Undefined: no shape. */
  readonly dims: readonly (number | string)[] | undefined;
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
  readonly constants: ReadonlyMap<string, Tracked>;
  /** Read anew each time, so that a large graph leaves no objects behind. */
  readonly nodes: Iterable<OnnxNode>;
}

/** A function of the model, which nodes call as an operator. */
export interface OnnxFunction {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Read anew each time, so that a large graph leaves no objects behind. */
  readonly nodes: Iterable<OnnxNode>;
  readonly opsets: ReadonlyMap<string, number>;
  /** Attributes with a default. */
  readonly defaults: readonly Span[];
}

export interface OnnxModel {
  readonly bytes: Buffer;
  readonly graph: Span;
  /** Version by domain; '' is the default domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** By domain, name and overload: see `functionKey`. */
  readonly functions: ReadonlyMap<string, OnnxFunction>;
}

export const functionKey = (domain: string, operator: string, overload: string): string => `${domain}\n${operator}\n${overload}`;

/** The default domain has two names. */
const domainOf = (name: string): string => (name === 'ai.onnx' ? '' : name);

/** @throws RangeError if the bytes are no ONNX model */
export function readModel(bytes: Buffer): OnnxModel {
  const fields = new FieldReader(bytes);
  const opsets = new Map<string, number>();
  const functions = new Map<string, OnnxFunction>();
  let graph: Span | undefined;
  while (fields.next()) {
    const { from, to } = fields;
    if (fields.number === MODEL.graph) graph = { from, to };
    else if (fields.number === MODEL.opset) readOpset(bytes, from, to, opsets);
    else if (fields.number === MODEL.function) functions.set(...readFunction(bytes, from, to));
  }
  if (graph === undefined) throw new RangeError('expected a graph in the model, found none');
  return { bytes, graph, opsets, functions };
}

function readOpset(bytes: Buffer, from: number, to: number, into: Map<string, number>): void {
  const fields = new FieldReader(bytes, Infinity, from, to);
  let [domain, version] = ['', 0];
  while (fields.next()) {
    if (fields.number === OPSET.domain) domain = latin1(fields);
    else if (fields.number === OPSET.version) version = fields.value;
  }
  into.set(domainOf(domain), version);
}

function readFunction(bytes: Buffer, from: number, to: number): [string, OnnxFunction] {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const [inputs, outputs, defaults]: [string[], string[], Span[]] = [[], [], []];
  const opsets = new Map<string, number>();
  let [name, domain, overload] = ['', '', ''];
  while (fields.next()) {
    if (fields.number === FUNCTION.name) name = latin1(fields);
    else if (fields.number === FUNCTION.domain) domain = domainOf(latin1(fields));
    else if (fields.number === FUNCTION.overload) overload = latin1(fields);
    else if (fields.number === FUNCTION.input) inputs.push(latin1(fields));
    else if (fields.number === FUNCTION.output) outputs.push(latin1(fields));
    else if (fields.number === FUNCTION.opset) readOpset(bytes, fields.from, fields.to, opsets);
    else if (fields.number === FUNCTION.defaults) defaults.push({ from: fields.from, to: fields.to });
  }
  return [functionKey(domain, name, overload), { inputs, outputs, nodes: new Nodes(bytes, { from, to }, FUNCTION.node), opsets, defaults }];
}

/** @throws RangeError if it is damaged */
export function readGraph(bytes: Buffer, { from, to }: Span): OnnxGraph {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const [inputs, outputs]: [OnnxInput[], string[]] = [[], []];
  const constants = new Map<string, Tracked>();
  while (fields.next()) {
    if (fields.number === GRAPH.input) inputs.push(readValue(bytes, fields.from, fields.to));
    else if (fields.number === GRAPH.output) outputs.push(readValue(bytes, fields.from, fields.to).name);
    else if (fields.number === GRAPH.initializer) {
      const { name, value } = tensorOf(bytes, fields.from, fields.to);
      constants.set(name, value);
    } else if (fields.number === GRAPH.sparseInitializer) constants.set(sparseName(bytes, fields.from, fields.to), CONSTANT);
  }
  return { inputs, outputs, nodes: new Nodes(bytes, { from, to }, GRAPH.node), constants };
}

/** The nodes of a message, in their order. */
class Nodes implements Iterable<OnnxNode> {
  readonly #bytes: Buffer;
  readonly #span: Span;
  readonly #number: number;

  constructor(bytes: Buffer, span: Span, number: number) {
    this.#bytes = bytes;
    this.#span = span;
    this.#number = number;
  }

  *[Symbol.iterator](): Iterator<OnnxNode> {
    const fields = new FieldReader(this.#bytes, Infinity, this.#span.from, this.#span.to);
    while (fields.next()) if (fields.number === this.#number) yield readNode(this.#bytes, fields.from, fields.to);
  }
}

function sparseName(bytes: Buffer, from: number, to: number): string {
  const fields = new FieldReader(bytes, Infinity, from, to);
  while (fields.next()) if (fields.number === SPARSE_TENSOR.values) return tensorOf(bytes, fields.from, fields.to).name;
  return '';
}

function readNode(bytes: Buffer, from: number, to: number): OnnxNode {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const [inputs, outputs, attributes]: [string[], string[], Span[]] = [[], [], []];
  let [operator, domain, overload] = ['', '', ''];
  let name: Span | undefined;
  while (fields.next()) {
    if (fields.number === NODE.input) inputs.push(latin1(fields));
    else if (fields.number === NODE.output) outputs.push(latin1(fields));
    else if (fields.number === NODE.attribute) attributes.push({ from: fields.from, to: fields.to });
    else if (fields.number === NODE.operator) operator = latin1(fields);
    else if (fields.number === NODE.overload) overload = latin1(fields);
    else if (fields.number === NODE.name) name = { from: fields.from, to: fields.to };
    else if (fields.number === NODE.domain) domain = domainOf(latin1(fields));
  }
  return { name, operator, domain, overload, inputs, outputs, attributes };
}

function readValue(bytes: Buffer, from: number, to: number): OnnxInput {
  const fields = new FieldReader(bytes, Infinity, from, to);
  let name = '';
  let dims: OnnxInput['dims'];
  while (fields.next()) {
    if (fields.number === VALUE.name) name = latin1(fields);
    else if (fields.number === VALUE.type) dims = dimsOfType(bytes, fields.from, fields.to);
  }
  return { name, dims };
}

/** Sizes of a TypeProto, or undefined if it is no tensor with a shape. */
function dimsOfType(bytes: Buffer, from: number, to: number): OnnxInput['dims'] {
  const shape = inner(bytes, inner(bytes, { from, to }, TYPE.tensor), TENSOR_TYPE.shape);
  if (shape === undefined) return undefined;
  const fields = new FieldReader(bytes, Infinity, shape.from, shape.to);
  const dims: (number | string)[] = [];
  while (fields.next()) if (fields.number === SHAPE.dim) dims.push(dimOf(bytes, fields.from, fields.to));
  return dims;
}

function inner(bytes: Buffer, span: Span | undefined, number: number): Span | undefined {
  if (span === undefined) return undefined;
  const fields = new FieldReader(bytes, Infinity, span.from, span.to);
  while (fields.next()) if (fields.number === number) return { from: fields.from, to: fields.to };
  return undefined;
}

function dimOf(bytes: Buffer, from: number, to: number): number | string {
  const fields = new FieldReader(bytes, Infinity, from, to);
  while (fields.next()) {
    // A negative size is unknown, as in ONNX Runtime.
    if (fields.number === DIM.size) return fields.value < 2 ** 63 ? fields.value : '';
    if (fields.number === DIM.symbol) return latin1(fields);
  }
  return '';
}
