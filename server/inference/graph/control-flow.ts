import { Call } from '../rows/call.ts';
import { symbol, type Size } from '../rows/size.ts';
import {
  constant,
  COUNTS_ROWS,
  countsRows,
  mixed,
  numbersOf,
  NUMBERS_ROWS,
  Refusal,
  same,
  sameSizes,
  unknown,
  type Tracked,
  type Value,
} from '../rows/value.ts';
import type { NodeAttributes } from './node-attributes.ts';
import { readGraph, type OnnxGraph, type OnnxNode } from './onnx-graph.ts';
import { Scope, type Surroundings } from './scope.ts';

type Inputs = readonly (Tracked | undefined)[];

/** True for operators of the default domain that run graphs. */
export const isControl = (operator: string): boolean => operator === 'If' || operator === 'Loop' || operator === 'Scan';

/** @throws Refusal if rows decide what runs, or meet in a graph */
export function followControl(
  node: OnnxNode,
  version: number,
  inputs: Inputs,
  attributes: NodeAttributes,
  scope: Scope,
  around: Surroundings,
): readonly Value[] {
  const run: Run = (graph, values) => followSubgraph(graph, values, scope, around);
  const part = (name: string): OnnxGraph => subgraph(attributes, name, around);
  const call = new Call(node.operator, version, inputs, node.outputs.length, attributes);
  if (node.operator === 'If') return followIf(call, run, part);
  if (node.operator === 'Scan') return followScan(call, run, part('body'));
  // The budget falls with each node, so that each loop has a name of its own, also in a function.
  return followLoop(call, run, part('body'), symbol(`turns(${around.budget.nodes})`));
}

type Run = (graph: OnnxGraph, values: readonly Value[]) => readonly Value[];

function subgraph(attributes: NodeAttributes, name: string, { model }: Surroundings): OnnxGraph {
  const span = attributes.graph(name);
  if (span === undefined) throw unknown(`its graph ${name} is absent`);
  return readGraph(model.bytes, span);
}

/** Follows rows through a graph that sees the values around it. */
function followSubgraph(graph: OnnxGraph, values: readonly Value[], outer: Scope, around: Surroundings): readonly Value[] {
  const scope = new Scope(graph.constants, outer);
  for (const [index, { name }] of graph.inputs.entries()) scope.set(name, values[index] ?? unknown('an input of its graph is absent'));
  around.follow(graph.nodes, scope, { ...around, depth: around.depth + 1 });
  return graph.outputs.map((name) => {
    const value = scope.get(name) ?? unknown('an output of its graph is not known');
    return value instanceof Refusal || value.place === undefined ? value : mixed(NUMBERS_ROWS);
  });
}

function followIf(call: Call, run: Run, part: (name: string) => OnnxGraph): readonly Value[] {
  const condition = call.constant(0);
  const [known] = numbersOf(condition.elements) ?? [];
  if (known !== undefined) return run(part(known === 0 ? 'else_branch' : 'then_branch'), []);
  const otherwise = run(part('else_branch'), []);
  return run(part('then_branch'), []).map((value, index) => either(value, otherwise[index] ?? unknown('its branches differ')));
}

/** One of two values. */
function either(one: Value, other: Value): Value {
  if (one instanceof Refusal) return one;
  if (other instanceof Refusal) return other;
  try {
    return same(one, other);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
}

/** Rounds until the carried values of a loop keep their form. */
const MOST_ROUNDS = 4;

/**
 * Values that a body carries from one turn to the next, in a form that all turns share.
 * @param turn what the body makes of carried values
 */
function settle(initial: readonly Value[], turn: (carried: readonly Value[]) => readonly Value[]): readonly Value[] {
  // The first turn may start with known entries, and later ones may not.
  let carried = initial.map((value): Value => {
    if (value instanceof Refusal) return value;
    return countsRows(value) ? mixed(COUNTS_ROWS) : { dims: value.dims, row: value.row, sequence: value.sequence };
  });
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const after = turn(carried);
    const joined = carried.map((value, index) => either(value, after[index] ?? unknown('it carries an unknown value')));
    if (joined.every((value, index) => alike(value, carried[index]))) return joined;
    carried = joined;
  }
  throw unknown('the values that it carries do not settle');
}

