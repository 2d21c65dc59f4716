import type { TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { inputPlace } from '../tensors/tensor-shape.ts';
import type { Tensors } from './batcher.ts';

/** An axis of an input with a symbolic size. */
interface Axis {
  readonly input: string;
  readonly axis: number;
}

/** The symbolic sizes of a model that several axes of its inputs share. */
export class SharedSizes {
  /** Axes by the name of their size, two or more. */
  readonly #axes: readonly (readonly [size: string, first: Axis, others: readonly Axis[]])[];
  /** Whether `check` does anything. */
  enabled = true;

  constructor(inputs: readonly TensorSpec[]) {
    const byName = new Map<string, Axis[]>();
    for (const { name, dims } of inputs)
      for (const [axis, dim] of dims.entries()) {
        // A size without a name has nothing to agree with.
        if (typeof dim !== 'string' || dim === '') continue;
        const axes = byName.get(dim);
        if (axes === undefined) byName.set(dim, [{ input: name, axis }]);
        else axes.push({ input: name, axis });
      }
    this.#axes = Array.from(byName, ([size, [first, ...others]]) => (first === undefined ? [] : [[size, first, others] as const]))
      .flat()
      .filter(([, , others]) => others.length > 0);
  }

  /**
   * Checks tensors that fit the model one by one.
   * @throws ServerError invalid_input that names both inputs and the size
   */
  check(feeds: Tensors): void {
    const odd = this.enabled ? this.#disagreement(feeds) : undefined;
    if (odd !== undefined) throw disagreement(odd.size, feeds, odd.first, odd.other);
  }

  /** Whether tensors fit each other, also where `check` does nothing. */
  agree(feeds: Tensors): boolean {
    return this.#disagreement(feeds) === undefined;
  }

  #disagreement(feeds: Tensors): { readonly size: string; readonly first: Axis; readonly other: Axis } | undefined {
    for (const [size, first, others] of this.#axes) {
      const expected = sizeAt(feeds, first);
      const other = others.find((each) => sizeAt(feeds, each) !== expected);
      if (other !== undefined) return { size, first, other };
    }
    return undefined;
  }
}

const sizeAt = (feeds: Tensors, { input, axis }: Axis): number | undefined => feeds[input]?.dims[axis];

function disagreement(size: string, feeds: Tensors, first: Axis, other: Axis): ServerError {
  const given = feeds[other.input]?.dims.join(',') ?? '';
  const where = first.input === other.input ? `its axis ${first.axis} has` : `axis ${first.axis} of ${inputPlace(first.input)} has`;
  return new ServerError(
    'invalid_input',
    `${inputPlace(other.input)}: expected ${sizeAt(feeds, first)} on axis ${other.axis}, because ${where} the same size ${size}; ` +
      `got the shape [${given}]`,
  );
}
