import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { makeCertificate } from '../e2e/certificate.ts';
import { folder } from '../set-up/folder.ts';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly Attribute[];
}
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly scope: Scope; readonly spans: readonly Span[] }[];
  }[];
}
/** Which library made the spans. */
interface Scope {
  readonly name: string;
  readonly version?: string;
}

const message = protobuf
  .parse(readFileSync(new URL('trace.proto', import.meta.url), 'utf8'), { keepCase: true })
  .root.lookupType('ExportTraceServiceRequest');

/** An OpenTelemetry collector that keeps its spans. */
export interface SpanCollector {
  readonly url: string;
  /** Undefined where it speaks plain HTTP. */
  readonly certificate: string | undefined;
  readonly spans: Span[];
  /** Method, path, content type, encoding and the header x-key of each request. */
  readonly requests: string[];
  /** Attributes of whom they came from. */
  readonly resources: Record<string, unknown>[];
  readonly scopes: Scope[];
}

interface Wishes {
  /** Of its answers. */
  readonly status?: number;
  readonly tls?: boolean;
}

export async function startCollector(t: TestContext, { status = 200, tls = false }: Wishes = {}): Promise<SpanCollector> {
  const files = tls ? makeCertificate(folder()) : undefined;
  const got = { spans: [] as Span[], requests: [] as string[], resources: [] as Record<string, unknown>[], scopes: [] as Scope[] };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { 'content-type': type = '', 'content-encoding': encoding = '-', 'x-key': key = '-' } = request.headers;
    got.requests.push([request.method, request.url, type, encoding, key].join(' '));
    const body = await buffer(request);
    const { resourceSpans } = read(encoding === 'gzip' ? gunzipSync(body) : body, type);
    for (const { resource, scopeSpans } of resourceSpans) {
      got.resources.push(objectOf(resource.attributes));
      got.scopes.push(...scopeSpans.map(({ scope }) => scope));
      if (status === 200) for (const { spans } of scopeSpans) got.spans.push(...spans);
    }
    response.writeHead(status, { 'content-type': type }).end(type === 'application/json' ? '{}' : '');
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void take(request, response).catch(() => response.destroy());
  const server =
    files === undefined
      ? createPlain(listener)
      : createSecure({ key: readFileSync(files.key), cert: readFileSync(files.certificate) }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { ...got, url, certificate: files?.certificate };
}

export const objectOf = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key }) => [key, valueOf(attributes, key)]));

export const valueOf = (attributes: readonly Attribute[], key: string): unknown => {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};

function read(body: Buffer, contentType: string): ExportRequest {
  if (contentType === 'application/json') return JSON.parse(body.toString()) as ExportRequest;
  const hex = (id: unknown): string => Buffer.from(String(id), 'base64').toString('hex');
  const { resourceSpans } = message.toObject(message.decode(body), { longs: Number, bytes: String, arrays: true }) as ExportRequest;
  const spanOf = (span: Span): Span => ({
    ...span,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId ?? ''),
  });
  return {
    resourceSpans: resourceSpans.map(({ resource, scopeSpans }) => ({
      resource,
      scopeSpans: scopeSpans.map(({ scope, spans }) => ({ scope, spans: spans.map(spanOf) })),
    })),
  };
}
