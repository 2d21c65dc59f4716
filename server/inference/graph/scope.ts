import type { Value } from '../rows/value.ts';
import type { NodeAttributes } from './node-attributes.ts';
import type { OnnxModel, OnnxNode } from './onnx-graph.ts';

const NONE: ReadonlyMap<string, Value> = new Map();

/** Values by name, with those of the graphs around. */
export class Scope {
  readonly #values = new Map<string, Value>();
  readonly #constants: ReadonlyMap<string, Value>;
  readonly #around: Scope | undefined;

  /** @param constants initialisers of the graph, which values of the same name replace */
  constructor(constants: ReadonlyMap<string, Value> = NONE, around?: Scope) {
    this.#constants = constants;
    this.#around = around;
  }

  get(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#constants.get(name) ?? (this.#around === undefined ? undefined : this.#around.get(name));
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/** What nodes are followed with. */
export interface Surroundings {
  readonly model: OnnxModel;
  readonly opsets: ReadonlyMap<string, number>;
  /** Attributes of the node that calls the function around. */
  readonly caller: NodeAttributes | undefined;
  readonly depth: number;
  /** Nodes that may still be followed: a loop and a function follow theirs more than once. */
  readonly budget: { nodes: number };
  /** Follows rows through the nodes of a graph inside. */
  readonly follow: (nodes: Iterable<OnnxNode>, scope: Scope, around: Surroundings) => void;
}
