import type { TensorInput, TensorSpec, TensorValue } from '../entry-script.ts';
import { misfit, show } from './infer-request.ts';
import { JsonNumbers } from './json-numbers.ts';
import { isNumbers, isRecord, type Members } from './open-inference-json.ts';
import { matchColumns } from './table-columns.ts';

/** Names of inputs that an error lists. */
const MOST_LISTED = 20;

/** Rows of one width, and the names of their columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: JsonNumbers | readonly (readonly TensorValue[])[];
}

/**
 * A table in a form of pandas: `split` ({"columns", "index"?, "data"}), or `records` (an array of
 * objects). The index may have entries of any kind.
 * @param where name of the member, for errors
 * @returns undefined for another value: rows without names
 * @throws ServerError invalid_input
 */
export function readTable(where: string, value: unknown): Table | undefined {
  if (Array.isArray(value)) return isRecord(value[0]) ? fromRecords(where, value) : undefined;
  return isRecord(value) && value['columns'] !== undefined && value['columns'] !== null ? fromSplit(where, value) : undefined;
}

/**
 * The inputs of a model from a table: its rows for the only input, or a column for each input, as
 * [N,1], [N] or one value.
 * @throws ServerError invalid_input that names columns which are unknown, missing or there twice
 */
export function feedTable(where: string, { columns, rows }: Table, inputs: readonly TensorSpec[]): Record<string, TensorInput> {
  const [only] = inputs;
  // A cell that is an array is all that one row gives the input.
  const hasArrays = !(rows instanceof JsonNumbers) && Array.isArray(rows[0]?.[0]);
  const isColumn = columns.length === 1 && (columns[0] === only?.name || only?.dims.length === 1 || hasArrays);
  if (only !== undefined && inputs.length === 1 && !isColumn) return Object.fromEntries([[only.name, rows]]);
  const found =
    inputs.length === 1
      ? [0]
      : matchColumns(
          columns,
          inputs.map(({ name }) => name),
        );
  if (typeof found === 'string') throw misfit(where, `a column for each input (${namesOf(inputs)})`, found, Infinity);
  const values = rows instanceof JsonNumbers ? nestedRows(rows) : rows;
  return Object.fromEntries(inputs.map((spec, index): [string, TensorInput] => [spec.name, asInput(spec, values, found[index] ?? 0)]));
}

function fromSplit(where: string, { columns, index, data }: Members): Table {
  const names = columnNames(where, columns);
  if (!Array.isArray(data) && !isNumbers(data)) throw misfit(`${where}.data`, 'an array of rows', show(data));
  checkIndex(where, index, isNumbers(data) ? (data.dims[0] ?? 0) : data.length);
  if (isNumbers(data) && data.dims[1] === names.length) return { columns: names, rows: data };
  const rows: readonly unknown[] = isNumbers(data) ? nested(data) : data;
  return { columns: names, rows: rows.map((row, at) => rowOf(`${where}.data[${at}]`, row, names.length)) };
}

/** Names as text: pandas numbers columns that have none, and a MultiIndex has arrays. */
function columnNames(where: string, columns: unknown): string[] {
  const names: unknown = isNumbers(columns) ? nested(columns) : columns;
  if (!Array.isArray(names)) throw misfit(`${where}.columns`, 'an array of names', show(columns));
  return names.map((name: unknown) => (typeof name === 'string' ? name : show(name)));
}

function checkIndex(where: string, index: unknown, rows: number): void {
  if (index === undefined || index === null) return;
  const length = isNumbers(index) ? index.dims[0] : Array.isArray(index) ? index.length : undefined;
  if (length !== rows)
    throw misfit(`${where}.index`, `an array of ${rows}, one entry a row`, length === undefined ? show(index) : String(length));
}

/** A row of a table. Its values are unchecked: `toTensor` checks them. */
function rowOf(where: string, row: unknown, width: number): readonly TensorValue[] {
  if (Array.isArray(row) && row.length === width) return row;
  throw misfit(where, `an array of ${width} values, one a column`, Array.isArray(row) ? String(row.length) : show(row));
}

/** All records have the names of the first one, in any order. */
function fromRecords(where: string, records: readonly unknown[]): Table {
  const columns = Object.keys(isRecord(records[0]) ? records[0] : {});
  const rows = records.map((record, at) => {
    if (!isRecord(record)) throw misfit(`${where}[${at}]`, 'an object, as the first item is', show(record));
    const names = Object.keys(record);
    if (names.length !== columns.length || !columns.every((name) => Object.hasOwn(record, name))) {
      const problem = matchColumns(names, columns);
      throw misfit(`${where}[${at}]`, 'the columns of the first record', typeof problem === 'string' ? problem : 'other names', Infinity);
    }
    return columns.map((name) => asValue(record[name]));
  });
  return { columns, rows };
}

/** A value of a table. `toTensor` checks it. */
function asValue(value: unknown): TensorValue {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- toTensor checks every value
  return value as TensorValue;
}

/** Numbers as nested arrays. */
export function nested({ dims, data }: Pick<JsonNumbers, 'dims' | 'data'>): TensorValue[] {
  return dims.length < 2 ? Array.from(data) : nestedRows({ dims, data });
}

/** The rows of numbers of two dimensions or more. */
function nestedRows({ dims, data }: Pick<JsonNumbers, 'dims' | 'data'>): TensorValue[][] {
  const [count = 0, ...sizes] = dims;
  const width = data.length / count;
  return Array.from({ length: count }, (_, row) => nested({ dims: sizes, data: data.subarray(row * width, (row + 1) * width) }));
}

function asInput({ dims }: TensorSpec, rows: readonly (readonly TensorValue[])[], at: number): TensorInput {
  const column = rows.map((row) => row[at] ?? null);
  const [only] = column;
  if (dims.length === 0 && only !== undefined && column.length === 1) return only;
  return dims.length === 2 ? column.map((value) => (Array.isArray(value) ? value : [value])) : column;
}

function namesOf(inputs: readonly TensorSpec[]): string {
  const names = inputs.slice(0, MOST_LISTED).map(({ name }) => name);
  return `${names.join(', ')}${inputs.length > names.length ? ` and ${inputs.length - names.length} more` : ''}`;
}
