import { setImmediate } from 'node:timers/promises';
import { bufferFrom, tagOf } from '../guards/built-ins.ts';
import { ServerError } from '../errors.ts';
import type { FrameWriter } from '../ipc/frames.ts';
import { isStatus, wrongHeaders, type HeaderPairs } from '../ipc/header-fields.ts';
import { bounded } from '../guards/thrown.ts';
import { checkSize } from './answer-limit.ts';
import { Kind, pairText, STREAM_WINDOW } from '../ipc/protocol.ts';

type Chunks = AsyncIterable<unknown> | Iterable<unknown>;

/** A script's answer that is not plain JSON: a body, or chunks that are to be streamed. */
export interface Outcome {
  readonly status: number;
  /** Undefined: the first chunk decides the content type. */
  readonly headers: HeaderPairs | undefined;
  readonly body?: Uint8Array | string;
  readonly chunks?: Chunks;
}

/** Statuses whose answers have no body (RFC 9110). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** A web-standard Response; the tag is asked because the class itself is slow to load and most scripts never touch it. */
export function isResponse(value: unknown): value is Response {
  return tagOf.call(value) === '[object Response]';
}

/** An iterator or async iterable, which streams; arrays, strings and maps are values. */
export function isIterator(value: unknown): value is Chunks {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || (Symbol.iterator in value && 'next' in value && typeof value.next === 'function');
}

/**
 * Status, headers and body of a Response. A body that is there already becomes one answer; one that is still being made streams.
 * @throws TypeError when its body has been used already; ServerError result_not_http when HTTP cannot carry its status or a header
 */
export async function responseParts(response: Response): Promise<Outcome> {
  const status = response.status === 0 ? 500 : response.status;
  const headers = [...response.headers];
  checkHead(status, headers);
  if (response.bodyUsed) throw new TypeError('run() answered a Response whose body has been read already');
  if (response.body === null) {
    if (WITHOUT_BODY.has(status)) return { status, headers, body: '' };
    return { status, headers: withContentType(headers, 'application/json'), body: '{}' };
  }
  const typed = withContentType(headers, 'text/html; charset=utf-8');
  const iterator = response.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await iterator.next();
  if (first.done === true) return { status, headers: typed, body: '' };
  const body = chunkBytes(first.value);
  const next = iterator.next();
  // Decided below by whoever awaits it; until then a rejection is not unhandled.
  next.catch(() => undefined);
  const second = await Promise.race([next, setImmediate(undefined)]);
  if (second?.done === true && body !== undefined) return { status, headers: typed, body };
  return { status, headers: typed, chunks: resume(first.value, next, iterator) };
}

async function* resume(
  first: Uint8Array,
  next: Promise<IteratorResult<Uint8Array>>,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let step = await next; step.done !== true; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
}

function checkHead(status: unknown, headers: HeaderPairs): void {
  const wrong = isStatus(status) ? wrongHeaders(headers) : `the status ${bounded(status)}: expected 200 to 599`;
  if (wrong !== undefined) throw new ServerError('result_not_http', `run() answered a Response with ${wrong}`);
}

/** The bytes of a chunk of a body, whatever its elements are; undefined: it is neither text nor bytes. */
function chunkBytes(chunk: unknown): Buffer | undefined {
  if (typeof chunk === 'string') return bufferFrom(chunk);
  if (ArrayBuffer.isView(chunk)) return bufferFrom(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) return bufferFrom(chunk);
  return undefined;
}

function withContentType(headers: HeaderPairs, type: string): HeaderPairs {
  return headers.some(([name]) => name === 'content-type') ? headers : [...headers, ['content-type', type]];
}

/** Sends the chunks of one answer, no further ahead of the client than the window. */
export class StreamSender {
  readonly #frames: FrameWriter;
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
  constructor(frames: FrameWriter, id: number, encode: (chunk: unknown) => string, limitBytes = Infinity) {
    this.#frames = frames;
    this.#id = id;
    this.#encode = encode;
    this.#limitBytes = limitBytes;
  }

  /** The client's side has taken `bytes`. */
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
   * The head goes out with the first chunk, so that what fails before it still gets a proper answer.
   * @throws whatever the iterator throws
   */
  async send(outcome: Outcome, head: (headers: string) => Buffer): Promise<void> {
    for await (const chunk of outcome.chunks ?? []) {
      if (this.#cancelled) break;
      const bytes = this.#bytesOf(chunk, outcome.headers !== undefined);
      checkSize([bytes], this.#limitBytes);
      if (!this.started) this.#begin(outcome.headers ?? [['content-type', contentTypeOf(chunk)]], head);
      if (bytes.length === 0) continue;
      this.#frames.write(this.#id, Kind.chunk, [bytes]);
      this.#underWay += bytes.length;
      // One turn of the loop for each chunk: it leaves now, and credit and cancel are read even if the iterator never waits.
      await setImmediate();
      while (this.#underWay > STREAM_WINDOW && !this.#cancelled) await this.#creditOrCancel();
    }
    if (!this.started) this.#begin(outcome.headers ?? [['content-type', 'text/plain; charset=utf-8']], head);
    this.#frames.write(this.#id, Kind.end, []);
  }

  /**
   * A copy, since scripts fill one buffer again and again. In the body of a Response every view is bytes; of an iterator, arrays of
   * numbers are a line of JSON.
   */
  #bytesOf(chunk: unknown, isBody: boolean): Buffer {
    const bytes =
      isBody || typeof chunk === 'string' || chunk instanceof Uint8Array || chunk instanceof DataView ? chunkBytes(chunk) : undefined;
    if (bytes === undefined) return bufferFrom(`${this.#encode(chunk)}\n`);
    return typeof chunk === 'string' ? bytes : bufferFrom(bytes);
  }

  #begin(headers: HeaderPairs, head: (headers: string) => Buffer): void {
    const text = pairText(headers);
    this.#frames.write(this.#id, Kind.stream, [head(text), text]);
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
