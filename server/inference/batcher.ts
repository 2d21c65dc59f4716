import type { Tensor } from '../entry-script.ts';
import type { Release } from '../ipc/metric-series.ts';
import { type Dtype, dtypes } from '../tensors/dtypes.ts';
import { RowLimit } from './row-limit.ts';

/** Inputs or outputs of a model, by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Called with the inference that served a call. @param at milliseconds on this process's clock */
export type InferenceListener = (at: number, ms: number, rows: number) => void;

/**
 * One inference: ONNX Runtime, or a stand-in in tests.
 * @param listeners called with the inference; undefined where a call has none
 */
export type Infer = (
  feeds: Tensors,
  outputs: readonly string[],
  release: Release,
  listeners?: readonly (InferenceListener | undefined)[],
) => Promise<Record<string, Tensor>>;

export interface BatchLimits {
  /** Most rows of a merged inference. A call with as many rows runs alone. */
  readonly maxRows: number;
  /** Longest wait of a call for others. With 0 only waiting calls are merged, and no timer runs. */
  readonly maxDelayMs: number;
  /**
   * Beyond this time, merged inferences grow only while that pays (row-limit.ts). Absent: no limit.
   */
  readonly maxMs?: number;
}

interface Call {
  readonly feeds: Tensors;
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly since: number;
  readonly listener: InferenceListener | undefined;
  readonly resolve: (outputs: Record<string, Tensor>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Stop 6: merges concurrent calls of one model along axis 0. While an inference blocks the thread,
 * requests pile up in the worker's pipe. When it returns they are read together, and their calls
 * become one inference. An idle model adds no wait.
 *
 * Only calls that differ in nothing but their rows are merged. After a failed merged inference its
 * calls run again one by one, so that one bad row fails alone.
 */
export class Batcher {
  readonly #infer: Infer;
  readonly #limits: BatchLimits;
  readonly #limit: RowLimit;
  /** Calls by their common key, in order of arrival. */
  readonly #waiting = new Map<string, Call[]>();
  readonly #measure: InferenceListener = (_at, ms, rows) => this.#limit.took(rows, ms);
  #running = false;

  constructor(infer: Infer, limits: BatchLimits) {
    this.#infer = infer;
    this.#limits = limits;
    this.#limit = new RowLimit(limits.maxRows, limits.maxMs ?? Number.POSITIVE_INFINITY);
  }

  /** @throws the error of the inference */
  run(feeds: Tensors, outputs: readonly string[], listener?: InferenceListener): Promise<Record<string, Tensor>> {
    const rows = rowsOf(feeds);
    if (rows === undefined || rows >= this.#limits.maxRows) return this.#infer(feeds, outputs, 'alone', listener && [listener]);
    return new Promise((resolve, reject) => {
      const call: Call = { feeds, outputs, rows, since: performance.now(), listener, resolve, reject };
      const key = keyOf(feeds, outputs);
      const alike = this.#waiting.get(key);
      if (alike === undefined) this.#waiting.set(key, [call]);
      else alike.push(call);
      if (this.#running) return;
      this.#running = true;
      // The worker reads all input of this turn of the loop first.
      setImmediate(() => void this.#work());
    });
  }

  /** Runs one batch after the other. Calls that arrive meanwhile join the next. Never rejects. */
  async #work(): Promise<void> {
    for (let [kind] = this.#waiting; kind !== undefined; [kind] = this.#waiting) {
      const [key, alike] = kind;
      if (this.#limits.maxDelayMs > 0) await this.#fill(alike);
      const batch = this.#take(key, alike);
      await this.#settle(batch, this.#releaseOf(batch, alike));
    }
    // No await between the empty queue and this line, so a later call starts the work again.
    this.#running = false;
  }

  /** As many calls of one kind as fit into an inference, in order of arrival. */
  #take(key: string, alike: Call[]): Call[] {
    let rows = 0;
    let count = 0;
    for (const call of alike) {
      if (count > 0 && rows + call.rows > this.#limit.rows) break;
      rows += call.rows;
      count++;
    }
    const batch = alike.splice(0, count);
    // Left calls of this kind go to the end of the queue, so that no kind starves another.
    this.#waiting.delete(key);
    if (alike.length > 0) this.#waiting.set(key, alike);
    return batch;
  }

  /** Waits until a batch is full or its oldest call has waited `maxDelayMs`. */
  async #fill(alike: readonly Call[]): Promise<void> {
    const until = (alike[0]?.since ?? 0) + this.#limits.maxDelayMs;
    const full = (): boolean => alike.reduce((rows, call) => rows + call.rows, 0) >= this.#limit.rows;
    for (let left = until - performance.now(); left > 0 && !full(); left = until - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 1)));
    }
  }

  /** @param left calls of the same kind that did not fit */
  #releaseOf(batch: readonly Call[], left: readonly Call[]): Release {
    if (left.length > 0 || batch.reduce((rows, call) => rows + call.rows, 0) >= this.#limit.rows) return 'full';
    return this.#limits.maxDelayMs > 0 ? 'delay' : 'idle';
  }

  async #settle(batch: readonly Call[], release: Release): Promise<void> {
    const [only] = batch;
    if (only === undefined) return;
    if (batch.length === 1) return this.#single(only, release);
    try {
      const listeners = [this.#measure, ...batch.flatMap(({ listener }) => listener ?? [])];
      const outputs = await this.#infer(merge(batch.map(({ feeds }) => feeds)), only.outputs, release, listeners);
      const parts = split(
        outputs,
        batch.map(({ rows }) => rows),
      );
      for (const [index, call] of batch.entries()) call.resolve(parts[index] ?? {});
    } catch {
      for (const call of batch) await this.#single(call, 'retry');
    }
  }

  async #single({ feeds, outputs, listener, resolve, reject }: Call, release: Release): Promise<void> {
    await this.#infer(feeds, outputs, release, [this.#measure, listener]).then(resolve, reject);
  }
}

