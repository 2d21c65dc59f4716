import path from 'node:path';
import type * as onnxruntime from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import type { Model, Tensor, TensorInput, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { Provider } from '../config/execution-provider.ts';
import { float16Bits } from '../tensors/float16.ts';
import type { Release } from '../ipc/metric-series.ts';
import { proveRowsIndependent, shapeObstacle, type BatchVerdict } from './batch-proof.ts';
import { Batcher, type Infer, type Told, type Tensors } from './batcher.ts';
import type { Placement } from './placement.ts';
import { probeInputs } from './probe-inputs.ts';
import { ortText } from './refusals.ts';
import { checkProvider } from './provider-check.ts';
import type { Runtime } from './runtime.ts';
import { specOf, toTensor } from './tensors.ts';

/** How a model was loaded: for the log and the metadata routes. */
export interface Loaded {
  /** What really runs it. */
  readonly provider: Provider;
  /** Where its nodes ran at load; undefined on the CPU, and where the model could not be run with inputs made up for it. */
  readonly placement: Placement | undefined;
  readonly intraOpThreads: number;
  readonly ortVersion: string;
  readonly loadSeconds: number;
  /** Outputs of the file that are no tensors and are therefore left out. */
  readonly omittedOutputs: readonly string[];
}

export interface BatchPolicy {
  /** `auto`: merge only where the proof holds; a number of rows: merge, because it was asked for; 1: never. */
  readonly maxBatchSize: number | 'auto';
  readonly maxDelayMs: number;
}

/** Hears of every inference. */
export interface InferenceObserver {
  inferred(model: string, ms: number, rows: number, release: Release): void;
  /** Who wants to know of the inference that will serve the call being made. */
  readonly listener?: (() => ((model: string, at: number, ms: number, rows: number) => void) | undefined) | undefined;
}

/** A loaded model and what is known of it. */
export interface OpenedModel extends Model {
  readonly about: Loaded & { readonly batching: BatchVerdict };
  /** Starts or ends remembering what the model is fed, as samples for the proof. */
  remember(on: boolean): void;
  /** From now on. */
  observe(observer: InferenceObserver): void;
  /** Runs the model once on probe inputs, so that the first request does not pay for what ONNX Runtime puts off. Failures do not matter. */
  warmUp(): Promise<void>;
  /** Decides whether concurrent calls are merged. */
  settleBatching(policy: BatchPolicy): Promise<void>;
}

/** Rows of a merged inference where nobody asked for a number: gains flatten out well below it (batching.md, section 2). */
const AUTO_ROWS = 128;
const MOST_SAMPLES = 4;

export class SessionModel implements OpenedModel {
  readonly name: string;
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #loaded: Loaded;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #inputNames: ReadonlySet<string>;
  readonly #outputNames: readonly string[];
  readonly #lost: ((problem: string) => void) | undefined;
  #batching: BatchVerdict = { merges: false, reason: 'not decided yet' };
  #batcher: Batcher | undefined;
  #samples: Tensors[] = [];
  #remembers = false;
  #released = false;
  #observer: InferenceObserver | undefined;

  /** @param lost called when the provider can run nothing more in this process: an error of a GPU is for ever */
  constructor(runtime: Runtime, session: InferenceSession, file: string, loaded: Loaded, lost?: (problem: string) => void) {
    this.#lost = lost;
    this.name = path.basename(file, '.onnx');
    this.path = file;
    this.inputs = session.inputMetadata.filter((input) => input.isTensor).map(specOf);
    this.outputs = session.outputMetadata.filter((output) => output.isTensor).map(specOf);
    this.#loaded = loaded;
    this.#runtime = runtime;
    this.#session = session;
    this.#inputNames = new Set(this.inputs.map(({ name }) => name));
    this.#outputNames = this.outputs.map(({ name }) => name);
  }

  get about(): OpenedModel['about'] {
    return { ...this.#loaded, batching: this.#batching };
  }

  async run(inputs: Readonly<Record<string, TensorInput>>, outputs?: readonly string[]): Promise<Record<string, Tensor>> {
    const feeds = this.#feeds(inputs);
    const fetches = this.#fetches(outputs);
    if (this.#remembers && this.#samples.length < MOST_SAMPLES) this.#samples.push(feeds);
    const listener = this.#observer?.listener?.();
    const told: Told | undefined = listener && ((at, ms, rows) => listener(this.name, at, ms, rows));
    return this.#batcher === undefined ? this.#infer(feeds, fetches, 'alone', told && [told]) : this.#batcher.run(feeds, fetches, told);
  }

  observe(observer: InferenceObserver): void {
    this.#observer = observer;
  }

  remember(on: boolean): void {
    this.#remembers = on;
  }

  async warmUp(): Promise<void> {
    const feeds = probeInputs(this.inputs, 1, 1);
    if (feeds !== undefined) await this.#infer(feeds, this.#outputNames, 'alone').catch(() => undefined);
  }

  async settleBatching({ maxBatchSize, maxDelayMs }: BatchPolicy): Promise<void> {
    this.#batching = await this.#decide(maxBatchSize);
    this.#samples = [];
    if (!this.#batching.merges) return;
    const maxRows = maxBatchSize === 'auto' ? AUTO_ROWS : maxBatchSize;
    this.#batcher = new Batcher((...inference) => this.#infer(...inference), { maxRows, maxDelayMs });
  }

  async #decide(maxBatchSize: number | 'auto'): Promise<BatchVerdict> {
    if (maxBatchSize === 1) return { merges: false, reason: 'switched off (MAX_BATCH_SIZE)' };
    if (maxBatchSize === 'auto') {
      const { inputs, outputs } = this;
      const infer = (feeds: Tensors, fetches: readonly string[]): ReturnType<Infer> => this.#infer(feeds, fetches, 'alone');
      return proveRowsIndependent({ provider: this.#loaded.provider, inputs, outputs, infer }, this.#samples);
    }
    const obstacle = shapeObstacle(this);
    return obstacle === undefined
      ? { merges: true, reason: `asked for (MAX_BATCH_SIZE=${maxBatchSize})` }
      : { merges: false, reason: obstacle };
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#session.release();
  }

  /** One inference. @throws ServerError run_failed with ONNX Runtime's words */
  async #infer(
    tensors: Tensors,
    fetches: readonly string[],
    release: Release,
    told: readonly (Told | undefined)[] = [],
  ): Promise<Record<string, Tensor>> {
    if (this.#released) throw new ServerError('run_failed', `model ${this.name}: run() was called after release().`);
    const feeds = Object.create(null) as Record<string, InferenceSession.OnnxValueMapType[string]>;
    let rows: number | undefined;
    for (const name in tensors) {
      const tensor = tensors[name];
      if (tensor === undefined) continue;
      feeds[name] = new this.#runtime.Tensor(tensor.type, tensor.data, tensor.dims);
      rows ??= tensor.dims[0];
    }
    const began = performance.now();
    try {
      const results = await this.#session.run(feeds, fetches, { logSeverityLevel: 4 });
      const ms = performance.now() - began;
      this.#observer?.inferred(this.name, ms, rows ?? 1, release);
      for (const tell of told) tell?.(began, ms, rows ?? 1);
      return tensorsOf(results, fetches);
    } catch (error) {
      await this.#checkProvider();
      throw new ServerError('run_failed', `model ${this.name} failed: ${ortText(error)}`, { cause: error });
    }
  }

  /** After a failure: is it the model's, or can its provider run nothing any more? */
  async #checkProvider(): Promise<void> {
    const { provider } = this.#loaded;
    if (provider === 'cpu' || this.#lost === undefined) return;
    const problem = await checkProvider(provider);
    if (problem !== undefined) this.#lost(`the execution provider ${provider} runs nothing any more in this process: ${problem}`);
  }

  #feeds(inputs: Readonly<Record<string, TensorInput>>): Tensors {
    const unknown = Object.keys(inputs).find((name) => !this.#inputNames.has(name));
    if (unknown !== undefined) throw this.#wrongName('input', unknown, this.inputs);
    // An object without a prototype is several times slower.
    const feeds = (this.#inputNames.has('__proto__') ? Object.create(null) : {}) as Record<string, Tensor>;
    for (const spec of this.inputs) {
      if (!Object.hasOwn(inputs, spec.name))
        throw new ServerError('invalid_input', `model ${this.name}: input ${spec.name} is missing; the inputs are ${names(this.inputs)}.`);
      feeds[spec.name] = toTensor(spec, inputs[spec.name]);
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
    const note = this.#loaded.omittedOutputs.includes(name) ? ' (it is no tensor)' : '';
    return new ServerError('invalid_input', `model ${this.name} has no ${port} ${excerpt(name)}${note}; the ${port}s are ${names(known)}.`);
  }
}

const names = (specs: readonly TensorSpec[]): string => (specs.length === 0 ? 'none' : specs.map(({ name }) => name).join(', '));

/** ONNX Runtime's results in the author's form and the wanted order. A model whose output is named __proto__ is refused at load. */
function tensorsOf(results: InferenceSession.OnnxValueMapType, wanted: readonly string[]): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const name of wanted) {
    const { type, dims, data } = results[name] as onnxruntime.Tensor;
    tensors[name] = { type, dims, data: data instanceof Float16Array ? float16Bits(data) : data } as Tensor;
  }
  return tensors;
}
