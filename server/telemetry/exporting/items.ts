/** What the host hands to the thread that sends telemetry, and what the thread tells it. */

export interface RequestItem {
  readonly kind: 'request';
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  readonly route: string;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly traceId: string;
  /** Undefined: nobody was told of it, so that the thread may choose one. */
  readonly spanId: string | undefined;
  readonly parentId: string | undefined;
  /** Text of the answer; undefined: not sent. */
  readonly response: string | undefined;
}

export interface TraceItem {
  readonly kind: 'trace';
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly requestId: string | undefined;
  readonly clientRequestId?: string | undefined;
  readonly traceId: string | undefined;
  /** Span id of the request that it belongs to. */
  readonly parentId?: string | undefined;
  readonly properties?: Readonly<Record<string, string>>;
}

export interface ExceptionItem {
  readonly kind: 'exception';
  readonly at: number;
  /** Code of the failure. */
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly traceId: string | undefined;
  readonly parentId?: string | undefined;
}

export interface SpanItem {
  readonly kind: 'span';
  readonly name: string;
  /** Server: of a request that came from outside. Internal: a part of it. */
  readonly server: boolean;
  readonly at: number;
  readonly ms: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

export type InsightItem = RequestItem | TraceItem | ExceptionItem;
export type ItemKind = (InsightItem | SpanItem)['kind'];

/** Why an item was not delivered. */
export type DropReason =
  /** The server refused it, for good or until we gave up. */
  | 'rejected'
  /** No connection until we gave up. */
  | 'unreachable'
  /** Sent, but no answer came: it may have arrived, and is not sent twice. */
  | 'unconfirmed';

/** How the thread is set up. */
export interface ExportSettings {
  readonly serverVersion: string;
  readonly serviceName: string;
  readonly workspaceName: string;
  readonly containerId: string;
  /** `name:version` of the registered models. */
  readonly models: readonly string[];
  /** Undefined: nothing goes to Application Insights. */
  readonly connectionString: string | undefined;
  /** The variables that name proxies. */
  readonly proxies: Readonly<Record<string, string | undefined>>;
  /** Undefined: no spans. */
  readonly spans: SpanSettings | undefined;
}

/** How spans go to an OpenTelemetry collector. */
export interface SpanSettings {
  readonly url: string;
  readonly protocol: 'http/json' | 'http/protobuf';
  /** Attributes of whom the spans come from. */
  readonly resource: Readonly<Record<string, string>>;
}

/** host -> thread. */
export type ToThread =
  /** Items as lines: of requests see `writeRequestLine`, others are JSON. */
  | { readonly insights: string; readonly spans: string }
  /** Send what is left without long pauses, then say `flushed`. */
  | 'flush';

/** thread -> host: what has become of items since the last message. */
export interface FromThread {
  readonly delivered: Partial<Record<ItemKind, number>>;
  readonly dropped: readonly { readonly kind: ItemKind; readonly reason: DropReason; readonly count: number }[];
  /** Size of those items, as it was handed over. */
  readonly bytes: number;
  readonly flushed: boolean;
  /** A problem, told once until something is delivered. */
  readonly problem?: string | undefined;
}
