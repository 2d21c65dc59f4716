import { blockField, type Field } from '../../tensors/protobuf.ts';
import type { ClassLabels } from '../../entry-script.ts';
import type { OmittedOutput } from '../../ipc/worker-messages.ts';
import { columnLabels, tooLong } from './class-labels.ts';
import { MODEL, TENSOR_TYPE, TYPE } from '../graph/onnx-proto.ts';
import { integerOf, messageOf } from './onnx-fields.ts';
import { dimsOf, type OnnxGraph, type OnnxNode, type OnnxValue } from './onnx-graph.ts';
import { FLOAT, intAttribute, intsAttribute, node, oneInteger, renamed, tensorType } from './onnx-writing.ts';
import { uniformSequence } from './sequences.ts';

/** A model whose outputs ONNX Runtime's Node binding can return. */
export interface RewrittenModel {
  /** Fields of the graph; undefined if nothing had to change. */
  readonly graph: Buffer | undefined;
  /** Name in the file by name in the session, where they differ. */
  readonly names: ReadonlyMap<string, string>;
  readonly omitted: readonly OmittedOutput[];
}

/** One output of the rewritten graph. */
interface Port {
  readonly output: Buffer;
  /** Nodes to append, in the order of their work. */
  readonly nodes: readonly Buffer[];
  /** Initializers to append. */
  readonly initializers: readonly Buffer[];
  /** Nodes that nobody needs any more. */
  readonly unneeded: readonly OnnxNode[];
}

/** From this operator set on, the axes of Unsqueeze are an input. */
const AXES_AS_INPUT = 13;

/**
 * Rewrites the outputs of a model that ONNX Runtime's Node binding cannot return:
 *
 * - The maps of a ZipMap become the float32 scores [rows, classes] behind them. Classifiers of
 *   scikit-learn and LightGBM end in one.
 * - A sequence of tensors [rows, ...] of one shape becomes one tensor [rows, count, ...].
 * - An output named as a member of every JavaScript object gets another name in the session. Why:
 *   the binding looks names up in such an object.
 *
 * All other bytes stay.
 */
export function rewriteModel(graph: OnnxGraph): RewrittenModel {
  const names = new Map<string, string>();
  const omitted: OmittedOutput[] = [];
  const ports = new Map<Field, Port>();
  for (const value of graph.outputs) {
    const port = portOf(graph, value, names);
    if (typeof port === 'string') omitted.push({ name: value.name, reason: port });
    else if (port !== undefined) ports.set(value.field, port);
  }
  return { graph: ports.size === 0 ? undefined : withPorts(graph, ports), names, omitted };
}

/** The model's bytes with another graph. */
export function withGraph({ modelFields, graphField }: OnnxGraph, graph: Buffer): Buffer {
  return Buffer.concat(modelFields.map((field) => (field === graphField ? blockField(MODEL.graph, graph) : field.raw)));
}

function withPorts(graph: OnnxGraph, ports: ReadonlyMap<Field, Port>): Buffer {
  const all = Array.from(ports.values());
  const unneeded = new Set(all.flatMap((port) => port.unneeded.map(({ field }) => field)));
  const kept = graph.fields.filter((field) => !unneeded.has(field)).map((field) => ports.get(field)?.output ?? field.raw);
  // The new nodes go to the end, because a node must follow its sources.
  return Buffer.concat([...kept, ...all.flatMap((port) => [...port.initializers, ...port.nodes])]);
}

/** The new form of an output; undefined if it can stay, a text if it is left out. */
function portOf(graph: OnnxGraph, value: OnnxValue, names: Map<string, string>): Port | string | undefined {
  const { name, type } = value;
  const rename = (free: boolean): string => {
    if (free && !(name in Object.prototype)) return name;
    const other = graph.fresh(`output ${name}`);
    names.set(other, name);
    return other;
  };
  if (messageOf(type, TYPE.tensor) !== undefined || type.length === 0) {
    if (!(name in Object.prototype)) return undefined;
    const other = rename(false);
    return { output: renamed(value, other), nodes: [node('Identity', [name], other)], initializers: [], unneeded: [] };
  }
  const origin = graph.origin(name);
  const unneeded = deadNodes(graph, name);
  if (origin?.operator === 'ZipMap') {
    const target = rename(unneeded.includes(origin));
    const classes = columnLabels(graph, origin.outputs[0] ?? '')?.length ?? '';
    const output = renamed(value, target, tensorType(FLOAT, ['', classes]));
    return { output, nodes: [node('Identity', [origin.inputs[0] ?? ''], target)], initializers: [], unneeded };
  }
  if (messageOf(type, TYPE.sequence) === undefined) return kindOf(type);
  return stacked(graph, value, unneeded, rename);
}

