/**
 * Batches of records, from the host to the writer's thread: bytes in one buffer that is
 * transferred. Numbers are little-endian.
 *
 *   record   = u32 length of what follows | u8 kind | ...
 *   exchange = f64 milliseconds since 1970 | u16 status | u8 state of the request's body
 *                | u8 state of the response's body
 *                | u32 length, id | u32 length, head | u32 length, request body | response body
 *   rows     = the payload of a worker's `collect` frame (ipc/README.md): u8 length, collection | u32 length, JSON CollectHead | JSON rows
 */

/** Size of the buffers that small records share. They go back and forth. */
export const SLAB_BYTES = 256 * 1024;

const RecordKind = { exchange: 1, rows: 2 } as const;

/**
 * State of a body. `parsed`: kept, and a worker has parsed it as JSON. `written`: kept, and this
 * server has written it as JSON. `partial`: the beginning of a stream that has not ended.
 */
export const Body = {
  notCollected: 0,
  kept: 1,
  parsed: 2,
  notRead: 3,
  tooLarge: 4,
  notRedacted: 5,
  written: 6,
  /** Left out for want of memory. */
  noMemory: 7,
  partial: 8,
} as const;
export type BodyState = (typeof Body)[keyof typeof Body];

/** True where the record contains the body. */
export const isKept = ({ state }: Pick<Side, 'state'>): boolean =>
  state === Body.kept || state === Body.parsed || state === Body.written || state === Body.partial;

/** The two records of one scoring request: its request and its response. */
export interface ExchangeRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly id: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
  readonly request: Side;
  readonly response: Side;
}

/** One half of an exchange. */
export interface Side {
  readonly state: BodyState;
  readonly contentType: string;
  /** Captured headers: name, value, name, value, ... */
  readonly headers: readonly string[];
  readonly body: readonly Buffer[];
  readonly bodyBytes: number;
}

/** Bytes of a record besides id, head and bodies. */
const FIXED = 29;
const SEPARATOR = '\0';

/** Size of a record in a batch, in bytes: the memory that the host counts for it. */
export function exchangeBytes({ id, method, url, request, response }: ExchangeRecord): number {
  // Three separators, and one more with each further field.
  const head = method.length + url.length + request.contentType.length + response.contentType.length + 3;
  const fixed = FIXED + id.length + head + request.bodyBytes + response.bodyBytes;
  return request.headers.length === 0 && response.headers.length === 0 ? fixed : fixed + headersBytes(request, response);
}

function headersBytes(request: Side, response: Side): number {
  let bytes = 1 + String(request.headers.length).length;
  for (const { headers } of [request, response]) for (const text of headers) bytes += 1 + text.length;
  return bytes;
}

/** Encodes heads. Neighbours mostly share one, which is encoded once. */
export class ExchangeHeads {
  #method = '';
  #url = '';
  #requestType = '';
  #responseType = '';
  #head = Buffer.alloc(0);

  /**
   * The head of a record. Why latin1 and NUL: HTTP's parser makes each byte a character, and
   * refuses NUL.
   */
  of({ method, url, request, response }: ExchangeRecord): Buffer {
    const types = request.contentType === this.#requestType && response.contentType === this.#responseType;
    const plain = request.headers.length === 0 && response.headers.length === 0;
    if (plain && types && url === this.#url && method === this.#method) return this.#head;
    const fields = [method, url, request.contentType, response.contentType];
    if (!plain) return Buffer.from([...fields, request.headers.length, ...request.headers, ...response.headers].join(SEPARATOR), 'latin1');
    this.#method = method;
    this.#url = url;
    this.#requestType = request.contentType;
    this.#responseType = response.contentType;
    this.#head = Buffer.from(fields.join(SEPARATOR), 'latin1');
    return this.#head;
  }
}

/** Writes a record without its bodies. Answers where those begin. */
export function writeExchange(into: Buffer, at: number, head: Buffer, { id, time, status, request, response }: ExchangeRecord): number {
  into[at + 4] = RecordKind.exchange;
  into.writeDoubleLE(time, at + 5);
  into.writeUInt16LE(status, at + 13);
  into[at + 15] = request.state;
  into[at + 16] = response.state;
  const idEnd = at + 21 + into.write(id, at + 21, 'latin1');
  into.writeUInt32LE(idEnd - at - 21, at + 17);
  into.writeUInt32LE(head.length, idEnd);
  into.set(head, idEnd + 4);
  const headEnd = idEnd + 4 + head.length;
  into.writeUInt32LE(request.bodyBytes, headEnd);
  into.writeUInt32LE(headEnd - at + request.bodyBytes + response.bodyBytes, at);
  return headEnd + 4;
}

/** Writes the payload of a worker's `collect` frame. Answers the end. */
export function writeRows(into: Buffer, at: number, payload: Buffer): number {
  into.writeUInt32LE(1 + payload.length, at);
  into[at + 4] = RecordKind.rows;
  payload.copy(into, at + 5);
  return at + 5 + payload.length;
}

export const rowsBytes = (payload: Buffer): number => 5 + payload.length;

interface Handlers {
  exchange(record: ExchangeRecord): void;
  rows(collection: string, head: CollectHead, rows: Buffer): void;
}

interface Head {
  readonly method: string;
  readonly url: string;
  readonly requestType: string;
  readonly responseType: string;
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

/** Reads batches. */
export class BatchReader {
  #headBytes = Buffer.alloc(0);
  /** Head of the last exchange. The next one mostly has the same. */
  #head = readHead(Buffer.alloc(0));