function alike(one: Value, other: Value | undefined): boolean {
  if (one === other || other === undefined) return true;
  if (one instanceof Refusal || other instanceof Refusal) return one instanceof Refusal && other instanceof Refusal;
  if ((one.row === undefined) !== (other.row === undefined)) return false;
  if (one.dims === undefined || other.dims === undefined) return one.dims === other.dims;
  return sameSizes(one.dims, other.dims);
}

/** Turn and condition, then carried values; the body gives condition, carried values, scans. */
function followLoop(call: Call, run: Run, body: OnnxGraph, turns: Size): readonly Value[] {
  for (const index of [0, 1]) if (call.has(index)) call.constant(index);
  const initial = Array.from({ length: call.count - 2 }, (_, index): Value => call.any(index + 2));
  const turn = (carried: readonly Value[]): readonly Value[] => {
    const results = run(body, [constant([]), constant([]), ...carried]);
    refuseRows(results[0]);
    return results.slice(1);
  };
  const carried = settle(initial, turn);
  const scans = turn(carried).slice(carried.length);
  return [...carried, ...scans.map((value) => stacked(value, turns, 0))];
}

function refuseRows(condition: Value | undefined): void {
  if (condition === undefined) throw unknown('its body gives no condition');
  if (condition instanceof Refusal) throw condition;
  if (condition.row !== undefined) throw mixed('rows decide how often it runs');
  if (countsRows(condition)) throw mixed('it runs as often as rows say');
}

/** The values of all turns along a new axis. */
function stacked(value: Value, turns: Size, at: number): Value {
  if (value instanceof Refusal) return value;
  if (countsRows(value)) return mixed(COUNTS_ROWS);
  if (value.dims === undefined || value.sequence === true) return unknown('it collects values of an unknown shape');
  const axis = at < 0 ? at + value.dims.length + 1 : at;
  const dims = value.dims.toSpliced(axis, 0, turns);
  return { dims, row: value.row && { ...value.row, axis: value.row.axis < axis ? value.row.axis : value.row.axis + 1 } };
}

/** Since version 9: states, then tensors that are read along an axis. */
function followScan(call: Call, run: Run, body: OnnxGraph): readonly Value[] {
  if (call.version < 9) throw unknown('its version has a batch axis of its own');
  const scanned = call.int('num_scan_inputs', 1);
  const states = call.count - scanned;
  const axes = call.attributes.ints('scan_input_axes') ?? [];
  const slices = Array.from({ length: scanned }, (_, index) => takenApart(call, states + index, axes[index] ?? 0));
  const initial = Array.from({ length: states }, (_, index): Value => call.settled(index));
  const turn = (carried: readonly Value[]): readonly Value[] => run(body, [...carried, ...slices.map(({ value }) => value)]);
  const carried = settle(initial, turn);
  const outputAxes = call.attributes.ints('scan_output_axes') ?? [];
  const turns = slices[0]?.turns;
  if (turns === undefined) throw unknown('it scans nothing');
  const scans = turn(carried).slice(states);
  return [...carried, ...scans.map((value, index) => stacked(value, turns, outputAxes[index] ?? 0))];
}

/** One slice of a scanned tensor. */
function takenApart(call: Call, index: number, at: number): { readonly value: Value; readonly turns: Size } {
  const tensor = call.tensor(index);
  const axis = at < 0 ? at + tensor.dims.length : at;
  const turns = tensor.dims[axis];
  if (turns === undefined) throw unknown('it scans an axis that is not there');
  if (turns.rows) throw mixed('it scans rows one after the other');
  const { row } = tensor;
  const dims = tensor.dims.toSpliced(axis, 1);
  return { value: { dims, row: row && { ...row, axis: row.axis < axis ? row.axis : row.axis - 1 } }, turns };
}
