import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ServerError } from '../errors.ts';

/** Ids of one request, and the headers that carry them back. */
export interface RequestIds {
  /** The client's `x-request-id`, else the platform's id, else a new one. */
  readonly id: string;
  readonly clientRequestId: string | undefined;
  /** W3C trace id: 32 hexadecimal digits. */
  readonly traceId: string;
  /** Span of the caller, if a valid `traceparent` names one. */
  readonly parentId: string | undefined;
  /** Span of this request; empty if it neither belongs to a trace nor begins one. */
  readonly spanId: string;
  /** Whether the trace is recorded: the caller's choice, else the sampler's. */
  readonly sampled: boolean;
  /**
   * Header of the answer, and of calls on behalf of this request:
   * https://www.w3.org/TR/trace-context/.
   */
  readonly traceparent: string | undefined;
  /** Headers of the answer that carry the ids, as name, value, name, value, ... */
  readonly headers: readonly string[];
  /** Set if an id of the request is too long. The request is refused with it. */
  readonly refusal: ServerError | undefined;
}

const LONGEST = 100;
/**
 * The UUIDs whose last 14 digits are random, versions 4 and 7:
 * https://www.rfc-editor.org/rfc/rfc9562.
 */
const RANDOM_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** https://www.w3.org/TR/trace-context/: version 00 has four fields, a later one may have more. */
const TRACEPARENT =
  /^(?!ff)(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/;
/**
 * Bits of a trace context's last field. `random`: the last 14 digits of the trace id are random:
 * https://www.w3.org/TR/trace-context-2/#random-trace-id-flag.
 */
const FLAGS = { sampled: 1, random: 2 };
const DIGITS = '0123456789abcdef';

/** Decides whether a trace that begins here is recorded. Undefined if no traces are recorded. */
export type Sampler = ((traceId: string) => boolean) | undefined;

/**
 * Reads or makes the ids of a request: docs/http-api.md. An empty header counts as absent.
 * @param platformHeader the platform's own header of the id, in lower case
 */
export function readIds(headers: IncomingHttpHeaders, sampler?: Sampler, platformHeader?: string): RequestIds {
  const [idHeader, sent] = sentId(headers, platformHeader);
  const deprecated = text(headers['x-ms-request-id']);
  const client = text(headers['x-ms-client-request-id']);
  const trace = text(headers['traceid']);

  const idTooLong = sent !== undefined && sent.length > LONGEST;
  const made = sent === undefined || idTooLong;
  const id = made ? randomUUID() : sent;
  const traces = traceOf(text(headers['traceparent']), id, made, sampler);

  if (idTooLong) {
    const refusal = new ServerError('id_too_long', `${idHeader} must not exceed ${LONGEST} characters`);
    return { id, clientRequestId: undefined, ...traces, headers: withTrace([], trace, traces), refusal };
  }
  if ((deprecated?.length ?? 0) > LONGEST || (client?.length ?? 0) > LONGEST) {
    const refusal = new ServerError('id_too_long', `x-ms-request-id and x-ms-client-request-id must not exceed ${LONGEST} characters`);
    return { id, clientRequestId: undefined, ...traces, headers: withTrace(['x-request-id', id], trace, traces), refusal };
  }
  const answer = ['x-request-id', id, 'x-ms-request-id', deprecated ?? client ?? id];
  const clientRequestId = client ?? deprecated;
  if (clientRequestId !== undefined) answer.push('x-ms-client-request-id', clientRequestId);
  return { id, clientRequestId, ...traces, headers: withTrace(answer, trace, traces), refusal: undefined };
}

function sentId(headers: IncomingHttpHeaders, platformHeader = 'x-request-id'): [header: string, id: string | undefined] {
  const own = text(headers['x-request-id']);
  return own === undefined ? [platformHeader, text(headers[platformHeader])] : ['x-request-id', own];
}

/** Appends the headers of the trace. */
function withTrace(headers: string[], trace: string | undefined, { traceparent }: Trace): string[] {
  if (trace !== undefined) headers.push('TraceId', trace);
  if (traceparent !== undefined) headers.push('traceparent', traceparent);
  return headers;
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

type Trace = Pick<RequestIds, 'traceId' | 'parentId' | 'spanId' | 'sampled' | 'traceparent'>;

/** @param made whether this server has made the id */
function traceOf(given: string | undefined, id: string, made: boolean, sampler: Sampler): Trace {
  if (given !== undefined && TRACEPARENT.test(given)) {
    const flags = Number.parseInt(given.slice(53, 55), 16) & (FLAGS.sampled | FLAGS.random);
    return traceWith(given.slice(3, 35), given.slice(36, 52), flags);
  }
  const traceId = made ? randomDigits(id) : newTraceId(id);
  if (sampler === undefined) return { traceId, parentId: undefined, spanId: '', sampled: false, traceparent: undefined };
  return traceWith(traceId, undefined, sampler(traceId) ? FLAGS.sampled | FLAGS.random : FLAGS.random);
}

/** A new span in a trace. */
function traceWith(traceId: string, parentId: string | undefined, flags: number): Trace {
  const spanId = newSpanId();
  return { traceId, parentId, spanId, sampled: (flags & FLAGS.sampled) !== 0, traceparent: `00-${traceId}-${spanId}-0${flags}` };
}

/** 16 hexadecimal digits. */
export function newSpanId(): string {
  const uuid = randomUUID();
  // These digits contain neither the version nor the variant of the UUID, so all are random.
  return uuid.slice(0, 8) + uuid.slice(24, 32);
}

/** The digits of a client's UUID where samplers find random ones in it, else a new trace id. */
function newTraceId(id: string): string {
  return RANDOM_UUID.test(id) ? withoutDashes(id).toLowerCase() : randomDigits(randomUUID());
}

function withoutDashes(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
}

/**
 * The digits of a UUID, with random ones in place of the two that version and variant fix. Why:
 * samplers read different digits of a trace id, and take them for random.
 */
function randomDigits(uuid: string): string {
  const two = Math.floor(Math.random() * 256);
  // The short parts first: V8 copies a text of less than 13 characters, and links longer ones.
  const middle = DIGITS.charAt(two >> 4) + uuid.slice(15, 18) + DIGITS.charAt(two & 15) + uuid.slice(20, 23);
  return uuid.slice(0, 8) + uuid.slice(9, 13) + middle + uuid.slice(24);
}
