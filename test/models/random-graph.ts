import { randomNumbers } from './graph-builder.ts';
import { rowModel, type RowModel } from './rows/row-model.ts';

/** Rows of a batch in which a random graph runs. Sizes hold for one row and for this many. */
export const ROWS = 3;

/** A size for one row and for a batch of ROWS. Both are equal where it does not depend on rows. */
export interface Size {
  readonly alone: number;
  readonly together: number;
}

export interface Value {
  readonly name: string;
  readonly type: 'float32' | 'int64' | 'bool';
  readonly dims: readonly Size[];
  /**
   * Whether equal rows give equal bits, however they are run. Why: a comparison of numbers that
   * were rounded differently differs without rows that meet.
   */
  readonly exact: boolean;
}

export const fixed = (size: number): Size => ({ alone: size, together: size });
export const isFixed = ({ alone, together }: Size): boolean => alone === together;
export const sameSize = (one: Size, other: Size): boolean => one.alone === other.alone && one.together === other.together;
const BATCH: Size = { alone: 1, together: ROWS };
const OPSETS = [11, 12, 13, 17, 18, 20];
/** Larger values slow the runs down and show nothing new. */
const MOST_ELEMENTS = 2000;

/** Collects the nodes of a random graph. The same seed gives the same graph. */
export class RandomGraph {
  readonly opset: number;
  readonly values: Value[] = [];
  readonly #random: () => number;
  readonly #nodes: { readonly outputs: readonly string[]; readonly text: string }[] = [];
  readonly #constants = new Map<string, string>();
  #names = 0;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
    this.opset = this.pick(OPSETS);
    this.values.push({ name: 'x', type: 'float32', dims: this.pick(INPUTS), exact: true });
    if (this.chance(0.3)) this.values.push({ name: 'z', type: 'float32', dims: this.pick(INPUTS), exact: true });
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** An item; throws Unsuitable where there is none. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Unsuitable();
    return item;
  }

  /** A float value that meets a condition. Late ones are likelier, so that graphs grow deep. */
  value(condition: (value: Value) => boolean = () => true): Value {
    const suitable = this.values.filter((value) => value.type === 'float32' && condition(value));
    return this.chance(0.7) ? this.pick(suitable.slice(-2)) : this.pick(suitable);
  }

  /** An axis of a value, at times counted from behind. */
  axis({ dims }: Value, condition: (size: Size) => boolean = () => true): number {
    return this.pick(dims.flatMap((size, axis) => (condition(size) ? [axis] : [])));
  }

  written(axis: number, rank: number): number {
    return this.chance(0.3) ? axis - rank : axis;
  }

  /** An initializer; answers its name. */
  constant(type: string, dims: readonly number[], values: readonly number[]): string {
    const declaration = `${type}${dims.length > 0 ? `[${dims.join(', ')}]` : ''}`;
    const name = `c${this.#constants.size}`;
    this.#constants.set(name, `${declaration} ${name} = {${values.join(', ')}}`);
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  /** Small whole numbers, so that products stay exact. */
  weights(dims: readonly number[]): string {
    return this.constant(
      'float32',
      dims,
      [1, 2, 3, 4, 5].map(() => this.below(5) - 2),
    );
  }

  /**
   * A node. `$` in the text stands for its first output.
   * @throws Unsuitable where the output is too large or empty
   */
  add(text: string, dims: readonly Size[], exact: boolean, type: Value['type'] = 'float32'): Value {
    const value = { name: `v${this.#names++}`, type, dims, exact };
    const size = dims.reduce((product, { together }) => product * together, 1);
    if (size > MOST_ELEMENTS || dims.length > 5 || dims.some(({ alone }) => alone < 1)) throw new Unsuitable();
    this.#nodes.push({ outputs: [value.name], text: text.replaceAll('$', value.name) });
    this.values.push(value);
    return value;
  }

  /** Adds an operator, or nothing where none of its inputs suits. */
  grow(operator: (graph: RandomGraph) => unknown): void {
    const [nodes, values] = [this.#nodes.length, this.values.length];
    try {
      operator(this);
    } catch (error) {
      if (!(error instanceof Unsuitable)) throw error;
      this.#nodes.length = nodes;
      this.values.length = values;
    }
  }

  /** The model whose outputs are the latest values that have a row for each row. */
  finish(seed: number): RowModel | undefined {
    const inputs = this.values.filter(({ name }) => /^[xz]$/.test(name));
    const outputs = this.values.filter((value) => !inputs.includes(value) && value.dims[0] !== undefined && sameSize(value.dims[0], BATCH));
    const chosen = outputs.slice(this.chance(0.3) ? -2 : -1);
    if (chosen.length === 0) return undefined;
    const nodes = this.#needed(chosen.map(({ name }) => name));
    const constants = [...this.#constants].filter(([name]) => nodes.some((text) => new RegExp(`\\b${name}\\b`).test(text)));
    const text = `(${inputs.map((value) => `${declared(value)} ${value.name}`).join(', ')}) => (${chosen.map((value) => `${declared(value)} ${value.name}`).join(', ')})
      <${constants.map(([, declaration]) => declaration).join(', ')}> {\n${nodes.join('\n')}\n} ${FUNCTIONS}`;
    return rowModel(`random-${seed}`, 'made at random', text, { opset: this.opset });
  }

  /** The nodes that the outputs need. */
  #needed(outputs: readonly string[]): string[] {
    const needed = new Set(outputs);
    const kept: string[] = [];
    for (const { outputs: made, text } of this.#nodes.toReversed()) {
      if (!made.some((name) => needed.has(name))) continue;
      kept.unshift(text);
      for (const [name] of text.matchAll(/\b(?:v\d+|x|z)\b/g)) needed.add(name);
    }
    return kept;
  }
}

/** No input suits an operator. */
export class Unsuitable extends Error {}

const INPUTS: readonly Size[][] = [
  [BATCH],
  [BATCH, fixed(1)],
  [BATCH, fixed(3)],
  [BATCH, fixed(3)],
  [BATCH, fixed(4)],
  [BATCH, fixed(2), fixed(3)],
  [BATCH, fixed(3), fixed(3)],
  [BATCH, fixed(3), fixed(4)],
];

const FUNCTIONS = `function local.soft<axis>(a) => (b) { b = Softmax<axis: int = @axis>(a) }
  function local.turn(a) => (b) { c = Transpose(a); d = Relu(c); b = Transpose(d) }`;

const declared = ({ type, dims }: Value): string =>
  `${type}[${dims.map((size, axis) => (axis === 0 ? 'N' : isFixed(size) ? size.alone : `d${axis}`)).join(', ')}]`;
