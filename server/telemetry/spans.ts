import { newSpanId, type RequestIds } from '../request/request-ids.ts';
import type { ServerError } from '../errors.ts';
import type { RunTimes } from '../ipc/worker-messages.ts';
import type { SpanItem } from './exporting/items.ts';

/** Times of a scoring request. */
export interface ScoringTimes {
  /** On this process's monotonic clock, in milliseconds. */
  readonly admittedAt: number;
  /** Undefined where it never reached a worker. */
  readonly queueMs: number | undefined;
  readonly run: RunTimes | undefined;
}

interface Traced {
  readonly route: { readonly path: string };
  readonly method: string;
  readonly status: number;
  readonly ids: RequestIds;
  readonly failure: ServerError | undefined;
  readonly scoring: { readonly times?: ScoringTimes } | undefined;
}

/**
 * Spans of one request: request > queue, run > inference. Attributes have the names of
 * OpenTelemetry's semantic conventions for HTTP.
 */
export function spansOf({ route, method, status, ids, failure, scoring }: Traced, url: string, at: number, ms: number): SpanItem[] {
  const { traceId, spanId, parentId } = ids;
  const part = (name: string, parent: string, from: number, long: number, attributes: SpanItem['attributes'] = {}): SpanItem => ({
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
  const request: SpanItem = {
    ...part(`${method} ${route.path}`, '', at, ms, {
      'http.request.method': method,
      'http.route': route.path,
      'http.response.status_code': status,
      'url.full': url,
      'scoring.request_id': ids.id,
      ...(failure !== undefined && { 'error.type': failure.code }),
    }),
    server: true,
    spanId,
    parentId,
    failed: status >= 500,
  };
  const spans = [request];
  const { admittedAt = 0, queueMs, run } = scoring?.times ?? {};
  if (queueMs !== undefined) spans.push(part('queue', spanId, performance.timeOrigin + admittedAt, queueMs));
  if (run === undefined) return spans;
  const running: SpanItem = { ...part('run', spanId, run.at, run.ms), failed: failure?.code === 'run_failed' };
  spans.push(running);
  for (const { model, rows, at: from, ms: long } of run.inferences)
    spans.push(part('inference', running.spanId, from, long, { 'inference.model': model, 'inference.batch_rows': rows }));
  return spans;
}
