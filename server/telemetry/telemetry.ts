import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { proxiesOf } from '../config/proxies.ts';
import type { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { isGuid } from '../config/option-values.ts';
import type { Sampler } from '../request/request-ids.ts';
import { readableEntries } from '../system/folders.ts';
import { TelemetryExporter } from './exporter.ts';
import type { Metrics } from './metrics.ts';
import { tracingOf } from './otel.ts';
import { RequestExports } from './request-exports.ts';

/** A line that an entry script logged. */
interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly msg: string;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  /** Of the request during which it was logged. */
  readonly spanId?: string | undefined;
}

/** All telemetry that leaves the process. */
export class Telemetry {
  readonly exports: RequestExports;
  /** Decides which of the traces that begin here are recorded. */
  readonly sampler: Sampler;
  readonly #exporter: TelemetryExporter;
  readonly #sendsOutput: boolean;

  constructor(exporter: TelemetryExporter, exports: RequestExports, sampler: Sampler, sendsOutput: boolean) {
    this.#exporter = exporter;
    this.exports = exports;
    this.sampler = sampler;
    this.#sendsOutput = sendsOutput;
  }

  /**
   * True where Application Insights would get bodies, but does not, because the script redacts
   * collected data.
   */
  get withholds(): boolean {
    const { insights, responses, modelData, redacts } = this.exports.choice;
    return insights && (responses || modelData) && redacts();
  }

  logged({ level, msg, requestId, traceId, spanId }: Line): void {
    if (this.#sendsOutput) this.#exporter.add({ kind: 'trace', at: Date.now(), level, message: msg, requestId, traceId, parentId: spanId });
  }

  /** Reports why the server cannot serve. */
  failed(error: ServerError): void {
    if (!this.exports.choice.insights) return;
    const unknown = { requestId: 'Unknown', clientRequestId: 'Unknown', traceId: undefined };
    this.#exporter.add({ kind: 'exception', at: Date.now(), code: error.code, message: error.message, ...unknown });
  }

  /** Sends the rest within the limit. Answers false where the thread does not end. */
  stop(limitMs: number): Promise<boolean> {
    return this.#exporter.stop(limitMs);
  }
}

/**
 * Opens the exports that the options ask for. Answers undefined, and loads nothing, where they ask
 * for none.
 */
export function openTelemetry(
  config: Config,
  around: {
    readonly modelDir: string | undefined;
    readonly serverVersion: string;
    readonly env: NodeJS.ProcessEnv;
    readonly metrics: Metrics;
    readonly log: Log;
    /** True where the script redacts collected data, and before a worker is ready to say it. */
    readonly redacts: () => boolean;
  },
): Telemetry | undefined {
  const connectionString = insightsConnection(config);
  if (config.appInsightsEnabled && connectionString === undefined)
    around.log.warn('Application Insights is off: AML_APP_INSIGHTS_KEY is no GUID (or use APPLICATIONINSIGHTS_CONNECTION_STRING)');
  const { serviceName } = config;
  const containerId = config.containerId === '' ? hostname() : config.containerId;
  const tracing = tracingOf(config, { 'service.name': serviceName, 'service.instance.id': containerId }, around.env);
  if (connectionString === undefined && tracing === undefined) return undefined;
  for (const warning of tracing?.warnings ?? []) around.log.warn(warning);
  const settings = {
    serverVersion: around.serverVersion,
    serviceName,
    workspaceName: config.workspaceName,
    containerId,
    models: modelIds(around.modelDir),
    connectionString,
    proxies: proxiesOf(around.env),
    spans: tracing?.spans,
  };
  const exporter = new TelemetryExporter(settings, around.env, around.metrics, around.log);
  const insights = connectionString !== undefined;
  const exports = new RequestExports(exporter, {
    insights,
    responses: config.appInsightsResponses,
    modelData: insights && (config.mdcStorageEnabled || config.mdcTraces),
    redacts: around.redacts,
    spans: tracing !== undefined,
  });
  return new Telemetry(exporter, exports, tracing?.sampler, insights && config.appInsightsOutput);
}

/**
 * A connection string comes first. Without one the key counts, as in the Python server, if it is a
 * GUID: docs/telemetry.md.
 */
export function insightsConnection(
  config: Pick<Config, 'appInsightsConnectionString' | 'appInsightsEnabled' | 'appInsightsKey'>,
): string | undefined {
  if (config.appInsightsConnectionString !== '') return config.appInsightsConnectionString;
  return config.appInsightsEnabled && isGuid(config.appInsightsKey) ? `InstrumentationKey=${config.appInsightsKey.trim()}` : undefined;
}

/** `name:version` of the models in the registry's layout: docs/models.md. */
export function modelIds(modelDir: string | undefined): string[] {
  if (modelDir === undefined) return [];
  if (/^\d+$/.test(basename(modelDir))) return [`${basename(dirname(modelDir))}:${basename(modelDir)}`];
  return subfolders(modelDir).flatMap((name) =>
    subfolders(`${modelDir}/${name}`)
      .filter((version) => /^\d+$/.test(version))
      .map((version) => `${name}:${version}`),
  );
}

/** Names of the folders in a folder; none where it is a file, or this user may not read it. */
const subfolders = (folder: string): string[] =>
  readableEntries(folder)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
