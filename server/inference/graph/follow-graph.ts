import { Call } from '../rows/call.ts';
import { ruleOf } from '../rows/operators.ts';
import { CONSTANT, countsRows, mixed, Refusal, unknown, type Tracked, type Value } from '../rows/value.ts';
import { followControl, isControl } from './control-flow.ts';
import { NodeAttributes } from './node-attributes.ts';
import { functionKey, type OnnxFunction, type OnnxNode } from './onnx-graph.ts';
import { Scope, type Surroundings } from './scope.ts';

/** Deepest nesting of subgraphs and functions that is followed. */
const DEEPEST = 32;

/**
 * Follows rows through nodes and sets the values of their outputs. A node waits for its inputs,
 * because ONNX Runtime takes nodes in any order. Not so in a function, where a name that comes
 * later is one of the graph around. A refused value refuses only what depends on it.
 */
export function followNodes(nodes: Iterable<OnnxNode>, scope: Scope, around: Surroundings): void {
  const late: OnnxNode[] = [];
  for (const node of nodes) {
    if (follow(node, scope, around)) continue;
    if (around.caller === undefined) late.push(node);
    else refuse(node, scope, around);
  }
  if (late.length > 0) followLate(late, scope, around);
}

/** Follows nodes that stand before a node which they need. */
function followLate(nodes: readonly OnnxNode[], scope: Scope, around: Surroundings): void {
  const produced = new Set(nodes.flatMap(({ outputs }) => outputs));
  const waiting = new Map<string, OnnxNode[]>();
  const ready = nodes.toReversed();
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    const missing = node.inputs.find((name) => name !== '' && produced.has(name));
    if (missing !== undefined) {
      waiting.set(missing, [...(waiting.get(missing) ?? []), node]);
      continue;
    }
    if (!follow(node, scope, around)) refuse(node, scope, around);
    for (const name of node.outputs) {
      produced.delete(name);
      ready.push(...(waiting.get(name) ?? []).toReversed());
      waiting.delete(name);
    }
  }
}

function refuse(node: OnnxNode, scope: Scope, around: Surroundings): void {
  for (const name of node.outputs) scope.set(name, unknown('an input of it is not known', nodeText(node, around)));
}

/** Sets the values of a node's outputs. False if an input is not there yet. */
function follow(node: OnnxNode, scope: Scope, around: Surroundings): boolean {
  const inputs = inputsOf(node, scope);
  if (inputs === undefined) return false;
  const values = inputs instanceof Refusal ? node.outputs.map(() => inputs) : followNode(node, inputs, scope, around);
  for (const [index, name] of node.outputs.entries())
    if (name !== '') scope.set(name, named(values[index] ?? unknown('its rule does not know this output'), node, around));
  return true;
}

type Inputs = readonly (Tracked | undefined)[];

/** The inputs of a node, the first refused one, or undefined if one is not there yet. */
function inputsOf(node: OnnxNode, scope: Scope): Inputs | Refusal | undefined {
  const inputs: (Tracked | undefined)[] = [];
  let refused: Refusal | undefined;
  for (const name of node.inputs) {
    const value = name === '' ? undefined : scope.get(name);
    if (value === undefined && name !== '') return undefined;
    if (value instanceof Refusal) refused ??= value;
    else inputs.push(value);
  }
  return refused ?? inputs;
}

/** A refusal of this node gets its name; one of a node before keeps it. */
function named(value: Value, node: OnnxNode, around: Surroundings): Value {
  if (!(value instanceof Refusal) || value.node !== undefined) return value;
  return new Refusal(value.rows, value.message, nodeText(node, around));
}

/** Operator and name of a node, as people read them. */
function nodeText({ operator, domain, name }: OnnxNode, { model }: Surroundings): string {
  const label = name === undefined ? '' : model.bytes.toString('utf8', name.from, name.to);
  return `${domain === '' ? '' : `${domain}.`}${operator}${label === '' ? '' : ` "${label}"`}`;
}

function followNode(node: OnnxNode, inputs: Inputs, scope: Scope, around: Surroundings): readonly Value[] {
  try {
    return resultOf(node, inputs, scope, around);
  } catch (thrown) {
    const value = thrown instanceof Refusal ? withoutRows(node, inputs, thrown, around) : unknown(`it is damaged (${String(thrown)})`);
    return node.outputs.map(() => value);
  }
}

