// Messages between the host and the thread that sends telemetry.

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
  /** Undefined: no other item refers to it, so that the thread chooses one. */
  readonly spanId: string | undefined;
  readonly parentId: string | undefined;
  /** Text of the answer; undefined where it is not sent. */
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
  /** True: the request itself. False: a part of it. */
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

/** Why the thread did not deliver an item. */
export type DropReason = (typeof dropReasons)[number];
export const dropReasons = [
  /** The service refused it for good, or at each try. */
  'rejected',
  /** No try found a connection. */
  'unreachable',
  /** Sent, without an answer. It may have arrived, and is not sent twice. */
  'unconfirmed',
] as const;

/** The thread reads this as it starts. */
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
  /** Attributes of this server, the source of the spans. */
  readonly resource: Readonly<Record<string, string>>;
}

/** host -> thread. */
export type ToThread =
  /** Items as lines. Requests: see `writeRequestLine`. Others: JSON. */
  | { readonly insights: string; readonly spans: string }
  /** Send the rest without long waits, then report `flushed`. */
  | 'flush';

/** thread -> host: outcomes of items since the last message. */
export interface FromThread {
  readonly delivered: Partial<Record<ItemKind, number>>;
  readonly dropped: readonly { readonly kind: ItemKind; readonly reason: DropReason; readonly count: number }[];
  /** Length of their lines. */
  readonly bytes: number;
  readonly flushed: boolean;
  /** Reported once until something is delivered. */
  readonly problem?: string | undefined;
}
