import { isUtf8 } from 'node:buffer';
import { type ErrorCode, failures, type ServerError } from '../errors.ts';
import { filteredQuery } from '../request/query.ts';
import { wholeCharacters } from '../request/text.ts';
import { textType } from '../request/content-types.ts';
import { newSpanId, type RequestIds } from '../request/request-ids.ts';
import type { TelemetryExporter } from './exporter.ts';
import { spansOf, type ScoringTimes } from './spans.ts';

/** Longest text of a body that is sent, in UTF-16 units. */
const LONGEST_TEXT = 8192;
/** Bytes that hold such a text in any case: a unit takes three at most. */
const MOST_BYTES = 3 * (LONGEST_TEXT + 1);
/** The Python server's text: docs/telemetry.md. */
const NO_TEXT = '"Scoring request response payload is a non serializable object or raw binary"';

/** As in the Python server, a request that the router refused is not reported. */
const NOT_SENT: ReadonlySet<ErrorCode> = new Set(['not_found', 'method_not_allowed']);

/** A request that is over, with all fields that may be sent. */
export interface ExportedRequest {
  readonly route: { readonly path: string; readonly scores?: boolean };
  readonly method: string;
  /** With scheme and host where the client sent them. */
  readonly url: string;
  /** Of HTTP. */
  readonly protocolVersion: string;
  /** A header of the request that has one value. */
  header(name: 'user-agent'): string | undefined;
  readonly status: number;
  /** Name of gRPC's status; undefined for other protocols. */
  readonly rpcStatus?: string | undefined;
  readonly ids: RequestIds;
  readonly failure: ServerError | undefined;
  /** The caller is known to be one who may call. */
  readonly callerPassed: boolean;
  readonly reply:
    | { readonly headers: readonly (readonly [string, string])[]; readonly body: unknown; readonly runMs: number | undefined }
    | undefined;
  readonly scoring: { readonly times?: ScoringTimes } | undefined;
  /** Beginning of the body; undefined where inputs are not sent. */
  readonly input: string | undefined;
}

export interface ExportChoice {
  /** Requests, traces and exceptions go to Application Insights. */
  readonly insights: boolean;
  readonly responses: boolean;
  readonly modelData: boolean;
  /**
   * True where the script redacts collected data. Then neither bodies nor queries are sent, because
   * its hook does not see them here.
   */
  readonly redacts: () => boolean;
  /** Spans go to an OpenTelemetry collector. */
  readonly spans: boolean;
}

interface Sent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  readonly url: string;
  /** True: neither input nor answer is sent. */
  readonly withheld: boolean;
}

/** Makes telemetry of requests that are over. */
export class RequestExports {
  readonly #exporter: TelemetryExporter;
  readonly choice: ExportChoice;

  constructor(exporter: TelemetryExporter, choice: ExportChoice) {
    this.#exporter = exporter;
    this.choice = choice;
  }

  write(request: ExportedRequest, ms: number): void {
    const { failure, callerPassed } = request;
    // Whoever may not call would decide how much telemetry is paid for.
    if (!callerPassed || (failure !== undefined && NOT_SENT.has(failure.code))) return;
    const { insights, spans } = this.choice;
    const traced = spans && request.ids.sampled;
    if (!insights && !traced) return;
    const at = Date.now() - ms;
    const withheld = this.choice.redacts();
    const url = filteredUrl(request.url, withheld);
    if (insights) this.#insights(request, { at, ms, url, withheld });
    if (traced) for (const span of spansOf(request, url, at, ms)) this.#exporter.add(span);
  }

  #insights(request: ExportedRequest, { at, ms, url, withheld }: Sent): void {
    const { route, method, status, ids, failure } = request;
    const [responses, modelData] = [this.choice.responses && !withheld, this.choice.modelData && !withheld];
    const response = responses || modelData ? responseText(request) : undefined;
    // No exception for an error of the client, which its request shows, nor for overload, which the
    // metrics show.
    const fault = failure !== undefined && ['user', 'server'].includes(failures[failure.code].fault);
    const collected = modelData && route.scores === true && status < 300;
    const spanId = ids.spanId !== '' ? ids.spanId : fault || collected ? newSpanId() : undefined;
    this.#exporter.add({
      kind: 'request',
      at,
      ms,
      route: route.path,
      method,
      url,
      status,
      requestId: ids.id,
      clientRequestId: ids.clientRequestId,
      traceId: ids.traceId,
      spanId,
      parentId: ids.parentId,
      response: responses ? response : undefined,
    });
    const common = { at, requestId: ids.id, clientRequestId: ids.clientRequestId ?? '', traceId: ids.traceId, parentId: spanId };
    if (fault) this.#exporter.add({ kind: 'exception', ...common, code: failure.code, message: failure.message });
    if (collected)
      this.#exporter.add({
        kind: 'trace',
        ...common,
        level: 'info',
        message: 'model_data_collection',
        properties: { Input: request.input ?? '', Prediction: response ?? '' },
      });
  }
}

/** A URL without a user name, and with no value of its query that may be a key. */
function filteredUrl(whole: string, withheld: boolean): string {
  const url = whole.includes('@') ? whole.replace(/^(https?:\/\/)[^/?]*@/i, '$1') : whole;
  const at = url.indexOf('?');
  if (at < 0) return url;
  return withheld ? url.slice(0, at) : `${url.slice(0, at + 1)}${filteredQuery(url)}`;
}

/**
 * The text of a body, cut one unit behind the limit, so that its reader sees the cut; a fixed text
 * in place of a body that is no text, or no UTF-8.
 * @param contentType of the whole
 */
export function bodyText(pieces: readonly Buffer[], contentType: string): string {
  if (textType(contentType)?.exported !== true) return NO_TEXT;
  const bytes: Buffer[] = [];
  let length = 0;
  for (const piece of pieces) {
    if (length > MOST_BYTES) break;
    bytes.push(piece.subarray(0, MOST_BYTES - length));
    length += piece.length;
  }
  const [first] = bytes;
  const beginning = first !== undefined && bytes.length === 1 ? first : Buffer.concat(bytes);
  const whole = length > MOST_BYTES ? wholeCharacters(beginning) : beginning;
  return isUtf8(whole) ? whole.toString().slice(0, LONGEST_TEXT + 1) : NO_TEXT;
}

function responseText({ failure, reply }: ExportedRequest): string | undefined {
  if (failure !== undefined) return JSON.stringify({ message: failure.clientMessage });
  if (reply === undefined) return undefined;
  const contentType = reply.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  return Buffer.isBuffer(reply.body) ? bodyText([reply.body], contentType) : NO_TEXT;
}
