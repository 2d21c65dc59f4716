import { stringify } from '../../guards/built-ins.ts';
import { oneOf } from '../../guards/checks.ts';

/** A cell of a collected row. bigint: a whole number beyond 2^53. */
type Cell = string | number | bigint | boolean | null;
export type CollectedRow = Record<string, Cell>;

/** Type of a column, for as long as its collector lives. */
export type ColumnType = 'float' | 'int' | 'string' | 'boolean';
export const COLUMN_TYPES: readonly ColumnType[] = ['float', 'int', 'string', 'boolean'];
export const isColumnType = oneOf(...COLUMN_TYPES);

/** Types by name of a column, or by the name of a value that is spread over columns. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>;

/** Cells of a row in their order, before their columns are known. */
export interface FlatRow {
  /** Paths: names of members after `BELOW`, indexes after `AT`. */
  readonly sources: string[];
  readonly values: unknown[];
  /** Type by the array or tensor that the value is of; undefined: a plain value. */
  readonly types: (ColumnType | undefined)[];
}

/** Separators of a path. Names of real data have none of them. */
export const BELOW = '\0';
export const AT = '\x01';

/** Why: names may be made from data, and would fill the memory of the worker. */
const MOST_COLUMNS = 200_000;
/**
 * What readers of the files refuse in a name: Azure the dot; Spark, for Parquet, spaces and ,;{}()=
 */
const REFUSED = /[\s\p{Cc}.,;{}()=]/gu;
const UNNAMED = 'value';

/** The name of a path as readers of the files take it. */
export function columnName(source: string): string {
  return source === '' ? UNNAMED : source.replaceAll(REFUSED, '_');
}

/** The types that a script gives, by the names that the columns will have. Others are left out. */
export function columnTypes(given: unknown): ColumnTypes {
  const entries = Object.entries(given ?? {}).flatMap(([name, type]) => (isColumnType(type) ? [[columnName(name), type] as const] : []));
  return Object.fromEntries(entries);
}

interface Column {
  readonly name: string;
  /** Name of the value that the column is a part of. */
  readonly base: string;
  /** A model has a float tensor of that name. */
  readonly ofModel: boolean;
  /** Undefined: nothing but nulls so far. */
  type: ColumnType | undefined;
  /** False: whole numbers so far, and a fraction makes the column a float. */
  firm: boolean;
  /** Number of the call whose plain values decided the type first; 0: none. */
  since: number;
}

interface ColumnSettings {
  /** True where a model has a float tensor of this name. */
  readonly isFloat?: (name: string) => boolean;
  /** Logs what a type has changed. */
  readonly warn?: (text: string) => void;
}

/**
 * Names and types of the columns of one collection, for the life of the worker. A name is settled
 * by the row that brings it, a type by the first call that brings a value.
 */
export class Columns {
  readonly #settings: ColumnSettings;
  readonly #bySource = new Map<string, Column>();
  /** By name in lower case, because Spark takes two names that differ only in case for one. */
  readonly #byName = new Map<string, Column>();
  readonly #suffixes = new Map<string, number>();
  /** Of the row before, which mostly has the same. */
  #last: { readonly sources: readonly string[]; readonly columns: readonly Column[] } = { sources: [], columns: [] };
  readonly #keys: { readonly name: string; readonly json: string; readonly column: Column | undefined }[] = [];
  #calls = 0;
  readonly #warned = new Set<string>();

  constructor(settings: ColumnSettings = {}) {
    this.#settings = settings;
  }

  /**
   * Rows by column, each value of its column's type; null where a value has no form of that type.
   * @throws RangeError when the columns are too many
   */
  rows(flat: readonly FlatRow[], types: ColumnTypes = {}): CollectedRow[] {
    this.#calls++;
    const found = flat.map(({ sources, values, types: ofArrays }) => {
      const columns = this.#columnsOf(sources);
      for (let at = 0; at < columns.length; at++) {
        const column = columns[at];
        if (column !== undefined && (!column.firm || column.since === this.#calls)) this.#learn(column, values[at], ofArrays[at], types);
      }
      return columns;
    });
    return flat.map(({ values }, at) => this.#row(found[at] ?? [], values));
  }

  /** Types that are settled, by name. */
  get types(): ColumnTypes {
    const settled = [...this.#byName.values()].flatMap(({ name, type, firm }) =>
      firm && type !== undefined ? [[name, type] as const] : [],
    );
    return Object.fromEntries(settled);
  }

  /** JSON of rows that `rows` made, and of columns beside theirs. Floats have a fraction. */
  text(rows: readonly CollectedRow[]): string {
    let text = '[';
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] ?? {};
      text += at === 0 ? '{' : ',{';
      let column = 0;
      for (const name of Object.keys(row)) {
        let key = this.#keys[column];
        if (key?.name !== name) key = this.#keys[column] = { name, json: `${stringify(name)}:`, column: this.#named(name) };
        text += (column++ === 0 ? '' : ',') + key.json + cellText(row[name] ?? null, key.column?.type);
      }
      text += '}';
    }
    return `${text}]`;
  }

  #named(name: string): Column | undefined {
    const column = this.#byName.get(name.toLowerCase());
    return column?.name === name ? column : undefined;
  }

