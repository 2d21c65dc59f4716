import { setImmediate } from 'node:timers/promises';
import { bufferFrom, tagOf } from '../guards/built-ins.ts';
import { bounded } from '../guards/thrown.ts';
import { ServerError } from '../errors.ts';
import { isStatus, wrongHeaders, type HeaderPairs } from '../ipc/header-fields.ts';

type Chunks = AsyncIterable<unknown> | Iterable<unknown>;

/** A script's answer that is not plain JSON: a body, or chunks to stream. */
export interface Outcome {
  readonly status: number;
  /** Undefined: the first chunk decides the content type. */
  readonly headers: HeaderPairs | undefined;
  readonly body?: Uint8Array | string;
  readonly chunks?: Chunks;
}

/** Statuses whose answers have no body (RFC 9110). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * True for a web-standard Response. Why by its tag: Node loads the class slowly, and most scripts
 * never use it.
 */
export function isResponse(value: unknown): value is Response {
  return tagOf.call(value) === '[object Response]';
}

/** True for an iterator or async iterable, which streams. Arrays, strings and maps are values. */
export function isIterator(value: unknown): value is Chunks {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || (Symbol.iterator in value && 'next' in value && typeof value.next === 'function');
}

/**
 * Status, headers and body of a Response. A complete body becomes one answer; a body that is still
 * being made streams.
 * @throws TypeError when its body has been used already; ServerError result_not_http when HTTP
 * cannot carry its status or a header
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
  // The await below, or in `resume`, handles a rejection. Until then it must not count as
  // unhandled.
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

function withContentType(headers: HeaderPairs, type: string): HeaderPairs {
  return headers.some(([name]) => name === 'content-type') ? headers : [...headers, ['content-type', type]];
}

/** The bytes of a chunk, whatever its elements are; undefined if it is neither text nor bytes. */
export function chunkBytes(chunk: unknown): Buffer | undefined {
  if (typeof chunk === 'string') return bufferFrom(chunk);
  if (ArrayBuffer.isView(chunk)) return bufferFrom(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) return bufferFrom(chunk);
  return undefined;
}