  /** Calls a handler for each record. Bodies are views of the batch. */
  read(batch: Buffer, handlers: Handlers): void {
    for (let at = 0; at + 4 < batch.length;) {
      const end = at + 4 + batch.readUInt32LE(at);
      if (batch[at + 4] === RecordKind.exchange) handlers.exchange(this.#exchange(batch, at, end));
      else readRows(batch.subarray(at + 5, end), handlers);
      at = end;
    }
  }

  /** Only bodies become views, because a view costs more than all numbers of a record. */
  #exchange(batch: Buffer, at: number, end: number): ExchangeRecord {
    const idEnd = at + 21 + batch.readUInt32LE(at + 17);
    const headEnd = idEnd + 4 + batch.readUInt32LE(idEnd);
    const requestEnd = headEnd + 4 + batch.readUInt32LE(headEnd);
    const { method, url, requestType, responseType, requestHeaders, responseHeaders } = this.#readHead(batch, idEnd + 4, headEnd);
    return {
      time: batch.readDoubleLE(at + 5),
      status: batch.readUInt16LE(at + 13),
      id: batch.toString('latin1', at + 21, idEnd),
      method,
      url,
      request: readSide(batch[at + 15], requestType, requestHeaders, batch.subarray(headEnd + 4, requestEnd)),
      response: readSide(batch[at + 16], responseType, responseHeaders, batch.subarray(requestEnd, end)),
    };
  }

  #readHead(batch: Buffer, from: number, to: number): Head {
    const last = this.#headBytes;
    if (last.length !== to - from || last.compare(batch, from, to) !== 0) {
      this.#headBytes = Buffer.from(batch.subarray(from, to));
      this.#head = readHead(this.#headBytes);
    }
    return this.#head;
  }
}

function readHead(head: Buffer): Head {
  const [method = '', url = '', requestType = '', responseType = '', count = '0', ...headers] = readFields(head);
  const requestHeaders = headers.slice(0, Number(count));
  return { method, url, requestType, responseType, requestHeaders, responseHeaders: headers.slice(requestHeaders.length) };
}

/**
 * Makes each field a string of its own, because comparisons of sliced strings take several times as
 * long.
 */
function readFields(head: Buffer): string[] {
  const fields: string[] = [];
  for (let from = 0; from <= head.length;) {
    const found = head.indexOf(0, from);
    const to = found < 0 ? head.length : found;
    fields.push(head.toString('latin1', from, to));
    from = to + 1;
  }
  return fields;
}

const readSide = (state: number | undefined, contentType: string, headers: readonly string[], body: Buffer): Side => ({
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `writeExchange` has written it, in this process
  state: state as BodyState,
  contentType,
  headers,
  body: [body],
  bodyBytes: body.length,
});

function readRows(payload: Buffer, handlers: Handlers): void {
  const nameEnd = 1 + (payload[0] ?? 0);
  const headEnd = nameEnd + 4 + payload.readUInt32LE(nameEnd);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the host has checked it before it took the payload: `checkCollect` in ipc
  const head = JSON.parse(payload.toString('utf8', nameEnd + 4, headEnd)) as CollectHead;
  handlers.rows(payload.toString('latin1', 1, nameEnd), head, payload.subarray(headEnd));
}

/** The collection of a worker's payload. */
export const collectionOf = (payload: Buffer): string => payload.toString('latin1', 1, 1 + (payload[0] ?? 0));
import type { CollectHead } from '../ipc/collected-rows.ts';