  #columnsOf(sources: readonly string[]): readonly Column[] {
    if (isSame(this.#last.sources, sources)) return this.#last.columns;
    const unknown = sources.filter((source) => !this.#bySource.has(source));
    // Names that need no change come first, so that the order of a row's members decides nothing.
    unknown.sort((one, other) => Number(columnName(one) !== one) - Number(columnName(other) !== other) || (one < other ? -1 : 1));
    for (const source of unknown) if (!this.#bySource.has(source)) this.#add(source);
    const columns = sources.flatMap((source) => this.#bySource.get(source) ?? []);
    this.#last = { sources, columns };
    return columns;
  }

  #add(source: string): void {
    if (this.#bySource.size >= MOST_COLUMNS)
      throw new RangeError(`collect: expected at most ${MOST_COLUMNS} columns in the life of a worker; make a value of what differs`);
    const wanted = columnName(source);
    const lower = wanted.toLowerCase();
    let name = wanted;
    let suffix = this.#suffixes.get(lower) ?? 2;
    while (this.#byName.has(name.toLowerCase())) name = `${wanted}_${suffix++}`;
    if (name !== wanted) this.#suffixes.set(lower, suffix);
    const base = columnName(source.split(BELOW, 1)[0]?.split(AT, 1)[0] ?? '');
    const ofModel = this.#settings.isFloat?.(base) === true;
    const column: Column = { name, base, ofModel, type: undefined, firm: false, since: 0 };
    // One of them may stand for a column that was none of these so far.
    this.#keys.length = 0;
    this.#bySource.set(source, column);
    this.#byName.set(name.toLowerCase(), column);
  }

  #learn(column: Column, value: unknown, ofArray: ColumnType | undefined, types: ColumnTypes): void {
    // Its first values come from this call, and a text among them makes all of them texts.
    if (column.firm && typeof value !== 'string') return undefined;
    const given = typeIn(types, column.name) ?? typeIn(types, column.base) ?? ofArray;
    if (given !== undefined) {
      this.#settle(column, given);
      column.since = 0;
    } else if (typeof value === 'string') {
      // Only the first call decides: one wrong value must not make text of a column of numbers.
      if (column.type === undefined || column.since === this.#calls) this.#settle(column, 'string');
    } else if (typeof value === 'bigint') {
      this.#settle(column, 'int');
    } else if (typeof value === 'number') {
      if (!Number.isSafeInteger(value) || column.ofModel) this.#settle(column, 'float');
      else if (column.type === undefined) this.#guess(column, 'int');
    } else if (typeof value === 'boolean' && column.type === undefined) {
      this.#guess(column, 'boolean');
    }
    return undefined;
  }

  #guess(column: Column, type: ColumnType): void {
    column.type = type;
    column.since = this.#calls;
  }

  #settle(column: Column, type: ColumnType): void {
    if (column.type === 'boolean' && type !== 'string') return;
    if (type === 'float' && column.type === 'int' && column.since < this.#calls)
      this.#warn(
        'type',
        `the column ${column.name} had whole numbers so far, and is a float from now on: give the collector types: { ${stringify(column.name)}: 'float' }`,
      );
    if (column.type === undefined) column.since = this.#calls;
    column.type = type;
    column.firm = true;
  }

  #row(columns: readonly Column[], values: readonly unknown[]): CollectedRow {
    const row: CollectedRow = {};
    for (let at = 0; at < columns.length; at++) {
      const { name = '', type } = columns[at] ?? {};
      const cell = cellOf(values[at], type);
      if (cell === undefined)
        this.#warn('value', `the column ${name} is of type ${type}: a value of type ${typeof values[at]} is null there`);
      put(row, name, cell ?? null);
    }
    return row;
  }

  #warn(what: 'type' | 'value', text: string): void {
    if (!this.#warned.has(what)) this.#settings.warn?.(`${text} (logged once)`);
    this.#warned.add(what);
  }
}

function typeIn(types: ColumnTypes, name: string): ColumnType | undefined {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** Sets a cell also where a column has the name that changes an object's prototype. */
function put(row: CollectedRow, name: string, value: Cell): void {
  if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
  else row[name] = value;
}

/** A value in the form of a type; null for a missing one; undefined where it has no such form. */
function cellOf(value: unknown, type: ColumnType | undefined): Cell | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean' && typeof value !== 'string') return null;
  switch (type) {
    case undefined:
      return null;
    case 'string':
      return String(value);
    case 'boolean':
      return typeof value === 'boolean' ? value : value === 0 || value === 0n ? false : value === 1 || value === 1n ? true : undefined;
    case 'float':
      return typeof value === 'string' ? undefined : Number(value);
    case 'int':
      if (typeof value === 'string') return undefined;
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      return Number.isInteger(Number(value)) ? Number(value) : undefined;
    default:
      return type satisfies never;
  }
}

function cellText(cell: Cell, type: ColumnType | undefined): string {
  if (typeof cell === 'string') return stringify(cell);
  if (typeof cell !== 'number') return String(cell);
  // A double of at least 10^21 has an exponent in its text.
  if (type === 'float') return Number.isInteger(cell) && Math.abs(cell) < 1e21 ? `${Object.is(cell, -0) ? '-0' : cell}.0` : String(cell);
  return Math.abs(cell) < 1e21 ? String(cell) : String(BigInt(cell));
}
