import { FieldReader } from '../../tensors/protobuf.ts';
import type { Attributes } from '../rows/call.ts';
import { unknown, type Refusal, type Tracked } from '../rows/value.ts';
import { ATTRIBUTE } from './onnx-proto.ts';
import { latin1, onlySpan, pushFloats, pushInts, type Span, tensorOf, wholeOf } from './onnx-tensor.ts';

/** What an attribute holds. Only the fields of its kind are there. */
interface Held {
  float?: number | undefined;
  int?: number | undefined;
  text?: string | undefined;
  tensor?: Span | undefined;
  graph?: Span | undefined;
  floats?: number[] | undefined;
  ints?: number[] | undefined;
  /** Entries of a list. */
  count?: number | undefined;
  reference?: string | undefined;
  /** True for a graph or a list of them, also by reference. */
  graphs?: boolean | undefined;
}

/** Numbers of AttributeProto.AttributeType. */
const TYPES = { float: 1, int: 2, text: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8, graphs: 10 };

/** Attributes of one node, read when a rule asks. */
export class NodeAttributes implements Attributes {
  readonly #bytes: Buffer;
  readonly #spans: readonly Span[];
  /** Of the node that calls the function which holds this node. */
  readonly #caller: NodeAttributes | undefined;
  /** For what the node leaves open. */
  readonly #defaults: NodeAttributes | undefined;
  #held: Map<string, Held> | undefined;

  constructor(bytes: Buffer, spans: readonly Span[], caller: NodeAttributes | undefined, defaults?: NodeAttributes) {
    this.#bytes = bytes;
    this.#spans = spans;
    this.#caller = caller;
    this.#defaults = defaults;
  }

  int(name: string): number | undefined {
    return this.#one(name, 'int');
  }

  float(name: string): number | undefined {
    return this.#one(name, 'float');
  }

  floats(name: string): readonly number[] | undefined {
    return this.#one(name, 'floats');
  }

  text(name: string): string | undefined {
    return this.#one(name, 'text');
  }

  ints(name: string): readonly number[] | undefined {
    return this.#one(name, 'ints');
  }

  count(name: string): number | undefined {
    const held = this.#find(name);
    if (held !== undefined && held.count === undefined) throw unread(name);
    return held?.count;
  }

  tensor(name: string): Tracked | undefined {
    const span = this.#one(name, 'tensor');
    return span && tensorOf(this.#bytes, span.from, span.to).value;
  }

  /** Where a subgraph lies. @throws Refusal if it stands elsewhere, and sees other values there */
  graph(name: string): Span | undefined {
    if (this.#all().get(name)?.reference !== undefined) throw unread(name);
    return this.#one(name, 'graph');
  }

  /** True if the node holds graphs, which may read any value around it. */
  get holdsGraphs(): boolean {
    return this.#all()
      .values()
      .some(({ graphs }) => graphs === true);
  }

  /** @throws Refusal if the attribute is there, but was too long to read, or is of another kind */
  #one<Kind extends keyof Held>(name: string, kind: Kind): Held[Kind] | undefined {
    const held = this.#find(name);
    if (held === undefined) return undefined;
    if (held[kind] === undefined) throw unread(name);
    return held[kind];
  }

  #find(name: string): Held | undefined {
    const held = this.#all().get(name);
    const found = held?.reference === undefined ? held : this.#referred(held.reference);
    return found ?? (this.#defaults === undefined ? undefined : this.#defaults.#find(name));
  }

  /** @throws Refusal outside functions, where ONNX Runtime does not follow references */
  #referred(reference: string): Held | undefined {
    if (this.#caller === undefined) throw unread(reference);
    return this.#caller.#find(reference);
  }

  /** @throws Refusal if two attributes have one name */
  #all(): Map<string, Held> {
    this.#held ??= new Map(this.#spans.map(({ from, to }) => heldIn(this.#bytes, from, to)));
    if (this.#held.size < this.#spans.length) throw unknown('it has an attribute twice');
    return this.#held;
  }
}

const unread = (name: string): Refusal => unknown(`its attribute ${name} cannot be read`);

function heldIn(bytes: Buffer, from: number, to: number): [string, Held] {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const held: Held = {};
  let [name, type, cut] = ['', 0, false];
  while (fields.next()) {
    const { number } = fields;
    if (number === ATTRIBUTE.name) name = latin1(fields);
    else if (number === ATTRIBUTE.type) type = wholeOf(fields);
    else if (number === ATTRIBUTE.cut) cut = true;
    else if (number === ATTRIBUTE.int) held.int = signed(fields);
    else if (number === ATTRIBUTE.float) held.float = fields.content.readFloatLE();
    else if (number === ATTRIBUTE.text) held.text = fields.content.toString();
    else if (number === ATTRIBUTE.tensor) held.tensor = onlySpan(fields, held.tensor);
    else if (number === ATTRIBUTE.graph) held.graph = onlySpan(fields, held.graph);
    else if (number === ATTRIBUTE.ints) pushInts(fields, (held.ints ??= []));
    else if (number === ATTRIBUTE.floats) pushFloats(fields, (held.floats ??= []), 4);
    else if (number === ATTRIBUTE.strings) held.count = (held.count ?? 0) + 1;
    else if (number === ATTRIBUTE.reference) held.reference = latin1(fields);
  }
  const counts = held.reference === undefined ? ofType(held, type, cut) : { reference: held.reference };
  if (type === TYPES.graph || type === TYPES.graphs) counts.graphs = true;
  return [name, counts];
}

/** What counts of an attribute: the value of its type. A list without entries has no field. */
function ofType(held: Held, type: number, cut: boolean): Held {
  switch (type) {
    case TYPES.float:
      return { float: held.float };
    case TYPES.int:
      return { int: held.int };
    case TYPES.text:
      return { text: held.text };
    case TYPES.tensor:
      return { tensor: held.tensor };
    case TYPES.graph:
      return { graph: held.graph };
    case TYPES.floats:
      return cut ? {} : { floats: held.floats, count: held.floats?.length ?? 0 };
    case TYPES.ints:
      return cut ? {} : { ints: held.ints, count: held.ints?.length ?? 0 };
    case TYPES.strings:
      return cut ? {} : { count: held.count ?? 0 };
    default:
      return {};
  }
}

function signed(field: FieldReader): number {
  const numbers: number[] = [];
  pushInts(field, numbers);
  return numbers[0] ?? 0;
}
