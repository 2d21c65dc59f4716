import type { Tensor } from '../entry-script.ts';
import type { Release } from '../ipc/metric-series.ts';

/** Tensors by name; what a model is fed, or what it gives. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Told of the inference that served a call. @param at milliseconds on this process's clock */
export type Told = (at: number, ms: number, rows: number) => void;

/** One inference: ONNX Runtime, or a stand-in in tests. @param told by call, where somebody wants to know */
export type Infer = (
  feeds: Tensors,
  outputs: readonly string[],
  release: Release,
  told?: readonly (Told | undefined)[],
) => Promise<Record<string, Tensor>>;

export interface BatchLimits {
  /** Rows of one merged inference. A call that has more by itself runs alone. */
  readonly maxRows: number;
  /** How long a call may wait for others; 0: only what is waiting already is merged, and no timer runs. */
  readonly maxDelayMs: number;
}

interface Call {
  readonly feeds: Tensors;
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly since: number;
  readonly told: Told | undefined;
  readonly resolve: (outputs: Record<string, Tensor>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Stop 6: merges concurrent calls of one model along axis 0. While an inference blocks the thread, requests pile up in the worker's
 * pipe; when it returns they are read together, and what they ask for becomes one inference. An idle model adds no wait.
 *
 * Only calls that differ in nothing but their rows are merged. When a merged inference fails, its calls run again one by one, so
 * that one bad row fails alone.
 */
export class Batcher {
  readonly #infer: Infer;
  readonly #limits: BatchLimits;
  /** Calls by what must be alike, in order of arrival. */
  readonly #waiting = new Map<string, Call[]>();
  #running = false;

  constructor(infer: Infer, limits: BatchLimits) {
    this.#infer = infer;
    this.#limits = limits;
  }

  /** @throws what the inference throws */
  run(feeds: Tensors, outputs: readonly string[], told?: Told): Promise<Record<string, Tensor>> {
    const rows = rowsOf(feeds);
    if (rows === undefined || rows >= this.#limits.maxRows) return this.#infer(feeds, outputs, 'alone', told && [told]);
    return new Promise((resolve, reject) => {
      const call: Call = { feeds, outputs, rows, since: performance.now(), told, resolve, reject };
      const key = keyOf(feeds, outputs);
      const alike = this.#waiting.get(key);
      if (alike === undefined) this.#waiting.set(key, [call]);
      else alike.push(call);
      if (this.#running) return;
      this.#running = true;
      // After everything that has arrived in this turn of the loop has been read.
      setImmediate(() => void this.#work());
    });
  }

  /** One batch after the other: what arrives meanwhile joins the next. Never rejects. */
  async #work(): Promise<void> {
    for (let [kind] = this.#waiting; kind !== undefined; [kind] = this.#waiting) {
      const [key, alike] = kind;
      if (this.#limits.maxDelayMs > 0) await this.#fill(alike);
      const batch = this.#take(key, alike);
      await this.#settle(batch, this.#releaseOf(batch, alike));
    }
    // No await between the look and this: a call that comes later finds that nobody works.
    this.#running = false;
  }

  /** As many calls of one kind as fit into an inference, in order of arrival. */
  #take(key: string, alike: Call[]): Call[] {
    let rows = 0;
    let count = 0;
    for (const call of alike) {
      if (count > 0 && rows + call.rows > this.#limits.maxRows) break;
      rows += call.rows;
      count++;
    }
    const batch = alike.splice(0, count);
    // What is left of this kind goes to the end, so that no kind starves another.
    this.#waiting.delete(key);
    if (alike.length > 0) this.#waiting.set(key, alike);
    return batch;
  }

  /** Waits until a batch is full or its oldest call has waited long enough. */
  async #fill(alike: readonly Call[]): Promise<void> {
    const until = (alike[0]?.since ?? 0) + this.#limits.maxDelayMs;
    const full = (): boolean => alike.reduce((rows, call) => rows + call.rows, 0) >= this.#limits.maxRows;
    for (let left = until - performance.now(); left > 0 && !full(); left = until - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 1)));
    }
  }

  /** @param left of the same kind, after the batch was taken */
  #releaseOf(batch: readonly Call[], left: readonly Call[]): Release {
    const { maxRows, maxDelayMs } = this.#limits;
    if (left.length > 0 || batch.reduce((rows, call) => rows + call.rows, 0) >= maxRows) return 'full';
    return maxDelayMs > 0 ? 'delay' : 'idle';
  }

  async #settle(batch: readonly Call[], release: Release): Promise<void> {
    const [only] = batch;
    if (only === undefined) return;
    if (batch.length === 1) return this.#single(only, release);
    try {
      const told = only.told && batch.map((call) => call.told);
      const outputs = await this.#infer(merge(batch.map(({ feeds }) => feeds)), only.outputs, release, told);
      const parts = split(
        outputs,
        batch.map(({ rows }) => rows),
      );
      for (const [index, call] of batch.entries()) call.resolve(parts[index] ?? {});
    } catch {
      for (const call of batch) await this.#single(call, 'retry');
    }
  }

  async #single({ feeds, outputs, told, resolve, reject }: Call, release: Release): Promise<void> {
    await this.#infer(feeds, outputs, release, told && [told]).then(resolve, reject);
  }
}

/** Rows of a call; undefined when its inputs disagree or have none, so that it cannot be merged. */
function rowsOf(feeds: Tensors): number | undefined {
  let rows: number | undefined;
  for (const name in feeds) {
    const first = feeds[name]?.dims[0];
    if (first === undefined || first === 0 || (rows !== undefined && rows !== first)) return undefined;
    rows = first;
  }
  return rows;
}

/** What must be alike: dtypes, dimensions but the first, and the wanted outputs. */
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

/** Feeds that are alike, one below the other. */
export function merge(feeds: readonly Tensors[]): Record<string, Tensor> {
  const merged = Object.create(null) as Record<string, Tensor>;
  for (const name in feeds[0]) {
    const parts = feeds.map((each) => each[name]).filter((part) => part !== undefined);
    const [first] = parts;
    if (first === undefined) continue;
    const rows = parts.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
    merged[name] = { type: first.type, dims: [rows, ...first.dims.slice(1)], data: concat(parts) };
  }
  return merged;
}

function concat(parts: readonly Tensor[]): Tensor['data'] {
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  const [first] = parts;
  if (first === undefined || Array.isArray(first.data)) return parts.flatMap(({ data }) => data as string[]);
  const whole = new (first.data.constructor as new (length: number) => Exclude<Tensor['data'], string[]>)(length);
  let at = 0;
  for (const { data } of parts) {
    whole.set(data as never, at);
    at += data.length;
  }
  return whole;
}

/**
 * Gives every call a copy of its rows of the outputs: through a view's `buffer` a script would reach the rows of others.
 * @throws Error when an output does not have a row for each row that was fed
 */
export function split(outputs: Tensors, counts: readonly number[]): Record<string, Tensor>[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const parts = counts.map((): Record<string, Tensor> => ({}));
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
