import type { TensorInput, TensorSpec, TensorValue } from '../entry-script.ts';
import { misfit } from './infer-request.ts';
import { JsonNumbers, NumberStore } from './json-numbers.ts';
import { isNumbers } from './open-inference-json.ts';
import { feedTable, nested, readTable, type Table } from './table.ts';
import { matchColumns } from './table-columns.ts';

/**
 * The inputs of a model from instances that are objects: the values of each name are stacked, one a
 * row. Other names are the columns of the only input.
 * @returns undefined for instances that are no objects: rows of the only input
 * @throws ServerError invalid_input
 */
export function readInstances(
  where: string,
  instances: JsonNumbers | readonly unknown[],
  inputs: readonly TensorSpec[],
): Record<string, TensorInput> | undefined {
  const table = isNumbers(instances) ? undefined : readTable(where, instances);
  if (table === undefined) return undefined;
  const [only, ...others] = inputs;
  const isNamed = table.columns.length === 1 && table.columns[0] === only?.name;
  return others.length === 0 && !isNamed ? feedTable(where, table, inputs) : stacked(where, table, inputs);
}

function stacked(where: string, { columns, rows }: Table, inputs: readonly TensorSpec[]): Record<string, TensorInput> {
  const names = inputs.map(({ name }) => name);
  const found = matchColumns(columns, names);
  if (typeof found === 'string') throw misfit(where, 'objects with a value for each input', found, Infinity);
  const values = rows instanceof JsonNumbers ? nested(rows) : rows;
  return Object.fromEntries(
    inputs.map((spec, index): [string, TensorInput] => {
      const at = found[index] ?? 0;
      return [
        spec.name,
        stack(
          spec,
          values.map((row): unknown => (Array.isArray(row) ? row[at] : row)),
        ),
      ];
    }),
  );
}

/** One array of an input: a value alone is a row of one where the input has two axes. */
function stack({ dims }: TensorSpec, values: readonly unknown[]): TensorInput {
  const [first] = values;
  if (isNumbers(first) && values.every((value) => isNumbers(value) && value.hasDims(first.dims))) return stackNumbers(first, values);
  return values.map((value) => {
    const plain = asValue(isNumbers(value) ? nested(value) : value);
    return dims.length === 2 && !Array.isArray(plain) ? [plain] : plain;
  });
}

function stackNumbers(first: JsonNumbers, values: readonly unknown[]): JsonNumbers {
  const width = first.data.length;
  const store = new NumberStore(values.length * width);
  for (const [row, value] of values.entries()) if (isNumbers(value)) store.numbers.set(value.data, row * width);
  return new JsonNumbers([values.length, ...first.dims], store, 0, store.numbers.length);
}

/** A value of an instance. `toTensor` checks it. */
function asValue(value: unknown): TensorValue {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- toTensor checks every value
  return value as TensorValue;
}
