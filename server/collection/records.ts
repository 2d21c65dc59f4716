/**
 * What the host hands to the writer's thread: batches of records, as bytes in one buffer that is transferred. Numbers are little-endian.
 *
 *   record   = u32 length of what follows | u8 kind | ...
 *   exchange = f64 milliseconds since 1970 | u16 status | u8 request: what it is | u8 response: what it is | u32 length, head | u32 length, request body | response body
 *   rows     = the payload of a worker's `collect` frame (worker/protocol.ts): u8 length, collection | u32 length, JSON CollectHead | JSON rows
 */

const RecordKind = { exchange: 1, rows: 2 } as const;

/** What became of a body. `parsed`: as `kept`, and a worker has parsed it as JSON. `written`: as `kept`, and this server has written it as JSON. */
export const Body = { notCollected: 0, kept: 1, parsed: 2, notRead: 3, tooLarge: 4, notRedacted: 5, written: 6 } as const;
export type BodyState = (typeof Body)[keyof typeof Body];

/** True where the record has the body. */
export const isKept = ({ state }: Pick<Side, 'state'>): boolean => state === Body.kept || state === Body.parsed || state === Body.written;

/** Two records of one scoring request: what came in, and what was answered. */
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

export interface Side {
  readonly state: BodyState;
  readonly contentType: string;
  /** Name, value, name, value, ...: those of the allow-list. */
  readonly headers: readonly string[];
  readonly body: readonly Buffer[];
  readonly bodyBytes: number;
}

const FIXED = 29;
const SEPARATOR = '\0';

/** Fields that cannot contain the separator, each character a byte: so HTTP's parser gives them. */
export function exchangeHead({ id, method, url, request, response }: ExchangeRecord): string {
  const head = `${id}\0${method}\0${url}\0${request.contentType}\0${response.contentType}`;
  if (request.headers.length === 0 && response.headers.length === 0) return head;
  return [head, request.headers.length, ...request.headers, ...response.headers].join(SEPARATOR);
}

/** The most bytes that a record of this head and these bodies can need. */
export const exchangeBytes = (head: string, record: ExchangeRecord): number =>
  FIXED + head.length + record.request.bodyBytes + record.response.bodyBytes;

/** Writes everything but the bodies, and answers where they begin. */
export function writeExchange(into: Buffer, at: number, head: string, { time, status, request, response }: ExchangeRecord): number {
  const headBytes = into.write(head, at + 21, 'latin1');
  into[at + 4] = RecordKind.exchange;
  into.writeDoubleLE(time, at + 5);
  into.writeUInt16LE(status, at + 13);
  into[at + 15] = request.state;
  into[at + 16] = response.state;
  into.writeUInt32LE(headBytes, at + 17);
  into.writeUInt32LE(request.bodyBytes, at + 21 + headBytes);
  into.writeUInt32LE(21 + headBytes + request.bodyBytes + response.bodyBytes, at);
  return at + 25 + headBytes;
}

/** Writes a worker's payload; answers the end. */
export function writeRows(into: Buffer, at: number, payload: Buffer): number {
  into.writeUInt32LE(1 + payload.length, at);
  into[at + 4] = RecordKind.rows;
  payload.copy(into, at + 5);
  return at + 5 + payload.length;
}

export const rowsBytes = (payload: Buffer): number => 5 + payload.length;

interface Handlers {
  exchange(record: ExchangeRecord, bytes: number): void;
  rows(collection: string, head: CollectHead, rows: Buffer, bytes: number): void;
}

/** Reads a batch. Bodies are views of it. */
export function readBatch(batch: Buffer, handlers: Handlers): void {
  for (let at = 0; at + 4 < batch.length;) {
    const end = at + 4 + batch.readUInt32LE(at);
    if (batch[at + 4] === RecordKind.exchange) handlers.exchange(readExchange(batch, at, end), end - at);
    else readRows(batch.subarray(at + 5, end), handlers, end - at);
    at = end;
  }
}

/** A view costs more than all numbers of a record: only bodies are views. */
function readExchange(batch: Buffer, at: number, end: number): ExchangeRecord {
  const headEnd = at + 21 + batch.readUInt32LE(at + 17);
  const fields = batch.toString('latin1', at + 21, headEnd).split(SEPARATOR);
  const [id = '', method = '', url = '', requestType = '', responseType = ''] = fields;
  const requestHeaders = Number(fields[5] ?? 0);
  const requestEnd = headEnd + 4 + batch.readUInt32LE(headEnd);
  const side = (state: number | undefined, contentType: string, headers: string[], body: Buffer): Side => ({
    state: state as BodyState,
    contentType,
    headers,
    body: [body],
    bodyBytes: body.length,
  });
  return {
    time: batch.readDoubleLE(at + 5),
    status: batch.readUInt16LE(at + 13),
    id,
    method,
    url,
    request: side(batch[at + 15], requestType, fields.slice(6, 6 + requestHeaders), batch.subarray(headEnd + 4, requestEnd)),
    response: side(batch[at + 16], responseType, fields.slice(6 + requestHeaders), batch.subarray(requestEnd, end)),
  };
}

function readRows(payload: Buffer, handlers: Handlers, bytes: number): void {
  const nameEnd = 1 + (payload[0] ?? 0);
  const headEnd = nameEnd + 4 + payload.readUInt32LE(nameEnd);
  const head = JSON.parse(payload.toString('utf8', nameEnd + 4, headEnd)) as CollectHead;
  handlers.rows(payload.toString('latin1', 1, nameEnd), head, payload.subarray(headEnd), bytes);
}

/** The collection that a worker's payload belongs to. */
export const collectionOf = (payload: Buffer): string => payload.toString('latin1', 1, 1 + (payload[0] ?? 0));
import type { CollectHead } from '../collect-head.ts';
