import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type * as onnxruntime from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import type { Model, Tensor, TensorInput, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { float16Bits } from '../float16.ts';
import { executionProviders } from './execution-providers.ts';
import { loadRefusal, ortText, refuseUnservable } from './refusals.ts';
import { specOf, toTensor } from './tensors.ts';
import { withoutZipMap } from './zip-map.ts';

type Runtime = typeof onnxruntime;

/** How a model was loaded: for the log and the metadata routes. */
interface AboutModel {
  readonly provider: 'cpu';
  readonly intraOpThreads: number;
  readonly ortVersion: string;
  readonly loadSeconds: number;
  /** Outputs of the file that are no tensors and are therefore left out. */
  readonly omittedOutputs: readonly string[];
}

/** A loaded model and what is known of it. */
export interface OpenedModel extends Model {
  readonly about: AboutModel;
}

/**
 * Loads an ONNX model from a file; data in files beside it is found. Blocks the thread while ONNX Runtime works.
 *
 * ZipMap is removed (zip-map.ts). Other outputs that are no tensors are left out.
 * ORT_DISABLE_TELEMETRY=1 must be in the environment: it is read when the library loads.
 * @param options.intraOpThreads threads of one inference, at least 1
 * @throws ServerError model_missing when there is no such file, model_refused when it cannot be loaded or served
 */
export async function openSession(file: string, options: { intraOpThreads: number }): Promise<OpenedModel> {
  const absolute = path.resolve(file);
  const found = await stat(absolute).catch(() => undefined);
  if (!found?.isFile())
    throw new ServerError('model_missing', `model ${absolute}: expected a file, ${found ? 'got a folder' : 'found nothing'}.`);
  const runtime = await loadRuntime();
  const started = performance.now();
  const session = await load(runtime, absolute, options.intraOpThreads);
  const about: AboutModel = {
    provider: 'cpu',
    intraOpThreads: options.intraOpThreads,
    ortVersion: runtime.env.versions.node ?? runtime.env.versions.common,
    loadSeconds: (performance.now() - started) / 1000,
    omittedOutputs: session.outputMetadata.filter(({ isTensor }) => !isTensor).map(({ name }) => name),
  };
  return new SessionModel(runtime, session, absolute, about);
}

/** The library, ready for float16. Imported late, so that scripts without a model do not pay for it. */
async function loadRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-node');
  // The first tensor of a process decides the class of float16 data. Where Float16Array exists it would be chosen, and
  // the binding of 1.30 cannot read it: hide it for a moment, and bits in a Uint16Array are taken. Harmless when repeated.
  const Float16 = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    void new runtime.Tensor('float32', [0], [1]);
  } finally {
    if (Float16 !== undefined) Object.defineProperty(globalThis, 'Float16Array', Float16);
  }
  return runtime;
}

async function load(runtime: Runtime, file: string, intraOpThreads: number): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: executionProviders('cpu'),
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  };
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(file, options);
  } catch (error) {
    throw loadRefusal(file, error);
  }
  try {
    if (!session.outputMetadata.every(({ isTensor }) => isTensor)) session = await replaceZipMap(runtime, session, file, options);
    refuseUnservable(file, session);
  } catch (error) {
    await session.release();
    throw error;
  }
  return session;
}

/** A session without ZipMap; the one given where there is none, or where it cannot be removed. */
async function replaceZipMap(
  runtime: Runtime,
  session: InferenceSession,
  file: string,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const bytes = await readFile(file)
    .then(withoutZipMap)
    .catch(() => undefined);
  if (bytes === undefined) return session;
  // A model in memory has no folder, so that of its external data must be said
  const extra = { 'session.model_external_initializers_file_folder_path': path.dirname(file) };
  const replacement = await runtime.InferenceSession.create(bytes, { ...options, extra }).catch(() => undefined);
  if (replacement === undefined) return session;
  await session.release();
  return replacement;
}

class SessionModel implements OpenedModel {
  readonly name: string;
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly about: AboutModel;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #outputNames: readonly string[];
  #released = false;

  constructor(runtime: Runtime, session: InferenceSession, file: string, about: AboutModel) {
    this.name = path.basename(file, '.onnx');
    this.path = file;
    this.inputs = session.inputMetadata.filter((input) => input.isTensor).map(specOf);
    this.outputs = session.outputMetadata.filter((output) => output.isTensor).map(specOf);
    this.about = about;
    this.#runtime = runtime;
    this.#session = session;
    this.#outputNames = this.outputs.map(({ name }) => name);
  }

  async run(inputs: Readonly<Record<string, TensorInput>>, outputs?: readonly string[]): Promise<Record<string, Tensor>> {
    if (this.#released) throw new ServerError('run_failed', `model ${this.name}: run() was called after release().`);
    const feeds = this.#feeds(inputs);
    const fetches = this.#fetches(outputs);
    try {
      return tensorsOf(await this.#session.run(feeds, fetches, { logSeverityLevel: 4 }), fetches);
    } catch (error) {
      throw new ServerError('run_failed', `model ${this.name} failed: ${ortText(error)}`, { cause: error });
    }
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#session.release();
  }

  #feeds(inputs: Readonly<Record<string, TensorInput>>): InferenceSession.FeedsType {
    const unknown = Object.keys(inputs).find((name) => !this.inputs.some((input) => input.name === name));
    if (unknown !== undefined) throw this.#wrongName('input', unknown, this.inputs);
    const feeds = Object.create(null) as Record<string, InferenceSession.OnnxValueMapType[string]>;
    for (const spec of this.inputs) {
      if (!Object.hasOwn(inputs, spec.name))
        throw new ServerError('invalid_input', `model ${this.name}: input ${spec.name} is missing; the inputs are ${names(this.inputs)}.`);
      const { type, data, dims } = toTensor(spec, inputs[spec.name]);
      feeds[spec.name] = new this.#runtime.Tensor(type, data, dims);
    }
    return feeds;
  }

  #fetches(outputs: readonly string[] | undefined): readonly string[] {
    if (outputs === undefined || outputs.length === 0) return this.#outputNames;
    const unknown = outputs.find((name) => !this.#outputNames.includes(name));
    if (unknown !== undefined) throw this.#wrongName('output', unknown, this.outputs);
    return outputs;
  }

  #wrongName(port: 'input' | 'output', name: string, known: readonly TensorSpec[]): ServerError {
    const note = this.about.omittedOutputs.includes(name) ? ' (it is no tensor)' : '';
    return new ServerError('invalid_input', `model ${this.name} has no ${port} ${name}${note}; the ${port}s are ${names(known)}.`);
  }
}

const names = (specs: readonly TensorSpec[]): string => (specs.length === 0 ? 'none' : specs.map(({ name }) => name).join(', '));

/** ONNX Runtime's results in the author's form and the wanted order. Names are the model's: no prototype that they could meet. */
function tensorsOf(results: InferenceSession.OnnxValueMapType, wanted: readonly string[]): Record<string, Tensor> {
  const tensors = Object.create(null) as Record<string, Tensor>;
  for (const name of wanted) {
    const { type, dims, data } = results[name] as onnxruntime.Tensor;
    tensors[name] = { type, dims, data: data instanceof Float16Array ? float16Bits(data) : data } as Tensor;
  }
  return tensors;
}
