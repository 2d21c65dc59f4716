import { FieldReader } from '../../tensors/protobuf.ts';
import type { Tracked } from '../rows/value.ts';
import { CONSTANT } from '../rows/value.ts';
import { DIM, FUNCTION, GRAPH, MODEL, NODE, OPSET, SHAPE, SPARSE_TENSOR, TENSOR_TYPE, TYPE, VALUE } from './onnx-proto.ts';
import { latin1, onlySpan, type Span, spanOf, tensorOf, wholeOf } from './onnx-tensor.ts';

/** Names are Latin-1, one character a byte. */
export interface OnnxNode {
  /** Where its name lies; undefined if it has none. */
  readonly name: Span | undefined;
  readonly operator: string;
  readonly domain: string;
  /** Tells functions of one name apart; empty for one without. */
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

export const functionKey = ({ domain, operator, overload }: Pick<OnnxNode, 'domain' | 'operator' | 'overload'>): string =>
  `${domain}\n${operator}\n${overload}`;

/** The default domain has two names. */
const domainOf = (name: string): string => (name === 'ai.onnx' ? '' : name);

/** @throws RangeError if the bytes are no ONNX model */
export function readModel(bytes: Buffer): OnnxModel {
  const fields = new FieldReader(bytes);
  const opsets = new Map<string, number>();
  const functions = new Map<string, OnnxFunction>();
  let graph: Span | undefined;
  while (fields.next()) {
    if (fields.number === MODEL.graph) graph = onlySpan(fields, graph);
    else if (fields.number === MODEL.opset) readOpset(bytes, spanOf(fields), opsets);
    else if (fields.number === MODEL.function) {
      const [key, read] = readFunction(bytes, spanOf(fields));
      if (functions.has(key)) throw new RangeError('expected each function once, got one twice');
      functions.set(key, read);
    }
  }
  if (graph === undefined) throw new RangeError('expected a graph in the model, found none');
  return { bytes, graph, opsets, functions };
}

/** @throws RangeError if a domain has two versions */
function readOpset(bytes: Buffer, { from, to }: Span, into: Map<string, number>): void {
  const fields = new FieldReader(bytes, Infinity, from, to);
  let [domain, version] = ['', 0];
  while (fields.next()) {
    if (fields.number === OPSET.domain) domain = latin1(fields);
    else if (fields.number === OPSET.version) version = wholeOf(fields);
  }
  const key = domainOf(domain);
  if ((into.get(key) ?? version) !== version) throw new RangeError('expected one version of each domain, got two');
  into.set(key, version);
}

function readFunction(bytes: Buffer, { from, to }: Span): [string, OnnxFunction] {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const [inputs, outputs, defaults]: [string[], string[], Span[]] = [[], [], []];
  const opsets = new Map<string, number>();
  let [operator, domain, overload] = ['', '', ''];
  while (fields.next()) {
    if (fields.number === FUNCTION.name) operator = latin1(fields);
    else if (fields.number === FUNCTION.domain) domain = domainOf(latin1(fields));
    else if (fields.number === FUNCTION.overload) overload = latin1(fields);
    else if (fields.number === FUNCTION.input) inputs.push(latin1(fields));
    else if (fields.number === FUNCTION.output) outputs.push(latin1(fields));
    else if (fields.number === FUNCTION.opset) readOpset(bytes, spanOf(fields), opsets);
    else if (fields.number === FUNCTION.defaults) defaults.push(spanOf(fields));
  }
  return [
    functionKey({ domain, operator, overload }),
    { inputs, outputs, nodes: new Nodes(bytes, { from, to }, FUNCTION.node), opsets, defaults },
  ];
}

/** @throws RangeError if it is damaged */
export function readGraph(bytes: Buffer, { from, to }: Span): OnnxGraph {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const [inputs, outputs]: [OnnxInput[], string[]] = [[], []];
  const constants = new Map<string, Tracked>();
  while (fields.next()) {
    if (fields.number === GRAPH.input) inputs.push(readValue(bytes, spanOf(fields)));
    else if (fields.number === GRAPH.output) outputs.push(readValue(bytes, spanOf(fields)).name);
    else if (fields.number === GRAPH.initializer) {
      const { from: start, to: end } = spanOf(fields);
      const { name, value } = tensorOf(bytes, start, end);
      constants.set(name, value);
    } else if (fields.number === GRAPH.sparseInitializer) constants.set(sparseName(bytes, spanOf(fields)), CONSTANT);
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
    while (fields.next()) if (fields.number === this.#number) yield readNode(this.#bytes, spanOf(fields));
  }
}

function sparseName(bytes: Buffer, { from, to }: Span): string {
  const fields = new FieldReader(bytes, Infinity, from, to);
  while (fields.next()) if (fields.number === SPARSE_TENSOR.values) return tensorOf(bytes, fields.from, fields.to).name;
  return '';
}

function readNode(bytes: Buffer, { from, to }: Span): OnnxNode {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const [inputs, outputs, attributes]: [string[], string[], Span[]] = [[], [], []];
  let [operator, domain, overload] = ['', '', ''];
  let name: Span | undefined;
  while (fields.next()) {
    if (fields.number === NODE.input) inputs.push(latin1(fields));
    else if (fields.number === NODE.output) outputs.push(latin1(fields));
    else if (fields.number === NODE.attribute) attributes.push(spanOf(fields));
    else if (fields.number === NODE.operator) operator = latin1(fields);
    else if (fields.number === NODE.overload) overload = latin1(fields);
    else if (fields.number === NODE.name) name = spanOf(fields);
    else if (fields.number === NODE.domain) domain = domainOf(latin1(fields));
  }
  return { name, operator, domain, overload, inputs, outputs, attributes };
}

function readValue(bytes: Buffer, { from, to }: Span): OnnxInput {
  const fields = new FieldReader(bytes, Infinity, from, to);
  let name = '';
  let type: Span | undefined;
  while (fields.next()) {
    if (fields.number === VALUE.name) name = latin1(fields);
    else if (fields.number === VALUE.type) type = onlySpan(fields, type);
  }
  return { name, dims: type && dimsOfType(bytes, type) };
}

/** Sizes of a TypeProto, or undefined if it is no tensor with a shape. */
function dimsOfType(bytes: Buffer, type: Span): OnnxInput['dims'] {
  const shape = inner(bytes, inner(bytes, type, TYPE.tensor), TENSOR_TYPE.shape);
  if (shape === undefined) return undefined;
  const fields = new FieldReader(bytes, Infinity, shape.from, shape.to);
  const dims: (number | string)[] = [];
  while (fields.next()) if (fields.number === SHAPE.dim) dims.push(dimOf(bytes, spanOf(fields)));
  return dims;
}

function inner(bytes: Buffer, span: Span | undefined, number: number): Span | undefined {
  if (span === undefined) return undefined;
  const fields = new FieldReader(bytes, Infinity, span.from, span.to);
  let found: Span | undefined;
  while (fields.next()) if (fields.number === number) found = onlySpan(fields, found);
  return found;
}

/** Sizes are at most this large. Exporters write -1 for one that is open, which has 64 bits. */
const MOST_SIZE = 2 ** 53;

/** The last of a number and a symbol counts. */
function dimOf(bytes: Buffer, { from, to }: Span): number | string {
  const fields = new FieldReader(bytes, Infinity, from, to);
  let dim: number | string = '';
  while (fields.next()) {
    if (fields.number === DIM.size) dim = wholeOf(fields);
    else if (fields.number === DIM.symbol) dim = latin1(fields);
  }
  return typeof dim === 'number' && dim > MOST_SIZE ? '' : dim;
}