function resultOf(node: OnnxNode, inputs: Inputs, scope: Scope, around: Surroundings): readonly Value[] {
  if (around.depth > DEEPEST || --around.budget.nodes < 0) throw unknown('the graph is too deep or too large');
  const attributes = new NodeAttributes(around.model.bytes, node.attributes, around.caller);
  if (node.domain === '' && isControl(node.operator))
    return followControl(node, versionOf(node, around), inputs, attributes, scope, around);
  const local = around.model.functions.get(functionKey(node));
  if (local !== undefined && BUILT_IN.test(node.domain)) throw unknown('ONNX Runtime may take its own operator of this name');
  if (local !== undefined) return followFunction(local, node, inputs, around);
  const rule = ruleOf(node.domain, node.operator);
  if (rule === undefined) throw unknown('it has no rule');
  const call = new Call(node.operator, versionOf(node, around), inputs, node.outputs.length, attributes);
  const values = rule(call);
  call.refuseUnread();
  return isList(values) ? values : node.outputs.map(() => values);
}

/** Domains with operators of ONNX Runtime itself. */
const BUILT_IN = /^(?:|ai\.onnx(?:\..*)?|com\.microsoft(?:\..*)?|com\.ms\..*|org\.pytorch\.aten)$/;

/** Exporters may leave out the version of a further domain, never that of the default one. */
function versionOf({ domain }: OnnxNode, { opsets }: Surroundings): number {
  const version = opsets.get(domain);
  if (version === undefined && domain === '') throw unknown('its model has no version of the default domain');
  return version ?? 1;
}

const isList = (values: Value | readonly Value[]): values is readonly Value[] => Array.isArray(values);

/** Domains whose operators give the same answer for the same inputs, but for random ones. */
const DETERMINISTIC = new Set(['', 'ai.onnx.ml', 'com.microsoft']);

/**
 * The result of a node whose rule refuses: a constant if it sees nothing of the batch. Operators
 * that draw numbers have a rule, which says mixed.
 */
function withoutRows({ domain, attributes }: OnnxNode, inputs: Inputs, refusal: Refusal, { model, caller }: Surroundings): Value {
  if (inputs.some((input) => input?.row !== undefined)) return refusal;
  if (inputs.some((input) => input !== undefined && countsRows(input))) return mixed('it depends on how many rows are merged');
  if (refusal.rows === 'mixed' || !DETERMINISTIC.has(domain)) return refusal;
  if (new NodeAttributes(model.bytes, attributes, caller).holdsGraphs) return refusal;
  return inputs.some((input) => input?.sequence === true) ? refusal : CONSTANT;
}

function followFunction(local: OnnxFunction, node: OnnxNode, inputs: Inputs, around: Surroundings): Value[] {
  const scope = new Scope();
  for (const [index, name] of local.inputs.entries()) {
    const value = inputs[index];
    if (value !== undefined) scope.set(name, value);
  }
  const defaults = new NodeAttributes(around.model.bytes, local.defaults, undefined);
  const caller = new NodeAttributes(around.model.bytes, node.attributes, around.caller, defaults);
  const absent = new Set(local.inputs.filter((_, index) => inputs[index] === undefined));
  const nodes = absent.size === 0 ? local.nodes : Array.from(local.nodes, (each) => without(each, absent));
  followNodes(nodes, scope, { ...around, opsets: opsetsIn(local, around), caller, depth: around.depth + 1 });
  return local.outputs.map((name) => scope.get(name) ?? unknown('an output of the function is not known'));
}

/**
 * ONNX Runtime runs the nodes of a function by the versions of the model.
 * @throws Refusal if the function wants another version, which may mean something else
 */
function opsetsIn({ opsets }: OnnxFunction, around: Surroundings): ReadonlyMap<string, number> {
  for (const [domain, version] of opsets)
    if (BUILT_IN.test(domain) && (around.opsets.get(domain) ?? version) !== version)
      throw unknown('its function wants another operator set than its model');
  return new Map([...opsets, ...around.opsets]);
}

/** The node with absent inputs where the function has none. */
const without = (node: OnnxNode, absent: ReadonlySet<string>): OnnxNode => ({
  ...node,
  inputs: node.inputs.map((name) => (absent.has(name) ? '' : name)),
});
