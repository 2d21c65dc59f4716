import { types } from 'node:util';
import { kindOf } from '../guards/kind-of.ts';

/** Chunks of an answer that is still being made, whatever makes them. */
export interface ChunkSource {
  /** @throws what the source throws */
  next(): Promise<IteratorResult<unknown, unknown>>;
  /**
   * Ends the source at once, also while a chunk is awaited. Never throws. Nobody waits for it, so
   * that a source that cannot end costs nothing.
   */
  end(reason: unknown): void;
}

type Iterates = AsyncIterable<unknown> | Iterable<unknown>;

/** The part of Node's Readable that is used here: packages may bring another class of that form. */
interface NodeReadable extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown;
  pipe(...args: never[]): unknown;
  destroy(): unknown;
}

/**
 * True for an iterator or an async iterable, which stream: generators, ReadableStreams, Readables.
 * Arrays, strings and maps are values.
 */
export function isStreamed(value: unknown): value is Iterates {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || (Symbol.iterator in value && isFunction(value, 'next'));
}

/** @throws TypeError when the value is a stream that another reader has, or no iterator */
export function sourceOf(value: Iterates): ChunkSource {
  if (isWebStream(value)) return new WebSource(value.getReader());
  return isNodeReadable(value) ? new NodeSource(value) : new IteratorSource(value);
}

/**
 * True for what `enqueue()` and `close()` throw where a ReadableStream has ended: a timer may fill
 * it after its client has left. Nothing else is affected by it.
 */
export function isLateChunk(thrown: unknown): boolean {
  return types.isNativeError(thrown) && 'code' in thrown && thrown.code === 'ERR_INVALID_STATE';
}

class WebSource implements ChunkSource {
  readonly #reader: ReadableStreamDefaultReader<unknown>;

  constructor(reader: ReadableStreamDefaultReader<unknown>) {
    this.#reader = reader;
  }

  async next(): Promise<IteratorResult<unknown, unknown>> {
    const { done, value } = await this.#reader.read();
    return { done, value };
  }

  end(reason: unknown): void {
    quietly(() => this.#reader.cancel(reason));
  }
}

class NodeSource implements ChunkSource {
  readonly #stream: NodeReadable;
  readonly #iterator: AsyncIterator<unknown>;

  constructor(stream: NodeReadable) {
    this.#stream = stream;
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.#iterator.next();
  }

  /** Without the reason, because it would be an error that the script has to handle. */
  end(): void {
    quietly(() => {
      this.#stream.on('error', ignore);
      this.#stream.destroy();
    });
  }
}

class IteratorSource implements ChunkSource {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;

  constructor(value: Iterates) {
    this.#iterator = Symbol.asyncIterator in value ? value[Symbol.asyncIterator]() : value[Symbol.iterator]();
  }

  async next(): Promise<IteratorResult<unknown, unknown>> {
    const step: unknown = await this.#iterator.next();
    if (typeof step !== 'object' || step === null)
      throw new TypeError(`run() returned an iterator whose next() gave ${kindOf(step)}: expected an object`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every object is a step: members that are absent are undefined
    const { done, value } = step as IteratorResult<unknown, unknown>;
    // Values of a synchronous iterator may be promises.
    return { done: done === true, value: done === true ? undefined : await value };
  }

  /** The `return()` of a generator that awaits is queued until it goes on. */
  end(): void {
    quietly(() => this.#iterator.return?.());
  }
}

function isWebStream(value: object): value is ReadableStream {
  return isFunction(value, 'getReader');
}

function isNodeReadable(value: object): value is NodeReadable {
  return isFunction(value, 'pipe') && isFunction(value, 'destroy') && isFunction(value, 'on') && Symbol.asyncIterator in value;
}

function isFunction<Name extends string>(value: object, name: Name): value is object & Record<Name, () => unknown> {
  return typeof Reflect.get(value, name) === 'function';
}

function quietly(end: () => unknown): void {
  try {
    Promise.resolve(end()).catch(ignore);
  } catch {
    // The source cannot be ended, and nobody waits for its error.
  }
}

function ignore(): void {}
