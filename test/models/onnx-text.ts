/**
 * Reads small models from text, in the syntax of the ONNX project with the names of dtypes that
 * this project uses.
 *
 *   (float32[N, 3] x) => (float32[N, 3] y) <float32[3] w = {1, 2, 3}> {
 *     [named] m = ReduceMean<axes = [0], keepdims = 1>(x)
 *     y = local.shift<by = "mean">(x, m)
 *   }
 *   function local.shift<by>(a, b) => (c) { c = Sub(a, b) }
 *
 * - Types: `float32` is a scalar, `float32[]` has an unknown rank, `?` is a size without a name;
 *   `seq(..)`, `optional(..)`, `map(int64, ..)`. A graph's outputs in a subgraph need no type.
 * - Values of a tensor repeat until it is full: `float32[4, 3] w = {0.5, -1}`.
 * - Attributes: `1` is an int, `1.0` a float, `"a"` a string, `[..]` a list of them,
 *   `float32[2] {1, 2}` a tensor, `(..) => (..) {..}` a graph, a type a type. `kind: ints = []`
 *   states the kind, `axis: int = @axis` refers to an attribute of the function.
 */
import { elementTypes as elements } from '../../server/tensors/elements.ts';
import { isDtype } from '../../server/tensors/dtypes.ts';
import { dataOf } from '../../server/tensors/tensor.ts';
import { sizeOf } from '../../server/tensors/tensor-shape.ts';
import {
  attribute,
  type AttributeKind,
  attributeKinds,
  type ElementType,
  elementTypes,
  graph,
  localFunction,
  modelOf,
  node,
  type Shape,
  tensor,
  typedValue,
  types,
  type Versions,
} from './onnx.ts';

