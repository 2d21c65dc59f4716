import { type Field, FieldReader, fieldsOf } from '../../tensors/protobuf.ts';
import { constantValues, type Label } from './constant-values.ts';
import { ATTRIBUTE, DIM, GRAPH, MODEL, NODE, OPSET, SHAPE, TENSOR, TENSOR_TYPE, TYPE, VALUE } from '../graph/onnx-proto.ts';
import { type Dim, inside, messageBytes, integerOf, messageOf, textOf } from './onnx-fields.ts';

/** One operator of a graph. Its attributes are read when they are asked for. */
export class OnnxNode {
  readonly field: Field;
  readonly operator: string = '';
  /** Empty for an absent input or output. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];

  constructor(field: Field) {
    this.field = field;
    const [inputs, outputs]: [string[], string[]] = [[], []];
    // Without an object for each field, because a graph may have many nodes.
    const reader = new FieldReader(messageBytes(field));
    while (reader.next()) {
      const { number, bytes, from, to } = reader;
      if (number === NODE.input) inputs.push(bytes.toString('utf8', from, to));
      else if (number === NODE.output) outputs.push(bytes.toString('utf8', from, to));
      else if (number === NODE.operator) this.operator = bytes.toString('utf8', from, to);
    }
    this.inputs = inputs;
    this.outputs = outputs;
  }

  /** The fields of an attribute; none if it is absent. */
  attribute(name: string): readonly Field[] {
    for (const field of inside(this.field)) {
      if (field.number !== NODE.attribute) continue;
      const fields = inside(field);
      if (textOf(fields, ATTRIBUTE.name) === name) return fields;
    }
    return [];
  }
}

/** An input or output of a graph, or a value whose type the file declares. */
export interface OnnxValue {
  readonly field: Field;
  readonly name: string;
  /** The fields of its type. */
  readonly type: readonly Field[];
}

/**
 * The top-level graph of an ONNX model that ONNX Runtime has accepted, as far as its outputs need
 * it. Nodes of subgraphs and functions are not followed.
 */
export class OnnxGraph {
  readonly modelFields: readonly Field[];
  readonly fields: readonly Field[];
  readonly graphField: Field;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly #producers = new Map<string, OnnxNode>();
  readonly #consumers = new Map<string, OnnxNode[]>();
  #initializers: ReadonlyMap<string, Field> | undefined;

  /** @throws RangeError if the bytes are no ONNX model */
  constructor(model: Buffer) {
    this.modelFields = fieldsOf(model);
    const graph = this.modelFields.findLast(({ number }) => number === MODEL.graph);
    if (graph === undefined) throw new RangeError('expected a graph, got none');
    this.graphField = graph;
    this.fields = inside(graph);
    this.nodes = this.#all(GRAPH.node).map((field) => new OnnxNode(field));
    this.inputs = this.#all(GRAPH.input).map(valueOf);
    this.outputs = this.#all(GRAPH.output).map(valueOf);
    for (const node of this.nodes) {
      for (const name of node.outputs) this.#producers.set(name, node);
      for (const name of node.inputs) {
        const others = this.#consumers.get(name);
        if (others === undefined) this.#consumers.set(name, [node]);
        else if (others.at(-1) !== node) others.push(node);
      }
    }
  }

  /** Version of the default operator set. */
  get opset(): number {
    const versions = this.modelFields.filter(({ number }) => number === MODEL.opset).map(inside);
    const own = versions.filter((fields) => ['', 'ai.onnx'].includes(textOf(fields, OPSET.domain) ?? ''));
    return Math.max(0, ...own.map((fields) => integerOf(fields, OPSET.version) ?? 0));
  }

  producer(name: string): OnnxNode | undefined {
    return this.#producers.get(name);
  }

  consumers(name: string): readonly OnnxNode[] {
    return this.#consumers.get(name) ?? [];
  }

  /** The node behind a value and the Identity nodes in front of it. */
  origin(name: string): OnnxNode | undefined {
    const seen = new Set<OnnxNode>();
    let node = this.#producers.get(name);
    while (node?.operator === 'Identity' && !seen.has(node)) {
      seen.add(node);
      node = this.#producers.get(node.inputs[0] ?? '');
    }
    return node;
  }

  /** The elements of a constant list; undefined for other values, and for external data. */
  constant(name: string): readonly Label[] | undefined {
    const node = this.#producers.get(name);
    if (node?.operator === 'Identity' || node?.operator === 'Cast') return this.constant(node.inputs[0] ?? '');
    if (node?.operator === 'Constant') return constantValues(messageOf(node.attribute('value'), ATTRIBUTE.tensor) ?? []);
    if (node !== undefined) return undefined;
    this.#initializers ??= new Map(this.#all(GRAPH.initializer).map((field) => [textOf(inside(field), TENSOR.name) ?? '', field]));
    const field = this.#initializers.get(name);
    return field && constantValues(inside(field));
  }

  /** The declared sizes of a tensor; undefined if the file does not declare them. */
  shape(name: string): readonly Dim[] | undefined {
    const infos = this.fields.filter(({ number }) => [GRAPH.input, GRAPH.output, GRAPH.valueInfo].includes(number));
    const found = infos.find((field) => textOf(inside(field), VALUE.name) === name);
    return found === undefined ? undefined : dimsOf(valueOf(found).type);
  }

  /** A name that no value has. */
  fresh(base: string): string {
    const taken = new Set([...this.#producers.keys(), ...this.#consumers.keys(), ...this.outputs.map(({ name }) => name)]);
    for (let number = 0; ; number++) {
      const name = number === 0 ? base : `${base} (${number})`;
      if (!taken.has(name)) return name;
    }
  }

  #all(number: number): Field[] {
    return this.fields.filter((field) => field.number === number);
  }
}

function valueOf(field: Field): OnnxValue {
  const fields = inside(field);
  return { field, name: textOf(fields, VALUE.name) ?? '', type: messageOf(fields, VALUE.type) ?? [] };
}

/** The sizes of a tensor type; undefined for other types, and where the rank is unknown. */
export function dimsOf(type: readonly Field[]): readonly Dim[] | undefined {
  const shape = messageOf(messageOf(type, TYPE.tensor) ?? [], TENSOR_TYPE.shape);
  return shape
    ?.filter(({ number }) => number === SHAPE.dim)
    .map((dim) => {
      const fields = inside(dim);
      return integerOf(fields, DIM.size) ?? textOf(fields, DIM.symbol) ?? '';
    });
}
