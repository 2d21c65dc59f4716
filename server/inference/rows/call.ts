import { isNumber, type Size } from './size.ts';
import { countsRows, mixed, NUMBERS_ROWS, numbersOf, unknown, type Shaped, type Tracked, type Value } from './value.ts';

/** Attributes of a node by name. Each returns undefined where the node does not say. */
export interface Attributes {
  readonly int: (name: string) => number | undefined;
  readonly ints: (name: string) => readonly number[] | undefined;
  readonly float: (name: string) => number | undefined;
  readonly floats: (name: string) => readonly number[] | undefined;
  readonly text: (name: string) => string | undefined;
  /** How many entries a list of any kind has. */
  readonly count: (name: string) => number | undefined;
  readonly tensor: (name: string) => Tracked | undefined;
}

/**
 * One operator at work on tracked values, as a rule sees it. Inputs are read by the methods, which
 * refuse what a rule cannot take; an input that no method has read is refused afterwards.
 */
export class Call {
  readonly operator: string;
  /** Version of the operator's domain. */
  readonly version: number;
  /** Number of outputs that the node names. */
  readonly outputs: number;
  readonly attributes: Attributes;
  readonly #inputs: readonly (Tracked | undefined)[];
  /** Flags of inputs that a method has read, shared with `withoutPlaces`. */
  readonly #read: boolean[];

  /** @param read flags of inputs that count as read */
  constructor(
    operator: string,
    version: number,
    inputs: readonly (Tracked | undefined)[],
    outputs: number,
    attributes: Attributes,
    read: boolean[] = [],
  ) {
    this.operator = operator;
    this.version = version;
    this.outputs = outputs;
    this.attributes = attributes;
    this.#inputs = inputs;
    this.#read = read;
  }

  /** Number of inputs, with absent ones between. */
  get count(): number {
    return this.#inputs.length;
  }

  has(index: number): boolean {
    return this.#inputs[index] !== undefined;
  }

  /** True if the known entries of an input are floats. */
  isFloat(index: number): boolean {
    return this.#inputs[index]?.float === true;
  }

  /** An attribute that is a whole number. */
  int(name: string, otherwise: number): number {
    return this.attributes.int(name) ?? otherwise;
  }

  /**
   * A tensor with a known shape that does not count rows.
   * @throws Refusal if it is absent, has an unknown shape, or its entries count rows
   */
  tensor(index: number): Shaped {
    return this.#shaped(this.settled(index));
  }

  /** All inputs from one on, none absent. @throws Refusal as `tensor` */
  tensors(from = 0): Shaped[] {
    return Array.from({ length: this.#inputs.length - from }, (_, index) => this.tensor(from + index));
  }

  /** An input of any shape whose entries do not count rows. @throws Refusal */
  settled(index: number): Tracked {
    const input = this.counting(index);
    if (countsRows(input)) throw mixed('it depends on how many rows are merged');
    return input;
  }

  /** An input whose entries may count rows, such as a shape. @throws Refusal */
  counting(index: number): Tracked {
    const input = this.any(index);
    if (input.sequence === true) throw unknown(`input ${index} is a sequence`);
    return input;
  }

  /** As `counting`, with a known shape. */
  shape(index: number): Shaped {
    return this.#shaped(this.counting(index));
  }

  /**
   * An input of any kind, which is passed on as it is.
   * @throws Refusal if it is absent, or depends on the places of rows
   */
  any(index: number): Tracked {
    const input = this.placed(index);
    if (input.place !== undefined) throw mixed(NUMBERS_ROWS);
    return input;
  }

  /** As `any`, where entries may depend on the places of rows. */
  placed(index: number): Tracked {
    this.#read[index] = true;
    const input = this.#inputs[index];
    if (input === undefined) throw unknown(`input ${index} is absent`);
    return input;
  }

  /** True if an input depends on the places of rows, or is a constant of places. */
  get hasPlaces(): boolean {
    return this.#inputs.some((input) => input?.place !== undefined || input?.below !== undefined);
  }

  /** The same call as if no input depended on places. */
  withoutPlaces(): Call {
    const inputs = this.#inputs.map((input) => input && { ...input, place: undefined, below: undefined });
    return new Call(this.operator, this.version, inputs, this.outputs, this.attributes, this.#read);
  }

  /** A sequence of tensors. @throws Refusal if it is none */
  sequence(index: number): Tracked {
    const input = this.any(index);
    if (input.sequence !== true) throw unknown(`input ${index} is no sequence`);
    return input;
  }

  /** A constant of any shape that does not depend on the batch. @throws Refusal if it holds rows */
  constant(index: number): Tracked {
    const input = this.settled(index);
    if (input.row !== undefined) throw mixed(`input ${index} depends on rows`);
    return input;
  }

  /** Entries of a small constant, which may count rows. @throws Refusal if they are not known */
  sizes(index: number): readonly (Size | undefined)[] {
    const { elements, row } = this.counting(index);
    if (row !== undefined) throw mixed(`input ${index} depends on rows`);
    if (elements === undefined) throw unknown(`input ${index} is not known`);
    return elements;
  }

  /** Entries that are plain numbers. @throws Refusal if one is not known */
  numbers(index: number): readonly number[] {
    const numbers = numbersOf(this.sizes(index));
    if (numbers === undefined) throw unknown(`input ${index} is not known`);
    return numbers;
  }

  /**
   * Axes or other numbers that an older version has as an attribute, a newer one as an input.
   * @returns undefined where neither says
   */
  numbersOf(index: number, name: string): readonly number[] | undefined {
    return this.has(index) ? this.numbers(index) : this.attributes.ints(name);
  }

  /** @throws Refusal if a rule has not looked at an input that holds or counts rows */
  refuseUnread(): void {
    for (const [index, input] of this.#inputs.entries()) {
      if (input === undefined || this.#read[index] === true) continue;
      if (input.row !== undefined || countsRows(input)) throw unknown(`its rule does not read input ${index}`);
    }
  }

  #shaped(input: Tracked): Shaped {
    const { dims } = input;
    if (dims === undefined) throw unknown('the shape of a constant is not known');
    return { ...input, dims };
  }
}

/**
 * Follows rows through one operator.
 * @returns one value for each output, or one for all
 * @throws Refusal if rows meet, or the rule cannot tell
 */
export type Rule = (call: Call) => Value | readonly Value[];

/** An axis, counted from the front. @throws Refusal if the tensor has no such axis */
export function axisOf(axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis;
  if (counted < 0 || counted >= rank) throw unknown(`there is no axis ${axis} in ${rank}`);
  return counted;
}

/** @throws Refusal if a tensor holds rows along one of the axes */
export function apart({ row }: Tracked, axes: readonly number[], what: string): void {
  if (row !== undefined && axes.includes(row.axis)) throw mixed(`it ${what} rows of different calls`);
}

/** The size as a plain number, or undefined. */
export const plain = (size: Size | undefined): number | undefined => (size !== undefined && isNumber(size) ? size.factor : undefined);
