import { columnLabels } from './class-labels.ts';
import { TYPE } from '../graph/onnx-proto.ts';
import { type Dim, messageOf } from './onnx-fields.ts';
import { dimsOf, type OnnxGraph, type OnnxValue } from './onnx-graph.ts';

/** A sequence whose elements can be one tensor: the new axis is the second one. */
export interface UniformSequence {
  /** Names of the tensors, in their order. */
  readonly elements: readonly string[];
  /** Sizes of each of them, at least one; '' is unnamed. */
  readonly dims: readonly Dim[];
}

const MOST_ELEMENTS = 1000;
/** Operators whose output has the shape of their first input. */
const KEEP_SHAPE: ReadonlySet<string> = new Set(
  'Identity Cast Normalizer Scaler Softmax LogSoftmax Sigmoid Exp Log Neg Abs Clip Relu Tanh Sqrt'.split(' '),
);

/**
 * A sequence output whose tensors have one shape, or the reason why it may have several.
 *
 * The number of tensors follows from the graph (SequenceConstruct, SequenceInsert), and their shape
 * from declared types or from class labels. A size is equal only if it has a number or a name.
 */
export function uniformSequence(graph: OnnxGraph, { name, type }: OnnxValue): UniformSequence | string {
  const elements = elementsOf(graph, name);
  if (elements === undefined || elements.length === 0) return 'a sequence whose number of tensors the graph does not fix';
  const declared = dimsOf(messageOf(messageOf(type, TYPE.sequence) ?? [], 1) ?? []);
  const shapes = declared !== undefined && known(declared) ? [declared] : elements.map((element) => shapeOf(graph, element));
  const [first] = shapes;
  if (first === undefined || !known(first)) return 'a sequence of tensors whose shapes the graph does not fix';
  if (first.length === 0) return 'a sequence of scalars';
  if (shapes.some((shape) => shape === undefined || String(shape) !== String(first))) return 'a sequence of tensors of different shapes';
  return { elements, dims: first };
}

/** Every size has a number or a name. */
const known = (dims: readonly Dim[]): boolean => !dims.includes('');

/** The tensors of a sequence; undefined if a run decides. */
function elementsOf(graph: OnnxGraph, name: string): string[] | undefined {
  const inserted: string[] = [];
  let node = graph.origin(name);
  while (node?.operator === 'SequenceInsert' && inserted.length < MOST_ELEMENTS) {
    const [sequence = '', element = '', position = ''] = node.inputs;
    if (position !== '') return undefined;
    inserted.unshift(element);
    node = graph.origin(sequence);
  }
  if (node?.operator === 'SequenceEmpty') return inserted;
  if (node?.operator !== 'SequenceConstruct' || node.inputs.length > MOST_ELEMENTS) return undefined;
  return [...node.inputs, ...inserted];
}

/**
 * The sizes of a tensor, as the file declares them or its class labels show them. Rows of a
 * classifier have the name of what it classifies.
 */
function shapeOf(graph: OnnxGraph, name: string): readonly Dim[] | undefined {
  const declared = graph.shape(name);
  if (declared !== undefined && known(declared)) return declared;
  const node = graph.producer(name);
  if (node === undefined) return undefined;
  if (KEEP_SHAPE.has(node.operator)) return shapeOf(graph, node.inputs[0] ?? '');
  const labels = node.outputs[1] === name ? columnLabels(graph, name) : undefined;
  return labels && [`rows of ${node.inputs[0]}`, labels.length];
}
