import { bufferFrom, tagOf } from '../guards/built-ins.ts';
import { kindOf } from '../guards/kind-of.ts';
import { bounded } from '../guards/thrown.ts';
import { ServerError } from '../errors.ts';
import { isStatus, wrongHeaders, type HeaderPairs } from '../ipc/header-fields.ts';
import { type ChunkSource, isStreamed, sourceOf } from './chunk-source.ts';
import { codingsOf } from './content-coding.ts';
import { endToEnd } from './transfer-headers.ts';

/** A Response of a script: a whole body, or one that is still to be read. */
export type Outcome =
  | { readonly status: number; readonly headers: HeaderPairs; readonly body: string }
  | { readonly status: number; readonly headers: HeaderPairs; readonly body: BodySource };

/** The body of a Response. */
export interface BodySource {
  readonly source: ChunkSource;
  /** The `content-encoding` that the body may have. Its first bytes show whether it has it. */
  readonly encoding: string | undefined;
}

/** Statuses whose answers have no body (RFC 9110). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
const UNREAD = 'nobody reads this answer';
/** Codings that every fetch of Node has decoded when it hands out a body. */
const FETCH_DECODES: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br']);

/**
 * True for a web-standard Response. Why by its tag: Node loads the class slowly, and most scripts
 * never use it. Packages bring classes of their own.
 */
export function isResponse(value: unknown): value is Response {
  return tagOf.call(value) === '[object Response]';
}

/**
 * Status, headers and body of a Response. A body that will not be sent is ended.
 * @throws TypeError when its body has been used already; ServerError result_not_http when HTTP
 * cannot carry its status or a header
 */
export function responseParts(response: Response): Outcome {
  if (response.bodyUsed) throw new TypeError('run() answered a Response whose body has been read already');
  const source = bodyOf(response);
  try {
    const status = response.status === 0 ? 500 : response.status;
    const all = headersOf(response);
    checkHead(status, all);
    const headers = endToEnd(all).filter(([name]) => name !== 'content-encoding');
    if (source === undefined || WITHOUT_BODY.has(status)) {
      source?.end(new Error(`an answer of status ${status} has no body`));
      if (WITHOUT_BODY.has(status)) return { status, headers, body: '' };
      return { status, headers: withContentType(headers, 'application/json'), body: '{}' };
    }
    const typed = withContentType(headers, 'text/html; charset=utf-8');
    return { status, headers: typed, body: { source, encoding: encodingOf(response, all) } };
  } catch (thrown) {
    source?.end(thrown);
    throw thrown;
  }
}

/** Ends the source of an answer that nobody reads. */
export function endUnread(result: unknown): void {
  if (isResponse(result) && !result.bodyUsed) bodyOf(result)?.end(new Error(UNREAD));
  else if (isStreamed(result)) sourceOf(result).end(new Error(UNREAD));
}

function bodyOf({ body }: { readonly body: unknown }): ChunkSource | undefined {
  if (body === null || body === undefined) return undefined;
  if (isStreamed(body)) return sourceOf(body);
  throw new TypeError(`run() answered a Response whose body is ${kindOf(body)}: expected a ReadableStream or a Readable`);
}

/** The Headers of node-fetch join cookies unless they are asked for `raw`. */
function headersOf({ headers }: { readonly headers: Iterable<readonly [string, string]> }): HeaderPairs {
  if (!('getSetCookie' in headers) && 'raw' in headers && typeof headers.raw === 'function') {
    const raw: unknown = headers.raw();
    if (typeof raw === 'object' && raw !== null)
      return Object.entries(raw).flatMap(([name, values]) => [values].flat().map((value: string): [string, string] => [name, value]));
  }
  return [...headers];
}

function checkHead(status: unknown, headers: HeaderPairs): void {
  const wrong = isStatus(status) ? wrongHeaders(headers) : `the status ${bounded(status)}: expected 200 to 599`;
  if (wrong !== undefined) throw new ServerError('result_not_http', `run() answered a Response with ${wrong}`);
}

/** Undefined: the body has no coding. */
function encodingOf({ url, body }: Response, headers: HeaderPairs): string | undefined {
  const encoding = headers.flatMap(([name, value]) => (name.toLowerCase() === 'content-encoding' ? [value] : [])).join(', ');
  const codings = codingsOf(encoding);
  if (codings.length === 0) return undefined;
  // Of other classes that fetch, some hand out the bytes as they came.
  const fetched = url !== '' && body instanceof ReadableStream && codings.every((coding) => FETCH_DECODES.has(coding));
  return fetched ? undefined : encoding;
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