const TOKEN = /\s*(?:#.*\n)?\s*("(?:[^"\\]|\\.)*"|=>|-?(?:inf|nan)\b|[A-Za-z_][\w.]*|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|[^\s])/gy;
const NUMBER = /^-?(?:\d|inf$|nan$)/;

/** The bytes of the model that the text describes. @throws Error that names the unexpected token */
export function readModel(text: string, versions: Versions = {}): Buffer {
  const reader = new Reader(text);
  const main = reader.graph();
  const functions: Buffer[] = [];
  while (!reader.done) functions.push(reader.localFunction(versions));
  return modelOf(main, functions, versions);
}

/** The inputs that a client gives: those without an initializer. */
export function readInputs(text: string): Port[] {
  const ports = new Reader(text).list('(', ')', (reader) => reader.port());
  return ports.filter(({ name }) => !new RegExp(`[<,]\\s*\\w+(?:\\[[^\\]]*\\])? ${name} = \\{`).test(text));
}

export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: Shape;
}

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = Array.from(text.matchAll(TOKEN), ([, token]) => token ?? '');
  }

  get done(): boolean {
    return this.#at === this.#tokens.length;
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? '';
  }

  #next(): string {
    this.#at += 1;
    return this.#tokens[this.#at - 1] ?? '';
  }

  #skip(token: string): boolean {
    const found = this.#peek() === token;
    if (found) this.#at += 1;
    return found;
  }

  #expect(token: string): void {
    const got = this.#next();
    if (got === token) return;
    const before = this.#tokens.slice(Math.max(0, this.#at - 9), this.#at - 1).join(' ');
    throw new Error(`expected ${token} after "${before}", got ${got || 'the end'}`);
  }

  list<T>(open: string, close: string, item: (reader: Reader) => T): T[] {
    const items: T[] = [];
    this.#expect(open);
    while (!this.#skip(close)) {
      items.push(item(this));
      if (this.#peek() !== close) this.#expect(',');
    }
    return items;
  }

  /** A name, in quotes where it is empty or unusual. */
  #name(): string {
    const token = this.#next();
    return token.startsWith('"') ? String(JSON.parse(token)) : token;
  }

  graph(): Buffer {
    const inputs = this.list('(', ')', () => this.#value());
    this.#expect('=>');
    const outputs = this.list('(', ')', () => this.#value());
    const initializers = this.#peek() === '<' ? this.list('<', '>', () => this.#initializer()) : [];
    return graph({ name: 'graph', nodes: this.#nodes(), initializers, inputs, outputs });
  }

  localFunction(versions: Versions): Buffer {
    this.#expect('function');
    const [domain, name] = domainOf(this.#next());
    const attributes = this.#peek() === '<' ? this.list('<', '>', () => this.#name()) : [];
    const inputs = this.list('(', ')', () => this.#name());
    this.#expect('=>');
    const outputs = this.list('(', ')', () => this.#name());
    return localFunction({ domain, name, attributes, inputs, outputs, nodes: this.#nodes() }, versions);
  }

  #nodes(): Buffer[] {
    const nodes: Buffer[] = [];
    this.#expect('{');
    while (!this.#skip('}')) {
      nodes.push(this.#node());
      this.#skip(';');
    }
    return nodes;
  }

  #node(): Buffer {
    const title = this.#peek() === '[' ? this.list('[', ']', () => this.#name())[0] : undefined;
    const outputs = [this.#name()];
    while (this.#skip(',')) outputs.push(this.#name());
    this.#expect('=');
    const [domain, operator] = domainOf(this.#next());
    const attributes = this.#peek() === '<' ? this.list('<', '>', () => this.#attribute()) : [];
    const inputs = this.list('(', ')', () => this.#name());
    return node(operator, inputs, outputs, attributes, domain, title);
  }

  /** An input or output: with a type, or only a name. */
  #value(): Buffer {
    const typed = this.#peek(1) !== ',' && this.#peek(1) !== ')';
    const type = typed ? this.#type() : undefined;
    return typedValue(this.#name(), type);
  }

  port(): Port {
    const { type, dims } = this.#tensorType();
    return { type, dims: dims ?? [], name: this.#name() };
  }

  #type(): Buffer {
    if (this.#skip('seq')) return types.sequence(this.list('(', ')', () => this.#type())[0] ?? Buffer.alloc(0));
    if (this.#skip('optional')) return types.optional(this.list('(', ')', () => this.#type())[0] ?? Buffer.alloc(0));
    if (!this.#skip('map')) {
      const { type, dims } = this.#tensorType();
      return types.tensor(type, dims);
    }
    this.#expect('(');
    const { type } = this.#tensorType();
    this.#expect(',');
    const of = this.#type();
    this.#expect(')');
    return types.map(type, of);
  }

  #tensorType(): { type: ElementType; dims?: Shape } {
    const type = this.#next();
    if (!isElementType(type)) throw new Error(`expected an element type, got ${type}`);
    if (this.#peek() !== '[') return { type, dims: [] };
    const dims = this.list('[', ']', () => {
      const size = this.#next();
      return NUMBER.test(size) ? Number(size) : size === '?' ? '' : size;
    });
    return dims.length === 0 ? { type } : { type, dims };
  }

  #initializer(): Buffer {
    const { type, dims = [] } = this.#tensorType();
    const name = this.#name();
    this.#expect('=');
    return this.#tensor(name, type, dims);
  }

  #tensor(name: string, type: ElementType, dims: Shape): Buffer {
    return tensor(
      name,
      type,
      dims.map(Number),
      dataIn(
        type,
        sizeOf(dims.map(Number)),
        this.list('{', '}', () => this.#next()),
      ),
    );
  }

  #attribute(): Buffer {
    const name = this.#next();
    const kind = this.#skip(':') ? this.#next() : undefined;
    this.#expect('=');
    if (kind !== undefined && !isKind(kind)) throw new Error(`expected a kind of attribute, got ${kind}`);
    if (this.#skip('@')) return attribute.reference(name, kind ?? 'int', this.#next());
    if (this.#peek() === '(') return attribute.graph(name, this.graph());
    if (this.#peek() === '[')
      return listAttribute(
        name,
        this.list('[', ']', () => this.#next()),
        kind,
      );
    if (/^[a-z]/.test(this.#peek()) && !NUMBER.test(this.#peek())) return this.#tensorOrType(name);
    const token = this.#next();
    if (token.startsWith('"')) return attribute.string(name, String(JSON.parse(token)));
    return isWhole(token) && kind !== 'float' ? attribute.int(name, Number(token)) : attribute.float(name, numberIn(token));
  }

  #tensorOrType(name: string): Buffer {
    if (['seq', 'optional', 'map'].includes(this.#peek())) return attribute.type(name, this.#type());
    const { type, dims } = this.#tensorType();
    if (this.#peek() !== '{') return attribute.type(name, types.tensor(type, dims));
    return attribute.tensor(name, this.#tensor('', type, dims ?? []));
  }
}

const isElementType = (text: string): text is ElementType => Object.hasOwn(elementTypes, text);
const isKind = (text: string): text is AttributeKind => Object.hasOwn(attributeKinds, text);
const isWhole = (token: string): boolean => /^-?\d+$/.test(token);
const numberIn = (token: string): number => Number(token.replace('inf', 'Infinity').replace('nan', 'NaN'));

/** `ai.onnx.ml.Scaler` is the operator Scaler of the domain ai.onnx.ml. */
function domainOf(name: string): [domain: string, name: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
}

function listAttribute(name: string, tokens: readonly string[], kind?: AttributeKind): Buffer {
  if (kind === 'strings' || tokens[0]?.startsWith('"')) {
    return attribute.strings(
      name,
      tokens.map((token) => String(JSON.parse(token))),
    );
  }
  if (kind !== 'floats' && tokens.every(isWhole)) return attribute.ints(name, tokens.map(Number));
  return attribute.floats(name, tokens.map(numberIn));
}

/** Data of `length` elements that repeat the values in the tokens. */
function dataIn(type: ElementType, length: number, tokens: readonly string[]): ArrayBufferView | string[] {
  const at = (index: number): string => tokens[index % tokens.length] ?? '0';
  if (isDtype(type)) {
    const element = elements[type];
    const data = element.allocate(length);
    const row = Float64Array.from({ length }, (_, index) => numberIn(at(index)));
    const values = type === 'string' ? Array.from(row, (_, index) => String(JSON.parse(at(index)))) : row;
    const wrong = element.write(data, 0, values);
    if (wrong >= 0) throw new Error(`expected ${element.expected}, got ${at(wrong)}`);
    return dataOf(data);
  }
  if (type === 'bfloat16') {
    return Uint16Array.from({ length }, (_, index) => new Uint32Array(Float32Array.of(numberIn(at(index))).buffer)[0]! >>> 16);
  }
  if (type === 'int4' || type === 'uint4') {
    const nibble = (index: number): number => (index < length ? Number(at(index)) & 15 : 0);
    return Uint8Array.from({ length: Math.ceil(length / 2) }, (_, index) => nibble(index * 2) | (nibble(index * 2 + 1) << 4));
  }
  throw new Error(`expected a type with values, got ${type}`);
}
