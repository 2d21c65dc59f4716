import { refuseApart } from './broadcast.ts';
import { isOne } from './size.ts';
import { mixed, type Shaped } from './value.ts';

/** @throws Refusal if rows lie along another axis than the first */
export function refuseOtherAxis({ row }: Shaped): void {
  if (row !== undefined && row.axis > 0) throw mixed('its rows lie along another axis than the batch');
}

/** @throws Refusal unless another tensor has the same rows, or one item for all */
export function refuseOtherItems(data: Shaped, other: Shaped): void {
  const [items] = other.dims;
  if (other.row === undefined && data.row !== undefined && items !== undefined && isOne(items)) return;
  refuseApart([data, other]);
}
