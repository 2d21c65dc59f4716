import { newSpanId } from '../request/request-ids.ts';
import type { RunTimes } from '../ipc/worker-messages.ts';
import type { SpanItem } from './exporting/items.ts';
import type { ExportedRequest } from './request-exports.ts';

/** Times of a scoring request. */
export interface ScoringTimes {
  /** On this process's monotonic clock, in milliseconds. */
  readonly admittedAt: number;
  /** Undefined where it never reached a worker. */
  readonly queueMs: number | undefined;
  readonly run: RunTimes | undefined;
}

type Attributes = SpanItem['attributes'];

/** Spans of one request: request > queue, run > inference. @param url filtered */
export function spansOf(request: ExportedRequest, url: string, at: number, ms: number): SpanItem[] {
  const { ids, failure, scoring } = request;
  const { traceId, spanId, parentId } = ids;
  const part = (name: string, parent: string, from: number, long: number, attributes: Attributes = {}): SpanItem => ({
    kind: 'span',
    name,
    server: false,
    at: from,
    ms: long,
    traceId,
    spanId: newSpanId(),
    parentId: parent,
    failed: false,
    attributes,
  });
  const { name, failed, attributes } = request.rpcStatus === undefined ? httpSpan(request, url) : rpcSpan(request, request.rpcStatus, url);
  const whole = part(name, '', at, ms, { ...attributes, 'scoring.request_id': ids.id });
  const spans: SpanItem[] = [{ ...whole, server: true, spanId, parentId, failed }];
  const { admittedAt = 0, queueMs, run } = scoring?.times ?? {};
  if (queueMs !== undefined) spans.push(part('queue', spanId, performance.timeOrigin + admittedAt, queueMs));
  if (run === undefined) return spans;
  const running: SpanItem = { ...part('run', spanId, run.at, run.ms), failed: failure?.code === 'run_failed' };
  spans.push(running);
  for (const { model, rows, at: from, ms: long } of run.inferences)
    spans.push(part('inference', running.spanId, from, long, { 'inference.model': model, 'inference.batch_rows': rows }));
  return spans;
}

/** What a protocol decides about the span of a request. */
type ServerSpan = Pick<SpanItem, 'name' | 'failed' | 'attributes'>;

/** Methods of RFC 9110, PATCH and QUERY: the convention has one word for all others. */
const METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span */
function httpSpan(request: ExportedRequest, url: string): ServerSpan {
  const { route, method, status, failure, protocolVersion } = request;
  const userAgent = request.header('user-agent');
  const known = METHODS.has(method);
  const { server, path, query } = partsOf(url);
  // The client has left: no status was sent.
  const left = failure?.code === 'client_gone';
  const failed = status >= 500 || left;
  const matched = route.path !== '*';
  const verb = known ? method : 'HTTP';
  return {
    name: matched ? `${verb} ${route.path}` : verb,
    failed,
    attributes: {
      'http.request.method': known ? method : '_OTHER',
      ...(!known && { 'http.request.method_original': method }),
      ...(matched && { 'http.route': route.path }),
      ...(!left && { 'http.response.status_code': status }),
      ...(failed && { 'error.type': failure?.code ?? String(status) }),
      'url.scheme': 'http',
      'url.path': path,
      ...(query !== '' && { 'url.query': query }),
      ...server,
      'network.protocol.version': protocolVersion,
      ...(userAgent !== undefined && { 'user_agent.original': userAgent }),
    },
  };
}

/** The codes that are errors of a server. */
const RPC_ERRORS: ReadonlySet<string> = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

/** Names and values: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/#server */
function rpcSpan({ failure }: ExportedRequest, rpcStatus: string, url: string): ServerSpan {
  const { server, path } = partsOf(url);
  const method = path.slice(1);
  const failed = RPC_ERRORS.has(rpcStatus);
  return {
    name: method,
    failed,
    attributes: {
      'rpc.system.name': 'grpc',
      'rpc.method': method,
      'rpc.response.status_code': rpcStatus,
      ...(failed && { 'error.type': rpcStatus }),
      ...(failure !== undefined && { 'scoring.failure': failure.code }),
      ...server,
    },
  };
}

/** @param url absolute, or a path where the client named no host */
function partsOf(url: string): { readonly server: Attributes; readonly path: string; readonly query: string } {
  const [, authority, target = ''] = /^(?:https?:\/\/([^/?]*))?(.*)$/is.exec(url) ?? [];
  const at = target.indexOf('?');
  const [path, query] = at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
  const address = authority === undefined ? null : URL.parse(`http://${authority}`);
  const server =
    address === null ? {} : { 'server.address': address.hostname.replace(/^\[|\]$/g, ''), 'server.port': Number(address.port || 80) };
  return { server, path, query };
}
