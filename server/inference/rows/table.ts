import type { Call } from './call.ts';
import { ONE, type Size } from './size.ts';
import { mixed, unknown, type RowAxis, type Shaped } from './value.ts';

/** A table [rows, features] and the number of its rows. */
export interface Table extends Shaped {
  readonly height: Size;
}

/**
 * The first input as operators of `ai.onnx.ml` read it: two axes are [rows, features], and one axis
 * is a single row (measured with ONNX Runtime 1.30, which refuses more axes).
 * @throws Refusal if such a row holds rows of different calls
 */
export function tableOf(call: Call): Table {
  const { dims, row } = call.tensor(0);
  const [first, second] = dims;
  if (first === undefined || dims.length > 2) throw unknown('its input has neither one nor two axes');
  const across = row?.axis ?? dims.findIndex((size) => size.rows);
  if (second === undefined && across === 0) throw mixed('it takes rows of different calls as one row');
  if (across === 1) throw mixed('it computes each row from rows of different calls');
  return { dims, row, height: second === undefined ? ONE : first };
}

/** Another table with the same rows. */
export const beside = (
  { height, row }: { readonly height: Size; readonly row: RowAxis | undefined },
  ...dims: readonly Size[]
): Shaped => ({
  dims: [height, ...dims],
  row,
});