/** The output as one tensor of the sequence's tensors, or why there is none. */
function stacked(graph: OnnxGraph, value: OnnxValue, unneeded: readonly OnnxNode[], rename: (free: boolean) => string): Port | string {
  const element = messageOf(messageOf(value.type, TYPE.sequence) ?? [], 1) ?? [];
  const tensor = messageOf(element, TYPE.tensor);
  if (tensor === undefined) return `a sequence of ${kindOf(element)}s`;
  const sequence = uniformSequence(graph, value);
  if (typeof sequence === 'string') return sequence;
  const target = rename(unneeded.length > 0);
  const axes = graph.fresh(`${target}/axes`);
  const asInput = graph.opset >= AXES_AS_INPUT;
  const parts = sequence.elements.map((_, index) => graph.fresh(`${target}/${index}`));
  const unsqueezed = sequence.elements.map((name, index) =>
    node('Unsqueeze', asInput ? [name, axes] : [name], parts[index] ?? '', asInput ? undefined : intsAttribute('axes', 1)),
  );
  const [rows = '', ...others] = sequence.dims;
  const named = graph.inputs.some((input) => dimsOf(input.type)?.includes(rows));
  const dims = [typeof rows === 'number' || named ? rows : '', sequence.elements.length, ...others];
  return {
    output: renamed(value, target, tensorType(integerOf(tensor, TENSOR_TYPE.elementType) ?? FLOAT, dims)),
    nodes: [...unsqueezed, node('Concat', parts, target, intAttribute('axis', 1))],
    initializers: asInput ? [oneInteger(axes, 1)] : [],
    unneeded,
  };
}

/** The nodes behind an output that feed nothing else, from the output on. */
function deadNodes(graph: OnnxGraph, output: string): OnnxNode[] {
  const dead: OnnxNode[] = [];
  const last = graph.origin(output);
  let name = output;
  for (let producer = graph.producer(name); producer !== undefined; producer = graph.producer(name)) {
    const others = graph.consumers(name).filter((consumer) => !dead.includes(consumer));
    const isOutput = name !== output && graph.outputs.some((each) => each.name === name);
    if (others.length > 0 || isOutput || producer.outputs.length > 1) break;
    dead.push(producer);
    if (producer === last) break;
    name = producer.inputs[0] ?? '';
  }
  return dead;
}

/** Labels of the columns of an output: one list, or a list for each tensor of a sequence. */
export function outputLabels(graph: OnnxGraph, value: OnnxValue): ClassLabels | undefined {
  if (messageOf(value.type, TYPE.sequence) === undefined || graph.origin(value.name)?.operator === 'ZipMap')
    return columnLabels(graph, value.name);
  const sequence = uniformSequence(graph, value);
  if (typeof sequence === 'string') return undefined;
  const lists = sequence.elements.map((name) => columnLabels(graph, name)).filter((list) => list !== undefined);
  const [first] = lists;
  if (first === undefined || lists.length < sequence.elements.length) return undefined;
  if (lists.every((list) => JSON.stringify(list) === JSON.stringify(first))) return first;
  return tooLong(lists) ? undefined : lists;
}

/** What a type is that is no tensor. */
function kindOf(type: readonly Field[]): string {
  if (messageOf(type, TYPE.map) !== undefined) return 'a map';
  if (messageOf(type, TYPE.sequence) !== undefined) return 'a sequence';
  if (messageOf(type, TYPE.optional) !== undefined) return 'an optional value';
  return messageOf(type, TYPE.sparse) === undefined ? 'no tensor' : 'a sparse tensor';
}
