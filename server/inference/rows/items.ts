import { refuseApart } from './broadcast.ts';
import type { Call } from './call.ts';
import { isOne } from './size.ts';
import { mixed, type Shaped } from './value.ts';

/** The first values of a list, as many as the node names. */
export const named = <T>(call: Call, values: readonly T[]): readonly T[] => values.slice(0, call.outputs);

/** @throws Refusal if rows lie along another axis than the first */
export function refuseOtherAxis({ row }: Shaped): void {
  if (row !== undefined && row.axis > 0) throw mixed('its rows lie along another axis than the batch');
}

/** A constant for all rows, or the same rows. */
export function refuseOtherItems(data: Shaped, other: Shaped): void {
  if (other.row === undefined && other.dims[0] !== undefined && isOne(other.dims[0])) return;
  refuseApart([data, other]);
}
