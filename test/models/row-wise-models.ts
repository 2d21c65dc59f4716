import { rowWiseLayers } from './rows/row-wise-layers.ts';
import { rowWiseOperators } from './rows/row-wise-operators.ts';
import type { RowModel } from './rows/row-model.ts';

/** Counterparts of the models that mix, in which each row is alone. */
export const rowWiseModels: readonly RowModel[] = [...rowWiseOperators, ...rowWiseLayers];
