import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import type { ClassLabels, Tensor, TensorSpec } from '../entry-script.ts';
import type { OmittedOutput } from '../ipc/worker-messages.ts';
import { readWithoutWeights } from './graph/onnx-file.ts';
import { withRealFiles } from './outputs/external-data.ts';
import { OnnxGraph } from './outputs/onnx-graph.ts';
import { outputLabels, rewriteModel, withGraph } from './outputs/rewrite-model.ts';
import { ortText } from './refusals.ts';
import { specsOf, tensorsOf } from './runtime-tensors.ts';
import type { Runtime } from './runtime.ts';

type Options = InferenceSession.SessionOptions;
type Create = (model: Buffer, options: Options) => Promise<InferenceSession>;

/** What is to know of a session beside ONNX Runtime's own metadata. */
interface OutputFacts {
  /** Name in the file by name in the session, where they differ. */
  readonly names: ReadonlyMap<string, string>;
  /** Labels of the last axis by name in the file. */
  readonly labels: ReadonlyMap<string, ClassLabels>;
  readonly omitted: readonly OmittedOutput[];
}

const NO_FACTS: OutputFacts = { names: new Map(), labels: new Map(), omitted: [] };

/** A session of ONNX Runtime with the names of the model's file. */
export class ServableSession {
  readonly inputs: readonly TensorSpec[];
  /** The outputs that can be carried. */
  readonly outputs: readonly TensorSpec[];
  readonly omitted: readonly OmittedOutput[];
  readonly #session: InferenceSession;
  /** Name in the session by name in the file, where they differ. */
  readonly #inSession: ReadonlyMap<string, string>;

  constructor(session: InferenceSession, { names, labels, omitted }: OutputFacts = NO_FACTS) {
    const inFile = (name: string): string => names.get(name) ?? name;
    this.#session = session;
    this.#inSession = new Map(Array.from(names, ([own, name]) => [name, own]));
    this.inputs = specsOf(session.inputMetadata);
    const carried = specsOf(session.outputMetadata).filter(({ name }) => !(name in Object.prototype));
    this.outputs = carried.map((spec) => labelled({ ...spec, name: inFile(spec.name) }, labels));
    const missing = session.outputMetadata
      .map(({ name }) => inFile(name))
      .filter((name) => !this.outputs.some((each) => each.name === name));
    this.omitted = missing.map((name) => omitted.find((each) => each.name === name) ?? { name, reason: 'no tensor' });
  }

  /**
   * Runs one inference.
   * @throws Error of ONNX Runtime, which has no code
   */
  async run(feeds: InferenceSession.OnnxValueMapType, outputs: readonly string[]): Promise<Record<string, Tensor>> {
    const wanted = this.#inSession.size === 0 ? outputs : outputs.map((name) => this.#inSession.get(name) ?? name);
    const results = await this.#session.run(feeds, wanted, { logSeverityLevel: 4 });
    return tensorsOf(results, wanted, outputs);
  }

  endProfiling(): void {
    this.#session.endProfiling();
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** Adds the labels of the last axis, where their number is its size. */
function labelled(spec: TensorSpec, labels: OutputFacts['labels']): TensorSpec {
  const classLabels = labels.get(spec.name);
  const [first] = classLabels ?? [];
  const count = Array.isArray(first) ? first.length : classLabels?.length;
  const columns = spec.dims.at(-1);
  return classLabels === undefined || (typeof columns === 'number' && columns !== count) ? spec : { ...spec, classLabels };
}

/**
 * Makes the outputs of a loaded model tensors where that is possible: see `rewriteModel`. The model
 * is then loaded once more, from memory.
 * @param session of the model as its file is; released if another takes its place
 * @returns the session that serves; the facts have the reason for each output that is left out
 */
export async function servable(
  runtime: Runtime,
  session: InferenceSession,
  file: string,
  options: Options,
): Promise<{ readonly session: InferenceSession; readonly facts: OutputFacts }> {
  const create: Create = (model, all) => runtime.InferenceSession.create(model, all);
  let graph: OnnxGraph;
  try {
    graph = new OnnxGraph(readWithoutWeights(file));
  } catch (thrown) {
    return { session, facts: unread(session, thrown) };
  }
  const labels = new Map<string, ClassLabels>();
  for (const output of graph.outputs) {
    const found = outputLabels(graph, output);
    if (found !== undefined) labels.set(output.name, found);
  }
  const { graph: rewritten, names, omitted } = rewriteModel(graph);
  if (rewritten === undefined) return { session, facts: { names, labels, omitted } };
  try {
    const whole = new OnnxGraph(await readFile(file));
    const replacement = await load(create, whole, rewriteModel(whole).graph ?? rewritten, file, options);
    await session.release();
    return { session: replacement, facts: { names, labels, omitted } };
  } catch (thrown) {
    const reason = `nothing that can be carried, and the model with a tensor in its place cannot be loaded: ${ortText(thrown)}`;
    return { session, facts: { ...NO_FACTS, labels, omitted: session.outputMetadata.map(({ name }) => ({ name, reason })) } };
  }
}

/** Loads a rewritten model. A model in memory has no folder, so that of its data is an option. */
function load(create: Create, model: OnnxGraph, rewritten: Buffer, file: string, options: Options): Promise<InferenceSession> {
  const { graph, folder } = withRealFiles(rewritten, path.resolve(file));
  const extra = { ...options.extra, 'session.model_external_initializers_file_folder_path': folder };
  return create(withGraph(model, graph), { ...options, extra });
}

/** The facts of a model whose file ONNX Runtime reads and this server does not. */
function unread(session: InferenceSession, thrown: unknown): OutputFacts {
  const reason = `no tensor, and the model's graph cannot be read: ${ortText(thrown)}`;
  return { ...NO_FACTS, omitted: session.outputMetadata.map(({ name }) => ({ name, reason })) };
}
