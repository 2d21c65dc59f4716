import { mixingControl } from './rows/mixing-control.ts';
import { mixingLayers } from './rows/mixing-layers.ts';
import { mixingMoves } from './rows/mixing-moves.ts';
import { mixingReductions } from './rows/mixing-reductions.ts';
import { mixingValues } from './rows/mixing-values.ts';
import { mixingSizes } from './rows/mixing-sizes.ts';
import { mixingTraps } from './rows/mixing-traps.ts';
import { mixingWindows } from './rows/mixing-windows.ts';
import type { RowModel } from './rows/row-model.ts';

/** Models in which rows of a batch influence each other. None of them may ever be merged. */
export const mixingModels: readonly RowModel[] = [
  ...mixingReductions,
  ...mixingValues,
  ...mixingMoves,
  ...mixingLayers,
  ...mixingSizes,
  ...mixingTraps,
  ...mixingWindows,
  ...mixingControl,
];