/**
 * Rows of a call, or undefined if it cannot be merged: its inputs have no rows, or different
 * numbers of rows.
 */
function rowsOf(feeds: Tensors): number | undefined {
  let rows: number | undefined;
  for (const name in feeds) {
    const first = feeds[name]?.dims[0];
    if (first === undefined || first === 0 || (rows !== undefined && rows !== first)) return undefined;
    rows = first;
  }
  return rows;
}

/**
 * The common key of calls that can be merged: dtypes, dimensions but the first, and the wanted
 * outputs.
 */
function keyOf(feeds: Tensors, outputs: readonly string[]): string {
  let key = outputs.join('\n');
  for (const name in feeds) {
    const tensor = feeds[name];
    if (tensor === undefined) continue;
    key += `\n${name}\n${tensor.type}`;
    for (let axis = 1; axis < tensor.dims.length; axis++) key += `,${tensor.dims[axis]}`;
  }
  return key;
}

/** Joins feeds of one key along axis 0. */
export function merge(feeds: readonly Tensors[]): Record<string, Tensor> {
  const merged: Record<string, Tensor> = Object.create(null);
  for (const name in feeds[0]) {
    const parts = feeds.map((each) => each[name]).filter((part) => part !== undefined);
    const [first] = parts;
    if (first === undefined) continue;
    const rows = parts.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
    merged[name] = { type: first.type, dims: [rows, ...first.dims.slice(1)], data: concat(first.type, parts) };
  }
  return merged;
}

function concat(type: Dtype, parts: readonly Tensor[]): Tensor['data'] {
  const { array } = dtypes[type];
  if (array === undefined) return parts.flatMap(({ data }) => (Array.isArray(data) ? data : []));
  const whole = new array(parts.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of parts) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tensors of one dtype have data of one class
    whole.set(data as never, at);
    at += data.length;
  }
  return whole;
}

/**
 * Copies each call's rows of the outputs, because a script reaches the rows of others through a
 * view's `buffer`.
 * @throws Error if an output has another number of rows than the input
 */
export function split(outputs: Tensors, counts: readonly number[]): Record<string, Tensor>[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  // An object without a prototype is several times slower.
  const odd = Object.hasOwn(outputs, '__proto__');
  const parts = counts.map((): Record<string, Tensor> => (odd ? Object.create(null) : {}));
  for (const name in outputs) {
    const output = outputs[name];
    if (output === undefined) continue;
    const { type, dims, data } = output;
    if (dims[0] !== total) throw new Error(`output ${name} has ${dims[0]} rows for ${total} that were fed`);
    const width = data.length / total;
    let at = 0;
    for (const [index, count] of counts.entries()) {
      const part = parts[index];
      if (part !== undefined) part[name] = { type, dims: [count, ...dims.slice(1)], data: data.slice(at, at + count * width) };
      at += count * width;
    }
  }
  return parts;
}
