import type { SampleType, TableColumnType, TableTypeOptions } from '../../entry-script.ts';
import { kindOf } from '../../guards/kind-of.ts';
import type { Json, Schema } from '../../ipc/script-schemas.ts';
import { BOOLEAN, DATE_TIME, dateParts, DeclarationError, type Described, DOUBLE, INTEGER, isPlain, TEXT } from './described.ts';
import { DeclaredType } from './sample-type.ts';

type Row = Readonly<Record<string, unknown>>;

interface Column {
  readonly name: string;
  readonly type: TableColumnType;
  readonly shown: Schema;
  readonly checked: Schema;
}

/** The rows of a sample, and their columns. */
interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly { readonly [name: string]: Json }[];
  /** True: a request has these columns and no others. */
  readonly exact: boolean;
}

const types: Readonly<Record<TableColumnType, { readonly shown: Schema; readonly checked: Schema; readonly name: string }>> = {
  int: { shown: INTEGER, checked: { type: 'integer' }, name: 'integer' },
  float: { shown: DOUBLE, checked: { type: 'number' }, name: 'number' },
  bool: { shown: BOOLEAN, checked: BOOLEAN, name: 'boolean' },
  datetime: { shown: DATE_TIME, checked: TEXT, name: 'datetime' },
  str: { shown: TEXT, checked: TEXT, name: 'string' },
};

const array = (items: Schema): Schema => ({ type: 'array', items });
const all = (required: readonly string[], properties: Schema): Schema => ({ type: 'object', required, properties });
const ANY_KEYS: Schema = { type: 'array', items: { type: ['string', 'integer'] } };

/**
 * The type of a table: `tableType([{ a: 1, b: 'x' }])` has the columns a and b. Azure's
 * PandasParameterType.
 * @throws TypeError for a sample that is no table
 */
export function tableType(rows: readonly Row[], options: TableTypeOptions = {}): SampleType {
  const { orient = 'records', enforceColumnType = true, optional } = options;
  const columns = columnsOf(rows, options);
  const table: Table = {
    columns: enforceColumnType ? columns : columns.map((column) => ({ ...column, checked: {} })),
    rows: rows.map((row, at) => Object.fromEntries(columns.map((column) => [column.name, cellOf(row[column.name], column, at)]))),
    exact: options.enforceShape ?? true,
  };
  if (!Object.hasOwn(orients, orient))
    throw new DeclarationError(`tableType(): expected an orient of ${Object.keys(orients).join(', ')}, got ${orient}`);
  const { shown, ...described } = orients[orient](table);
  return new DeclaredType({ ...described, shown: { ...shown, format: `pandas.DataFrame:${orient}` } }, optional);
}

function columnsOf(rows: readonly Row[], { types: named = {} }: TableTypeOptions): Column[] {
  const [first] = Array.isArray(rows) ? rows : [];
  if (!isPlain(first)) throw new DeclarationError(`tableType(): expected an array of rows as the sample, got ${kindOf(first ?? rows)}`);
  const other = rows.findIndex((row) => !isPlain(row));
  if (other !== -1)
    throw new DeclarationError(`tableType(): expected a row as those before it at row ${other}, got ${kindOf(rows[other])}`);
  const more = rows.flatMap((row) => Object.keys(row)).find((name) => !Object.hasOwn(first, name));
  if (more !== undefined) throw new DeclarationError(`tableType(): expected the columns of the first row in all rows, got ${more}`);
  checkTypes(named, first);
  return Object.keys(first).map((name) => {
    const type = (Object.hasOwn(named, name) ? named[name] : undefined) ?? typeOf(rows.map((row) => row[name]));
    return { name, type, shown: types[type].shown, checked: types[type].checked };
  });
}

function checkTypes(named: NonNullable<TableTypeOptions['types']>, first: Row): void {
  for (const [name, type] of Object.entries(named)) {
    if (!Object.hasOwn(first, name)) throw new DeclarationError(`tableType(): expected types of the sample's columns, got one of ${name}`);
    if (!Object.hasOwn(types, type))
      throw new DeclarationError(`tableType(): expected a type of ${Object.keys(types).join(', ')} for column ${name}, got ${type}`);
  }
}

function typeOf(values: readonly unknown[]): TableColumnType {
  if (values.every((value) => typeof value === 'boolean')) return 'bool';
  if (values.every((value) => value instanceof Date)) return 'datetime';
  if (values.every((value) => typeof value === 'number')) return values.every((value) => Number.isInteger(value)) ? 'int' : 'float';
  return 'str';
}

