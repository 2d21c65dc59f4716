import type { ClassLabels } from '../../entry-script.ts';
import { constantValues, type Label } from './constant-values.ts';
import { ATTRIBUTE } from '../graph/onnx-proto.ts';
import { floatsOf, integerOf, integersOf, messageOf, textsOf } from './onnx-fields.ts';
import type { OnnxGraph, OnnxNode } from './onnx-graph.ts';

/** Operators with an output of labels and an output of scores, one column a label. */
const CLASSIFIERS: ReadonlySet<string> = new Set(['LinearClassifier', 'TreeEnsembleClassifier', 'SVMClassifier']);
/** Operators whose output has the columns of their first input. */
const KEEP_COLUMNS: ReadonlySet<string> = new Set(
  'Identity Cast Normalizer Scaler Softmax LogSoftmax Sigmoid Exp Log Neg Abs Clip Relu Tanh Sqrt Reciprocal Add Sub Mul Div Max Min Pow Where'.split(
    ' ',
  ),
);
/** Operators whose output has the elements of their first input, in the same order. */
const KEEP_ELEMENTS: ReadonlySet<string> = new Set('Identity Cast Reshape Squeeze Unsqueeze Flatten'.split(' '));
/** Most values of a graph that are followed from one output. */
const MOST_STEPS = 256;
/** Most labels of an output, and most characters of them: more are no names for people. */
const MOST_LABELS = 10_000;
const MOST_CHARACTERS = 200_000;

/**
 * Labels of the columns of a value: the class labels behind ZipMap, a classifier, or a look-up of
 * the greatest column. Undefined if the graph names none, or not each column differently.
 */
export function columnLabels(graph: OnnxGraph, name: string): readonly Label[] | undefined {
  const labels = search(graph, name, new Set());
  if (labels === undefined || labels.length === 0 || labels.length > MOST_LABELS || tooLong(labels)) return undefined;
  return new Set(labels.map(String)).size === labels.length ? labels : undefined;
}

/** Labels travel to the host in one message, and to clients in the metadata. */
export const tooLong = (labels: ClassLabels): boolean => JSON.stringify(labels).length > MOST_CHARACTERS;

/** @param seen values on the way, each of which is looked at once */
function search(graph: OnnxGraph, name: string, seen: Set<string>): readonly Label[] | undefined {
  if (seen.has(name) || seen.size === MOST_STEPS) return undefined;
  seen.add(name);
  for (const consumer of graph.consumers(name)) {
    const found = consumer.operator === 'ZipMap' ? labelsOf(consumer) : consumer.operator === 'ArgMax' && lookedUp(graph, consumer);
    if (found) return found;
  }
  const node = graph.producer(name);
  if (node === undefined) return undefined;
  if (node.operator === 'ZipMap') return labelsOf(node);
  if (CLASSIFIERS.has(node.operator)) return node.outputs[1] === name ? classifierLabels(graph, node) : undefined;
  if (!KEEP_COLUMNS.has(node.operator)) return undefined;
  const sources = node.inputs.filter((input) => input !== '' && graph.constant(input) === undefined);
  for (const source of sources) {
    const found = search(graph, source, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The labels that ZipMap or a classifier lists. */
function labelsOf(node: OnnxNode): readonly Label[] | undefined {
  const texts = textsOf(node.attribute('classlabels_strings'), ATTRIBUTE.strings);
  if (texts.length > 0) return texts;
  const integers = ['classlabels_int64s', 'classlabels_ints'].map((name) => integersOf(node.attribute(name), ATTRIBUTE.ints));
  return integers.find((labels) => labels.length > 0);
}

/** The labels of a classifier's scores, as its output of labels shows them. */
function classifierLabels(graph: OnnxGraph, node: OnnxNode): readonly Label[] | undefined {
  // Without probabilities, the columns of an SVM compare pairs of classes.
  if (node.operator === 'SVMClassifier' && floatsOf(node.attribute('prob_a'), ATTRIBUTE.floats).length === 0) return undefined;
  const labels = labelsOf(node);
  return labels && (shown(graph, node.outputs[0] ?? '', labels, new Set()) ?? labels);
}

/** The labels that the index of the greatest of the last columns is replaced by. */
function lookedUp(graph: OnnxGraph, argMax: OnnxNode): readonly Label[] | undefined {
  const axis = integerOf(argMax.attribute('axis'), ATTRIBUTE.int) ?? 0;
  return axis === 1 || axis === -1 ? shown(graph, argMax.outputs[0] ?? '', undefined, new Set()) : undefined;
}

/**
 * Labels as an output of the graph shows them, after look-ups and encoders.
 * @param labels so far; undefined: the elements are indices
 * @returns undefined if no way leads to an output
 */
function shown(graph: OnnxGraph, name: string, labels: readonly Label[] | undefined, seen: Set<string>): readonly Label[] | undefined {
  if (seen.has(name) || seen.size === MOST_STEPS) return undefined;
  seen.add(name);
  if (graph.outputs.some((output) => output.name === name)) return labels;
  for (const consumer of graph.consumers(name)) {
    const next = step(graph, consumer, name, labels);
    const found = next && shown(graph, consumer.outputs[0] ?? '', next.labels, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The labels behind one operator. Undefined if the operator changes them in another way. */
function step(
  graph: OnnxGraph,
  node: OnnxNode,
  name: string,
  labels: readonly Label[] | undefined,
): { readonly labels: readonly Label[] | undefined } | undefined {
  const [first, second] = node.inputs;
  if (KEEP_ELEMENTS.has(node.operator)) return first === name ? { labels } : undefined;
  if (node.operator === 'LabelEncoder') return encoded(node, labels);
  if (node.operator !== 'Gather' && node.operator !== 'ArrayFeatureExtractor') return undefined;
  const table = second === name && first !== undefined ? graph.constant(first) : undefined;
  if (table === undefined || table.length > MOST_LABELS) return undefined;
  return { labels: labels === undefined ? table : defined(labels.map((label) => table[Number(label)])) };
}

/** The labels that a LabelEncoder makes of others, or of indices. */
function encoded(node: OnnxNode, labels: readonly Label[] | undefined): { readonly labels: readonly Label[] } | undefined {
  const classes = textsOf(node.attribute('classes_strings'), ATTRIBUTE.strings);
  const keys = classes.length > 0 ? Array.from(classes.keys()) : listOf(node, 'keys');
  const values = classes.length > 0 ? classes : listOf(node, 'values');
  const table = new Map(keys.map((key, index) => [String(key), values[index]]));
  const from = labels ?? Array.from(keys.keys());
  const made = defined(from.map((label) => table.get(String(label))));
  return made && { labels: made };
}

function listOf(node: OnnxNode, name: 'keys' | 'values'): readonly Label[] {
  const tensor = messageOf(node.attribute(`${name}_tensor`), ATTRIBUTE.tensor);
  const lists: (readonly Label[])[] = [
    textsOf(node.attribute(`${name}_strings`), ATTRIBUTE.strings),
    integersOf(node.attribute(`${name}_int64s`), ATTRIBUTE.ints),
    floatsOf(node.attribute(`${name}_floats`), ATTRIBUTE.floats),
    (tensor && constantValues(tensor)) ?? [],
  ];
  return lists.find(({ length }) => length > 0) ?? [];
}

/** The list, or undefined if an item is missing. */
function defined<T>(list: readonly (T | undefined)[]): readonly T[] | undefined {
  const found = list.filter((item) => item !== undefined);
  return found.length === list.length ? found : undefined;
}
