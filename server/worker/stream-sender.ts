import { setImmediate } from 'node:timers/promises';
import { bufferFrom } from '../guards/built-ins.ts';
import type { HeaderPairs } from '../ipc/header-fields.ts';
import { STREAM_WINDOW } from '../ipc/limits.ts';
import type { ToHost } from '../ipc/to-host.ts';
import { checkSize } from './answer-limit.ts';
import { chunkBytes, type Outcome } from './outcome.ts';

/** Sends the chunks of one answer, at most a window ahead of the client. */
export class StreamSender {
  readonly #toHost: ToHost;
  readonly #id: number;
  readonly #encode: (chunk: unknown) => string;
  readonly #limitBytes: number;
  #underWay = 0;
  #cancelled = false;
  #wake: (() => void) | undefined;
  started = false;

  /**
   * @param encode JSON text of a chunk that is neither text nor bytes
   * @param limitBytes largest chunk
   */
  constructor(toHost: ToHost, id: number, encode: (chunk: unknown) => string, limitBytes = Infinity) {
    this.#toHost = toHost;
    this.#id = id;
    this.#encode = encode;
    this.#limitBytes = limitBytes;
  }

  /** Frees `bytes` of the window: the client's side has taken them. */
  credit(bytes: number): void {
    this.#underWay -= bytes;
    this.#wake?.();
  }

  /** Stops at the next chunk; the iterator's `return()` is called. */
  cancel(): void {
    this.#cancelled = true;
    this.#wake?.();
  }

  /**
   * Sends the head with the first chunk. Why: an iterator that fails before it still gets an answer
   * of its own.
   * @param begin sends the head
   * @throws whatever the iterator throws
   */
  async send(outcome: Outcome, begin: (headers: HeaderPairs) => void): Promise<void> {
    for await (const chunk of outcome.chunks ?? []) {
      if (this.#cancelled) break;
      const bytes = this.#bytesOf(chunk, outcome.headers !== undefined);
      checkSize([bytes], this.#limitBytes);
      if (!this.started) this.#begin(outcome.headers ?? [['content-type', contentTypeOf(chunk)]], begin);
      if (bytes.length === 0) continue;
      this.#toHost.chunk(this.#id, bytes);
      this.#underWay += bytes.length;
      // One turn of the loop a chunk: the chunk leaves now, and credit and cancel are read even if
      // the iterator never waits.
      await setImmediate();
      while (this.#underWay > STREAM_WINDOW && !this.#cancelled) await this.#creditOrCancel();
    }
    if (!this.started) this.#begin(outcome.headers ?? [['content-type', 'text/plain; charset=utf-8']], begin);
    this.#toHost.end(this.#id);
  }

  /**
   * A copy. Why: scripts fill one buffer again and again. In the body of a Response every view is
   * bytes; from an iterator, arrays of numbers are a line of JSON.
   */
  #bytesOf(chunk: unknown, isBody: boolean): Buffer {
    const bytes =
      isBody || typeof chunk === 'string' || chunk instanceof Uint8Array || chunk instanceof DataView ? chunkBytes(chunk) : undefined;
    if (bytes === undefined) return bufferFrom(`${this.#encode(chunk)}\n`);
    return typeof chunk === 'string' ? bytes : bufferFrom(bytes);
  }

  #begin(headers: HeaderPairs, begin: (headers: HeaderPairs) => void): void {
    begin(headers);
    this.started = true;
  }

  #creditOrCancel(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function contentTypeOf(chunk: unknown): string {
  if (typeof chunk === 'string') return 'text/plain; charset=utf-8';
  return chunk instanceof Uint8Array || chunk instanceof DataView ? 'application/octet-stream' : 'application/x-ndjson';
}