function cellOf(value: unknown, { name, type }: Column, row: number): Json {
  if (value instanceof Date && type === 'datetime') {
    const { day, time, millis } = dateParts(value);
    return `${day}T${time}.${millis}`;
  }
  const fits = {
    int: typeof value === 'number' && Number.isInteger(value),
    float: typeof value === 'number' && Number.isFinite(value),
    bool: typeof value === 'boolean',
    datetime: typeof value === 'string',
    str: typeof value === 'string',
  };
  if (fits[type] && (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')) return value;
  throw new DeclarationError(`tableType(): expected a value of type ${type} in row ${row} of column ${name}, got ${kindOf(value)}`);
}

const orients: Readonly<Record<NonNullable<TableTypeOptions['orient']>, (table: Table) => Described>> = {
  records: (table) => ({
    shown: array(rowShown(table)),
    checked: array(rowChecked(table)),
    example: table.rows,
    mixed: false,
  }),
  split: (table) => ({
    shown: all(['columns', 'index', 'data'], {
      columns: array(TEXT),
      index: array(INTEGER),
      data: array(array(lastShown(table))),
    }),
    checked: all(['columns', 'data'], { columns: { const: names(table) }, index: ANY_KEYS, data: array(cellsChecked(table)) }),
    example: { columns: names(table), index: table.rows.map((_, at) => at), data: cells(table) },
    mixed: isMixed(table),
  }),
  values: (table) => ({
    shown: array(array(lastShown(table))),
    checked: array(cellsChecked(table)),
    example: cells(table),
    mixed: isMixed(table),
  }),
  index: (table) => ({
    shown: all(keys(table), Object.fromEntries(keys(table).map((key) => [key, rowShown(table)]))),
    checked: { type: 'object', additionalProperties: rowChecked(table) },
    example: Object.fromEntries(table.rows.map((row, at) => [String(at), row])),
    mixed: false,
  }),
  columns: (table) => ({
    shown: all(
      names(table),
      byColumn(table, ({ shown }) => all(keys(table), Object.fromEntries(keys(table).map((key) => [key, shown])))),
    ),
    checked: {
      ...all(
        names(table),
        byColumn(table, ({ checked }) => ({ type: 'object', additionalProperties: checked })),
      ),
      ...(table.exact && { additionalProperties: false }),
    },
    example: byColumn(table, ({ name }) => Object.fromEntries(table.rows.map((row, at) => [String(at), row[name] ?? null]))),
    mixed: false,
  }),
  table: (table) => ({
    shown: all(['schema', 'data'], {
      schema: all(['fields', 'primaryKey', 'pandas_version'], {
        fields: array(all(['name', 'type'], { name: TEXT, type: TEXT })),
        primaryKey: array(TEXT),
        pandas_version: TEXT,
      }),
      data: array(all(['index', ...names(table)], { index: INTEGER, ...byColumn(table, ({ shown }) => shown) })),
    }),
    checked: all(['data'], { data: array({ ...rowChecked({ ...table, exact: false }) }) }),
    example: {
      schema: {
        fields: [{ name: 'index', type: 'integer' }, ...table.columns.map(({ name, type }) => ({ name, type: types[type].name }))],
        primaryKey: ['index'],
        pandas_version: '1.4.0',
      },
      data: table.rows.map((row, index) => ({ index, ...row })),
    },
    mixed: false,
  }),
};

function names({ columns }: Table): string[] {
  return columns.map(({ name }) => name);
}

/** The labels of the rows. */
function keys({ rows }: Table): string[] {
  return rows.map((_, at) => String(at));
}

function byColumn({ columns }: Table, of: (column: Column) => Json): Schema {
  return Object.fromEntries(columns.map((column) => [column.name, of(column)]));
}

function rowShown(table: Table): Schema {
  return all(
    names(table),
    byColumn(table, ({ shown }) => shown),
  );
}

function rowChecked(table: Table): Schema {
  return {
    ...all(
      names(table),
      byColumn(table, ({ checked }) => checked),
    ),
    ...(table.exact && { additionalProperties: false }),
  };
}

/** A row without names: the columns by their places. */
function cellsChecked({ columns, exact }: Table): Schema {
  return {
    type: 'array',
    minItems: columns.length,
    ...(exact && { maxItems: columns.length }),
    prefixItems: columns.map(({ checked }) => checked),
  };
}

function cells(table: Table): Json {
  return table.rows.map((row) => table.columns.map(({ name }) => row[name] ?? null));
}

/** Azure's schema of a list has the last item's schema for all. A date is a text here. */
function lastShown({ columns }: Table): Schema {
  const last = columns.at(-1);
  return last?.type === 'datetime' ? TEXT : (last?.shown ?? { type: 'object' });
}

function isMixed({ columns }: Table): boolean {
  // A date is a text of JSON.
  return new Set(columns.map(({ type }) => (type === 'datetime' ? 'str' : type))).size > 1;
}
