import type { Call, Rule } from './call.ts';
import { number, type Size } from './size.ts';
import { mixed, sameLayout, shaped, unknown, type Shaped, type Value } from './value.ts';

/** Where the inputs of a recurrent operator lie. */
interface Inputs {
  /** The first of the states, after sequence, weights, biases and lengths. */
  readonly states: readonly number[];
  readonly constants: readonly number[];
}

const LENGTHS = 4;
const SIMPLE: Inputs = { states: [5], constants: [1, 2, 3] };
/** Peepholes come after both states. */
const LONG: Inputs = { states: [5, 6], constants: [1, 2, 3, 7] };

/** The items of the batch are independent; steps, directions and states of one item meet. */
const recurrent =
  ({ states, constants }: Inputs): Rule =>
  (call) => {
    const steps = call.tensor(0);
    const [first, second] = steps.dims;
    if (first === undefined || second === undefined || steps.dims.length !== 3) throw unknown('it expects a sequence of three axes');
    for (const index of constants) if (call.has(index)) call.constant(index);
    const byItem = call.int('layout', 0) !== 0;
    const [length, items, axis] = byItem ? [second, first, 0] : [first, second, 1];
    if (steps.row !== undefined && steps.row.axis !== axis) throw mixed('its steps are rows of different calls');
    if (call.has(LENGTHS)) refuseOtherItems(call, LENGTHS, steps, 0);
    for (const index of states) if (call.has(index)) refuseOtherItems(call, index, steps, axis);
    const sizes = { byItem, length, items, directions: directionsOf(call), hidden: hiddenOf(call) };
    return results(steps, sizes, states.length).slice(0, call.outputs);
  };

/** Lengths and states have one entry for each item, so constants fix the number of items. */
function refuseOtherItems(call: Call, index: number, { row }: Shaped, axis: number): void {
  const given = call.tensor(index);
  if (row === undefined && given.row === undefined) return;
  if (row === undefined || given.row?.axis !== axis || !sameLayout(given.row, row))
    throw mixed(`input ${index} does not hold the same rows as its sequence`);
}

interface Sizes {
  /** True if the items of the batch come first, false if the steps do. */
  readonly byItem: boolean;
  readonly length: Size;
  readonly items: Size;
  readonly directions: Size;
  readonly hidden: Size;
}

/** All steps, then the last value of each state. */
function results({ row }: Shaped, { byItem, length, items, directions, hidden }: Sizes, states: number): Value[] {
  const at = (axis: number, ...dims: readonly Size[]): Shaped => shaped(dims, row && { ...row, axis });
  const steps = byItem ? at(0, items, length, directions, hidden) : at(2, length, directions, items, hidden);
  const state = byItem ? at(0, items, directions, hidden) : at(1, directions, items, hidden);
  return [steps, ...Array.from({ length: states }, () => state)];
}

const directionsOf = (call: Call): Size => number(call.attributes.text('direction') === 'bidirectional' ? 2 : 1);

function hiddenOf(call: Call): Size {
  const named = call.attributes.int('hidden_size');
  if (named !== undefined) return number(named);
  const last = call.tensor(2).dims[2];
  if (last === undefined) throw unknown('its hidden size is not known');
  return last;
}

/** Recurrent operators of the default domain. */
export const recurrences: Readonly<Record<string, Rule>> = {
  GRU: recurrent(SIMPLE),
  LSTM: recurrent(LONG),
  RNN: recurrent(SIMPLE),
};
