import { readFileSync } from 'node:fs';
import type { AgentOptions } from 'node:https';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { isFile } from '../../system/folders.ts';
import type { Delivery } from './delivery-queue.ts';
import type { DropReason, ExportSettings, SpanItem, SpanSettings } from './items.ts';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];

type Sender = Pick<ExportSettings, 'serverVersion' | 'proxies'>;

/**
 * Sends spans to an OpenTelemetry collector over HTTP. The exporter itself retries, and reads
 * further variables OTEL_EXPORTER_OTLP_*.
 */
export class Otlp {
  readonly #exporter: Pick<OTLPTraceExporter, 'export'>;
  readonly #common: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>;

  private constructor(exporter: Pick<OTLPTraceExporter, 'export'>, attributes: SpanSettings['resource'], serverVersion: string) {
    this.#exporter = exporter;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a resource the exporter reads the attributes alone
    const resource = { attributes } as unknown as ReadableSpan['resource'];
    const [name = '', version = ''] = serverVersion.split('/');
    this.#common = { resource, instrumentationScope: { name, version } };
  }

  /**
   * Loads the exporter of the protocol, and no other.
   * @param env of the standard's variables for certificates
   */
  static async open({ url, protocol, resource }: SpanSettings, { serverVersion, proxies }: Sender, env: NodeJS.ProcessEnv): Promise<Otlp> {
    const { OTLPTraceExporter: Exporter } =
      protocol === 'http/protobuf'
        ? await import('@opentelemetry/exporter-trace-otlp-proto')
        : await import('@opentelemetry/exporter-trace-otlp-http');
    const httpAgentOptions = { keepAlive: true, proxyEnv: { ...proxies }, ...certificates(env) };
    return new Otlp(new Exporter({ url, httpAgentOptions }), resource, serverVersion);
  }

  /** @param line JSON of a span */
  read(line: string): SpanItem {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the host's outbox has written it, in this process
    return JSON.parse(line) as SpanItem;
  }

  /** Never rejects. */
  send(items: readonly SpanItem[]): Promise<Delivery<SpanItem>> {
    return new Promise((resolve) => {
      this.#exporter.export(
        items.map((item) => this.#span(item)),
        ({ code, error }) => {
          if (code === ExportResultCode.SUCCESS) return resolve({ delivered: items, again: [], lost: [], reason: 'rejected' });
          const problem = `OpenTelemetry collector: ${error?.message ?? 'no reason given'}`;
          resolve({ delivered: [], again: [], lost: items, reason: reasonOf(error), problem });
        },
      );
    });
  }

  #span({ name, server, at, ms, traceId, spanId, parentId, failed, attributes }: SpanItem): ReadableSpan {
    return {
      ...this.#common,
      name,
      kind: server ? SpanKind.SERVER : SpanKind.INTERNAL,
      spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
      ...(parentId !== undefined && { parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: server } }),
      startTime: hrTime(at),
      endTime: hrTime(at + ms),
      duration: hrTime(ms),
      ended: true,
      status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      attributes,
      links: [],
      events: [],
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }
}

/**
 * Reads what the exporter's own agents would read, which know no proxy. Files that cannot be read
 * are told at the start.
 */
function certificates(env: NodeJS.ProcessEnv): Pick<AgentOptions, 'ca' | 'cert' | 'key'> {
  const read = (name: string): Buffer | undefined => {
    const path = env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || '';
    try {
      return isFile(path) ? readFileSync(path) : undefined;
    } catch {
      return undefined;
    }
  };
  return { ca: read('CERTIFICATE'), cert: read('CLIENT_CERTIFICATE'), key: read('CLIENT_KEY') };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}

/**
 * An HTTP status is an answer: the collector rejected the spans. A failed connection may have
 * delivered them or not.
 */
function reasonOf(error: Error | undefined): DropReason {
  if (error !== undefined && 'code' in error && typeof error.code === 'number') return 'rejected';
  const text = `${error?.message ?? ''} ${error?.cause instanceof Error ? error.cause.message : ''}`;
  return /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH/.test(text) ? 'unreachable' : 'unconfirmed';
}
