import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ServerError } from './errors.ts';

/** Ids of one request, and the headers that carry them back. */
export interface RequestIds {
  /** `x-request-id`: the client's, else new. */
  readonly id: string;
  readonly clientRequestId: string | undefined;
  /** W3C trace id: 32 hexadecimal digits. */
  readonly traceId: string;
  /** Name, value, name, value, ... */
  readonly headers: readonly string[];
  /** Set when an id of the request is too long: the request goes no further. */
  readonly refusal: ServerError | undefined;
}

const LONGEST = 100;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** https://www.w3.org/TR/trace-context/: version 00 has four fields, a later one may have more. */
const TRACEPARENT =
  /^(?!ff)(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/;
const NO_TRACE = '0'.repeat(32);

/** Reads or makes the ids of a request: reference/azureml-contract.md, sections 1.2 and 1.3. An empty header counts as absent. */
export function readIds(headers: IncomingHttpHeaders): RequestIds {
  const sent = text(headers['x-request-id']);
  const deprecated = text(headers['x-ms-request-id']);
  const client = text(headers['x-ms-client-request-id']);
  const trace = text(headers['traceid']);

  const idTooLong = sent !== undefined && sent.length > LONGEST;
  const id = sent === undefined || idTooLong ? randomUUID() : sent;
  const traceId = traceIdOf(text(headers['traceparent']), id);
  const answer: string[] = trace === undefined ? [] : ['TraceId', trace];

  if (idTooLong) {
    const refusal = new ServerError('id_too_long', `x-request-id must not exceed ${LONGEST} characters`);
    return { id, clientRequestId: undefined, traceId, headers: answer, refusal };
  }
  answer.push('x-request-id', id);
  if ((deprecated?.length ?? 0) > LONGEST || (client?.length ?? 0) > LONGEST) {
    const refusal = new ServerError('id_too_long', `x-ms-request-id and x-ms-client-request-id must not exceed ${LONGEST} characters`);
    return { id, clientRequestId: undefined, traceId, headers: answer, refusal };
  }
  answer.push('x-ms-request-id', deprecated ?? client ?? id);
  const clientRequestId = client ?? deprecated;
  if (clientRequestId !== undefined) answer.push('x-ms-client-request-id', clientRequestId);
  return { id, clientRequestId, traceId, headers: answer, refusal: undefined };
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function traceIdOf(traceparent: string | undefined, id: string): string {
  if (traceparent !== undefined && TRACEPARENT.test(traceparent)) return traceparent.slice(3, 35);
  if (UUID.test(id)) {
    const derived = withoutDashes(id).toLowerCase();
    if (derived !== NO_TRACE) return derived;
  }
  return withoutDashes(randomUUID());
}

function withoutDashes(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
}
