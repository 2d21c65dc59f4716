import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { InferenceSession } from 'onnxruntime-node';
import type { Model, Tensor, TensorInput, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { Provider } from '../config/execution-provider.ts';
import type { Release } from '../ipc/metric-series.ts';
import type { OmittedOutput } from '../ipc/worker-messages.ts';
import { toTensor } from '../tensors/to-tensor.ts';
import { decideMerging, type BatchVerdict } from './batch-proof.ts';
import { tryRows, type Trial } from './batch-trial.ts';
import { Batcher, type Infer, type InferenceListener, type Tensors } from './batcher.ts';
import { providers } from './execution-providers.ts';
import { followModel } from './graph/follow-model.ts';
import type { GraphVerdict } from './graph/verdict.ts';
import type { Placement } from './placement.ts';
import { madeUpRow, MILD } from './probe-inputs.ts';
import { checkProvider } from './provider-check.ts';
import { runRefusal } from './run-refusal.ts';
import type { Runtime } from './runtime.ts';
import { QUICK_MS } from './row-limit.ts';
import type { ServableSession } from './servable-session.ts';
import { SharedSizes } from './shared-sizes.ts';

/** Facts of a loaded model, for the log and the metadata routes. */
export interface Loaded {
  /** The provider that really runs it. */
  readonly provider: Provider;
  /** Placement of its nodes at load; undefined on the CPU, and if it failed on probe inputs. */
  readonly placement: Placement | undefined;
  readonly intraOpThreads: number;
  readonly ortVersion: string;
  readonly loadSeconds: number;
  /** Outputs of the file that are left out, and why. */
  readonly omittedOutputs: readonly OmittedOutput[];
}

export interface BatchPolicy {
  /** `auto`, or a number of rows, as `decideMerging` reads it. 1: never merge. */
  readonly maxBatchSize: number | 'auto';
  readonly maxDelayMs: number;
  /** Why no rows may be tried, for the verdict; absent: they may. */
  readonly untried?: string | undefined;
  /** Follows the rows through the graph; tests bring their own. */
  readonly follow?: (file: string) => Promise<GraphVerdict>;
}

/** Receives every inference. */
export interface InferenceObserver {
  inferred(model: string, ms: number, rows: number, release: Release): void;
  /** Returns the listener of the current call, which gets the inference that serves it. */
  readonly listener?: (() => ((model: string, at: number, ms: number, rows: number) => void) | undefined) | undefined;
}

/** A loaded model and its facts. */
export interface OpenedModel extends Model {
  /** What a script gets: the members of `Model`, and each works by itself. */
  readonly forScript: Model;
  readonly about: Loaded & { readonly batching: BatchVerdict };
  /** The check of sizes that inputs share. */
  readonly sharedSizes: SharedSizes;
  /** Starts or stops keeping inputs as samples for the trial. */
  remember(on: boolean): void;
  /** Reports later inferences to an observer. */
  observe(observer: InferenceObserver): void;
  /**
   * Runs the model once on a made-up row, so that the first request is fast. Ignores failures.
   * @returns the inputs, where the model took them
   */
  warmUp(): Promise<Tensors | undefined>;
  /** Decides about merging concurrent calls. */
  settleBatching(policy: BatchPolicy): Promise<void>;
}

/**
 * Most rows of a merged inference with `auto`: the gain flattens well below (docs/performance.md).
 */
const AUTO_ROWS = 128;
const MOST_SAMPLES = 4;
/**
 * Longest trial of rows, in milliseconds. Why longer on devices: the first inference with each
 * number of rows takes long there. Why seconds on the CPU: a busy machine must not change verdicts.
 */
const TRIAL_MS = { cpu: 3000, device: 30_000 };

export class SessionModel implements OpenedModel {
  readonly forScript: Model;
  readonly name: string;
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly sharedSizes: SharedSizes;
  readonly #loaded: Loaded;
  readonly #runtime: Runtime;
  readonly #session: ServableSession;
  readonly #inputNames: ReadonlySet<string>;
  readonly #outputNames: readonly string[];
  readonly #lost: ((problem: string) => void) | undefined;
  #batching: BatchVerdict = { merges: false, reason: 'not decided yet' };
  #batcher: Batcher | undefined;
  #samples: Tensors[] = [];
  #remembers = false;
  #released = false;
  #observer: InferenceObserver | undefined;

  /**
   * @param lost called when the provider fails for good in this process. Why: CUDA errors are
   * sticky, so that only a new process helps.
   */
  constructor(runtime: Runtime, session: ServableSession, file: string, loaded: Loaded, lost?: (problem: string) => void) {
    this.#lost = lost;
    this.name = path.basename(file, '.onnx');
    this.path = file;
    this.inputs = session.inputs;
    this.outputs = session.outputs;
    this.sharedSizes = new SharedSizes(this.inputs);
    this.#loaded = loaded;
    this.#runtime = runtime;
    this.#session = session;
    this.#inputNames = new Set(this.inputs.map(({ name }) => name));
    this.#outputNames = this.outputs.map(({ name }) => name);
    const { name, inputs, outputs } = this;
    this.forScript = {
      name,
      path: file,
      inputs,
      outputs,
      run: (feeds, fetches) => this.run(feeds, fetches),
      release: () => this.release(),
    };
  }

  get about(): OpenedModel['about'] {
    return { ...this.#loaded, batching: this.#batching };
  }

  async run(inputs: Readonly<Record<string, TensorInput>>, outputs?: readonly string[]): Promise<Record<string, Tensor>> {
    const feeds = this.#feeds(inputs);
    const fetches = this.#fetches(outputs);
    if (this.#remembers) this.#keep(feeds);
    const ofCall = this.#observer?.listener?.();
    const listener: InferenceListener | undefined = ofCall && ((at, ms, rows) => ofCall(this.name, at, ms, rows));
    // The proof of merging holds for sizes that are what their names say.
    const fits = this.sharedSizes.enabled || this.sharedSizes.agree(feeds);
    if (this.#batcher !== undefined && fits) return this.#batcher.run(feeds, fetches, listener);
    return this.#infer(feeds, fetches, 'alone', listener && [listener]);
  }

  /** Keeps a sample; the runs of one sample bring the same inputs several times. */
  #keep(feeds: Tensors): void {
    if (this.#samples.length >= MOST_SAMPLES || this.#samples.some((sample) => isDeepStrictEqual(sample, feeds))) return;
    this.#samples.push(feeds);
  }

  observe(observer: InferenceObserver): void {
    this.#observer = observer;
  }

  remember(on: boolean): void {
    this.#remembers = on;
  }

  async warmUp(): Promise<Tensors | undefined> {
    const row = madeUpRow(this.inputs, MILD, 1);
    if (row === undefined) return undefined;
    return this.#infer(row, this.#outputNames, 'alone').then(
      () => row,
      () => undefined,
    );
  }

  async settleBatching(policy: BatchPolicy): Promise<void> {
    const { maxBatchSize, maxDelayMs, follow = followModel } = policy;
    const evidence = { inputs: this.inputs, graph: async () => follow(this.path, this.#outputNames), trial: () => this.#try(policy) };
    this.#batching = await decideMerging(evidence, maxBatchSize);
    this.#samples = [];
    if (!this.#batching.merges) return;
    const limits =
      maxBatchSize === 'auto'
        ? { maxRows: AUTO_ROWS, maxDelayMs, maxMs: this.#onDevice ? Number.POSITIVE_INFINITY : QUICK_MS }
        : { maxRows: maxBatchSize, maxDelayMs };
    this.#batcher = new Batcher((...inference) => this.#infer(...inference), limits);
  }

  async #try({ untried }: BatchPolicy): Promise<Trial> {
    if (untried !== undefined) return { result: 'inconclusive', reason: untried };
    const { inputs, outputs } = this;
    const infer = (feeds: Tensors, fetches: readonly string[]): ReturnType<Infer> => this.#infer(feeds, fetches, 'alone');
    return tryRows({ inputs, outputs, infer, limitMs: TRIAL_MS[this.#onDevice ? 'device' : 'cpu'] }, this.#samples);
  }

  get #onDevice(): boolean {
    return providers[this.#loaded.provider].isDevice;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#session.release();
  }

  /** Runs one inference. @throws ServerError of `runRefusal` */
  async #infer(
    tensors: Tensors,
    fetches: readonly string[],
    release: Release,
    listeners: readonly (InferenceListener | undefined)[] = [],
  ): Promise<Record<string, Tensor>> {
    if (this.#released) throw new ServerError('run_failed', `model ${this.name}: run() was called after release().`);
    const feeds: Record<string, InferenceSession.OnnxValueMapType[string]> = Object.create(null);
    let rows: number | undefined;
    for (const name in tensors) {
      const tensor = tensors[name];
      if (tensor === undefined) continue;
      feeds[name] = new this.#runtime.Tensor(tensor.type, tensor.data, tensor.dims);
      rows ??= tensor.dims[0];
    }
    let began = performance.now();
    // ONNX Runtime's binding runs the inference in the next turn of the loop, after this.
    setImmediate(() => (began = performance.now()));
    try {
      const results = await this.#session.run(feeds, fetches);
      const ms = performance.now() - began;
      this.#observer?.inferred(this.name, ms, rows ?? 1, release);
      for (const listener of listeners) listener?.(began, ms, rows ?? 1);
      return results;
    } catch (error) {
      await this.#checkProvider();
      throw runRefusal(this.name, error);
    }
  }

  /** Checks after a failure of the model whether its provider still works. */
  async #checkProvider(): Promise<void> {
    const { provider } = this.#loaded;
    if (!this.#onDevice || this.#lost === undefined) return;
    const problem = await checkProvider(provider);
    if (problem !== undefined) this.#lost(`the execution provider ${provider} no longer works in this process: ${problem}`);
  }

  #feeds(inputs: Readonly<Record<string, TensorInput>>): Tensors {
    const unknown = Object.keys(inputs).find((name) => !this.#inputNames.has(name));
    if (unknown !== undefined) throw this.#wrongName('input', unknown, this.inputs);
    // An object without a prototype is several times slower.
    const feeds: Record<string, Tensor> = this.#inputNames.has('__proto__') ? Object.create(null) : {};
    for (const spec of this.inputs) {
      if (!Object.hasOwn(inputs, spec.name))
        throw new ServerError('invalid_input', `model ${this.name}: input ${spec.name} is missing; the inputs are ${names(this.inputs)}.`);
      feeds[spec.name] = toTensor(spec, inputs[spec.name]);
    }
    this.sharedSizes.check(feeds);
    return feeds;
  }

  #fetches(outputs: readonly string[] | undefined): readonly string[] {
    if (outputs === undefined || outputs.length === 0) return this.#outputNames;
    const unknown = outputs.find((name) => !this.#outputNames.includes(name));
    if (unknown !== undefined) throw this.#wrongName('output', unknown, this.outputs);
    return outputs;
  }

  #wrongName(port: 'input' | 'output', name: string, known: readonly TensorSpec[]): ServerError {
    const omitted = port === 'output' ? this.#loaded.omittedOutputs.find((each) => each.name === name) : undefined;
    const note = omitted === undefined ? '' : ` (it is ${omitted.reason})`;
    return new ServerError('invalid_input', `model ${this.name} has no ${port} ${excerpt(name)}${note}; the ${port}s are ${names(known)}.`);
  }
}

const names = (specs: readonly TensorSpec[]): string => (specs.length === 0 ? 'none' : specs.map(({ name }) => name).join(', '));
