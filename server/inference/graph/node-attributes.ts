import { FieldReader } from '../../tensors/protobuf.ts';
import type { Attributes } from '../rows/call.ts';
import { unknown, type Tracked } from '../rows/value.ts';
import { ATTRIBUTE } from './onnx-proto.ts';
import { latin1, pushFloats, pushInts, tensorOf } from './onnx-tensor.ts';

/** Where a message lies in the bytes of the model. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What an attribute holds. Only the fields of its kind are there. */
interface Held {
  float?: number;
  int?: number;
  text?: string;
  tensor?: Span;
  graph?: Span;
  floats?: number[];
  ints?: number[];
  strings?: number;
  reference?: string;
}

/** Attributes of one node, read when a rule asks. */
export class NodeAttributes implements Attributes {
  readonly #bytes: Buffer;
  readonly #spans: readonly Span[];
  /** Of the node that calls the function which holds this node. */
  readonly #caller: NodeAttributes | undefined;
  #held: Map<string, Held> | undefined;

  constructor(bytes: Buffer, spans: readonly Span[], caller: NodeAttributes | undefined) {
    this.#bytes = bytes;
    this.#spans = spans;
    this.#caller = caller;
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
    return held?.strings ?? held?.ints?.length ?? held?.floats?.length;
  }

  tensor(name: string): Tracked | undefined {
    const span = this.#one(name, 'tensor');
    return span && tensorOf(this.#bytes, span.from, span.to).value;
  }

  /** Where a subgraph lies. */
  graph(name: string): Span | undefined {
    return this.#one(name, 'graph');
  }

  /** @throws Refusal if the attribute is there, but was too long to read, or is of another kind */
  #one<Kind extends keyof Held>(name: string, kind: Kind): Held[Kind] | undefined {
    const held = this.#find(name);
    if (held === undefined) return undefined;
    if (held[kind] === undefined) throw unknown(`its attribute ${name} cannot be read`);
    return held[kind];
  }

  #find(name: string): Held | undefined {
    this.#held ??= new Map(this.#spans.map(({ from, to }) => heldIn(this.#bytes, from, to)));
    const held = this.#held.get(name);
    if (held?.reference === undefined) return held;
    return this.#caller === undefined ? undefined : this.#caller.#find(held.reference);
  }
}

function heldIn(bytes: Buffer, from: number, to: number): [string, Held] {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const held: Held = {};
  let name = '';
  while (fields.next()) {
    const { number } = fields;
    if (number === ATTRIBUTE.name) name = latin1(fields);
    else if (number === ATTRIBUTE.int) held.int = signed(fields);
    else if (number === ATTRIBUTE.float) held.float = fields.content.readFloatLE();
    else if (number === ATTRIBUTE.text) held.text = fields.content.toString();
    else if (number === ATTRIBUTE.tensor) held.tensor = { from: fields.from, to: fields.to };
    else if (number === ATTRIBUTE.graph) held.graph = { from: fields.from, to: fields.to };
    else if (number === ATTRIBUTE.ints) pushInts(fields, (held.ints ??= []));
    else if (number === ATTRIBUTE.floats) pushFloats(fields, (held.floats ??= []), 4);
    else if (number === ATTRIBUTE.strings) held.strings = (held.strings ?? 0) + 1;
    else if (number === ATTRIBUTE.reference) held.reference = latin1(fields);
  }
  return [name, held];
}

function signed(field: FieldReader): number {
  const numbers: number[] = [];
  pushInts(field, numbers);
  return numbers[0] ?? 0;
}
