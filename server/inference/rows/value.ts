import { equal, exactly, isNumber, ONE, product, type Size } from './size.ts';

/**
 * Where the rows of a batch lie in a tensor. Entry `i` of the axis belongs to row
 * `floor(i / after) % rows`: the axis counts `before` × rows × `after` entries. A batch that was
 * flattened with its sequence has `after` = length of the sequence.
 */
export interface RowAxis {
  readonly axis: number;
  readonly before: Size;
  readonly after: Size;
}

/**
 * A value whose entries belong to one row each, or to none (a constant of the batch).
 * The entries of a row depend on this row alone.
 */
export interface Tracked {
  /** Undefined: a constant of unknown shape. */
  readonly dims: readonly Size[] | undefined;
  /** Undefined: the value is the same for every row. */
  readonly row: RowAxis | undefined;
  /** Entries of a small constant, row-major. An undefined entry may depend on the rows. */
  readonly elements?: readonly (Size | undefined)[] | undefined;
  /** True if known entries are floats. */
  readonly float?: boolean | undefined;
  /** True for a sequence of tensors of this form. Its element is its length, if known. */
  readonly sequence?: boolean | undefined;
  /** All entries of a constant are whole numbers from 0 to below this size. */
  readonly below?: Size | undefined;
  /** How entries depend on the place of their row in the batch; undefined: they do not. */
  readonly place?: Place | undefined;
}

/**
 * How the entries of a row depend on its place in the batch.
 * `number`: each is the place × stride, plus less than the stride; `exact`: plus nothing.
 * `leads`: the first of the last axis is the place; the others do not depend on it.
 * `other`: in any other way, so that only the shape may be used.
 */
export type Place = { readonly kind: 'number'; readonly stride: Size; readonly exact: boolean } | { readonly kind: 'leads' | 'other' };

/** A tracked tensor with a known shape. */
export interface Shaped extends Tracked {
  readonly dims: readonly Size[];
}

/**
 * Why a value cannot be tracked. `mixed`: rows meet, or another number of rows comes out.
 * `unknown`: no rule says.
 */
export class Refusal extends Error {
  readonly rows: 'mixed' | 'unknown';
  /** The node that decides, once it is known. */
  readonly node: string | undefined;

  constructor(rows: 'mixed' | 'unknown', reason: string, node?: string) {
    super(reason);
    this.rows = rows;
    this.node = node;
  }
}

export type Value = Tracked | Refusal;

export const mixed = (reason: string): Refusal => new Refusal('mixed', reason);
export const unknown = (reason: string, node?: string): Refusal => new Refusal('unknown', reason, node);

export const NUMBERS_ROWS = 'it depends on the places of rows in the batch';
export const COUNTS_ROWS = 'it depends on how many rows are merged';

/** Most entries of a constant that are kept. Shapes, axes and scales have fewer. */
export const MOST_ELEMENTS = 64;

/** A constant of unknown shape. */
export const CONSTANT: Tracked = { dims: undefined, row: undefined };

export const constant = (dims: readonly Size[] | undefined, elements?: Tracked['elements']): Tracked =>
  elements === undefined || elements.length > MOST_ELEMENTS ? { dims, row: undefined } : { dims, row: undefined, elements };

/** True if entries depend on how many rows are merged. */
export function countsRows({ elements }: Tracked): boolean {
  return elements?.some((element) => element === undefined || element.rows) ?? false;
}

/** The size of the axis that holds rows. @throws Refusal never: rows count once */
const rowSize = ({ before, after }: RowAxis): Size => ({
  factor: before.factor * after.factor,
  rows: true,
  symbols: before.symbols.length + after.symbols.length === 0 ? before.symbols : [...before.symbols, ...after.symbols].toSorted(),
});

/**
 * A tensor with rows along an axis.
 * @param dims sizes; the one of the axis counts rows
 * @param row undefined: a constant of the batch
 */
export const shaped = (dims: readonly Size[], row: RowAxis | undefined): Shaped => ({ dims, row });

/** Rows that lie one after the other along an axis. */
export const plainRows = (axis: number): RowAxis => ({ axis, before: ONE, after: ONE });

export const sameLayout = (one: RowAxis, other: RowAxis): boolean => equal(one.before, other.before) && equal(one.after, other.after);

/**
 * Both shapes as one: sizes that differ are refused. Entries that differ are forgotten.
 * @throws Refusal if the forms differ, or entries that differ count rows
 */
export function same(one: Tracked, other: Tracked): Tracked {
  if (isSmallConstant(one) && isSmallConstant(other) && sameSizes(one.dims, other.dims) && sameSizes(one.elements, other.elements))
    return one;
  if (countsRows(one) || countsRows(other)) throw mixed(COUNTS_ROWS);
  if (one.sequence !== other.sequence) throw unknown('its two results are of different kinds');
  if (one.row === undefined && other.row === undefined) {
    if (one.sequence === true) return { ...CONSTANT, sequence: true };
    if (one.dims === undefined || other.dims === undefined || !sameSizes(one.dims, other.dims)) return CONSTANT;
    return constant(one.dims);
  }
  if (one.dims === undefined || other.dims === undefined || !sameSizes(one.dims, other.dims))
    throw unknown('its two results have different shapes');
  if (one.row !== undefined && other.row !== undefined && (one.row.axis !== other.row.axis || !sameLayout(one.row, other.row)))
    throw mixed('its two results hold rows along different axes');
  return { dims: one.dims, row: one.row ?? other.row, sequence: one.sequence };
}

type SmallConstant = Tracked & { readonly dims: readonly Size[]; readonly elements: readonly Size[] };

/** True for a constant whose entries are all known. */
const isSmallConstant = (value: Tracked): value is SmallConstant =>
  value.row === undefined && value.sequence !== true && value.dims !== undefined && value.elements?.includes(undefined) === false;

export const sameSizes = (one: readonly Size[], other: readonly Size[]): boolean =>
  one.length === other.length && one.every((size, axis) => equal(size, other[axis] ?? size));

/** The numbers behind sizes, or undefined if one is not a plain number. */
export function numbersOf(sizes: readonly (Size | undefined)[] | undefined): number[] | undefined {
  const numbers: number[] = [];
  for (const size of sizes ?? [undefined]) {
    if (size === undefined || !isNumber(size)) return undefined;
    numbers.push(size.factor);
  }
  return numbers;
}

/**
 * Where rows lie after a tensor's entries got another shape in the same order.
 * @throws Refusal if the new shape does not keep rows along one axis
 */
export function relaid(from: Shaped, to: readonly Size[]): RowAxis | undefined {
  const { row, dims } = from;
  if (row === undefined) return undefined;
  const axis = to.findIndex((size) => size.rows);
  const target = to[axis];
  if (target === undefined) throw mixed('its shape is fixed, whatever the number of rows');
  const ahead = product([...dims.slice(0, row.axis), row.before]);
  const behind = product([row.after, ...dims.slice(row.axis + 1)]);
  const [headsOfTarget, tailsOfTarget] = [product(to.slice(0, axis)), product(to.slice(axis + 1))];
  const before = ahead && headsOfTarget && exactly(ahead, headsOfTarget);
  const after = behind && tailsOfTarget && exactly(behind, tailsOfTarget);
  if (before === undefined || after === undefined) throw mixed('its new shape cuts through rows');
  const moved = { axis, before, after };
  if (!equal(rowSize(moved), target)) throw mixed('its new shape cuts through rows');
  return moved;
}
