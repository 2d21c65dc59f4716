import { equal, isOne, namedSymbol, number, ONE, ROWS, type Size } from '../rows/size.ts';
import { plainRows, Refusal, shaped, unknown, type Value } from '../rows/value.ts';
import { followNodes } from './follow-graph.ts';
import { readWithoutWeights } from './onnx-file.ts';
import { readGraph, readModel, type OnnxGraph, type OnnxInput, type OnnxModel } from './onnx-graph.ts';
import { Scope } from './scope.ts';
import type { GraphVerdict } from './verdict.ts';

/** Nodes that are followed at most, those of loops and functions again each time. */
const MOST_NODES = 1_000_000;

/**
 * Follows the rows of a batch from the first axis of every input to the first axis of every output.
 * Reads the file without its weights.
 * @param file path of an .onnx file
 * @param outputs names of the outputs that are served; all if absent
 * @param read reads the file; tests bring one that cuts small files, too
 */
export function followModel(file: string, outputs?: readonly string[], read = readWithoutWeights): GraphVerdict {
  try {
    const model = readModel(read(file));
    return followRows(model, readGraph(model.bytes, model.graph), outputs);
  } catch (thrown) {
    return { rows: 'unknown', reason: `the graph cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  }
}

function followRows(model: OnnxModel, graph: OnnxGraph, served: readonly string[] | undefined): GraphVerdict {
  const scope = new Scope(graph.constants);
  // An initialiser is the value of an input of the same name.
  for (const input of graph.inputs) if (!graph.constants.has(input.name)) scope.set(input.name, rowsOf(input));
  followNodes(graph.nodes, scope, {
    model,
    opsets: model.opsets,
    caller: undefined,
    depth: 0,
    budget: { nodes: MOST_NODES },
    follow: followNodes,
  });
  const names = served?.map((name) => Buffer.from(name).toString('latin1'));
  for (const name of names ?? graph.outputs) {
    const verdict = verdictOf(scope.get(name) ?? unknown('an output is not known'), text(name));
    if (verdict !== undefined) return verdict;
  }
  return { rows: 'row-wise', reason: 'the graph keeps rows apart' };
}

/** Names are read as Latin-1. */
const text = (name: string): string => Buffer.from(name, 'latin1').toString();
/** A refusal that no node decides. */
const NO_NODE = '';

/** An input whose first axis holds the rows of the batch. */
function rowsOf({ name, dims }: OnnxInput): Value {
  if (dims === undefined) return new Refusal('unknown', `input ${text(name)} has no shape`, NO_NODE);
  if (typeof dims[0] !== 'string') return new Refusal('mixed', `input ${text(name)} has no symbolic first dimension`, NO_NODE);
  // A symbol may also name another axis, which all calls of a batch share.
  const sizes = dims.map((dim, axis): Size => (axis === 0 ? ROWS : sharedSize(dim, `${name}.${axis}`)));
  return shaped(sizes, plainRows(0));
}

const sharedSize = (dim: number | string, otherwise: string): Size =>
  typeof dim === 'number' ? number(dim) : dim === '' ? namedSymbol(otherwise, '?') : namedSymbol(dim);

/** Why an output forbids merging, or undefined if it holds one row after the other. */
function verdictOf(value: Value, output: string): GraphVerdict | undefined {
  if (value instanceof Refusal)
    return { rows: value.rows, reason: value.message, ...(value.node === NO_NODE || value.node === undefined ? {} : { node: value.node }) };
  const { row, dims, place } = value;
  if (place !== undefined) return { rows: 'mixed', reason: `output ${output} depends on the places of rows in the batch` };
  if (row === undefined) return { rows: 'mixed', reason: `output ${output} is the same for every row` };
  if (row.axis !== 0 || !isOne(row.before) || !isOne(row.after) || !equal(dims?.[0] ?? ONE, ROWS))
    return { rows: 'mixed', reason: `output ${output} does not hold one entry for each row along its first axis` };
  return undefined;
}
