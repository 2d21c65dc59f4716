import type { Config } from '../config/config.ts';
import type { Sampler } from '../request/request-ids.ts';
import { originOf } from '../guards/addresses.ts';
import { telemetryOptions } from '../config/telemetry-options.ts';
import { fileDenial, isFile } from '../system/folders.ts';
import type { SpanSettings } from './exporting/items.ts';

/**
 * The settings that OpenTelemetry's variables ask for:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
 */
export interface Tracing {
  readonly spans: SpanSettings;
  readonly sampler: NonNullable<Sampler>;
  /**
   * Requests that this server does not support. They stop nothing, because platforms set these
   * variables for all containers.
   */
  readonly warnings: readonly string[];
}

type TracingConfig = Pick<
  Config,
  | 'otlpEndpoint'
  | 'otlpProtocol'
  | 'otelDisabled'
  | 'tracesExporter'
  | 'otelServiceName'
  | 'resourceAttributes'
  | 'traceSampler'
  | 'traceShare'
>;

const PROTOCOLS = ['http/json', 'http/protobuf'] as const;

/** What is wrong with a value; undefined: nothing. */
type Complaint = (value: string) => string | undefined;

const unreadable: Complaint = (path) => {
  const problem = fileDenial(path) ?? (isFile(path) ? undefined : 'there is no such file');
  return problem === undefined ? undefined : `${path} cannot be read: ${problem}`;
};
/** Variables that the exporter itself reads. It ignores wrong ones without a word. */
const EXPORTER: Readonly<Record<string, Complaint>> = {
  HEADERS: () => undefined,
  TIMEOUT: (value) => (Number(value) > 0 && Number.isFinite(Number(value)) ? undefined : `expected milliseconds, got ${value}`),
  COMPRESSION: (value) => (/^(?:none|gzip)$/.test(value.trim()) ? undefined : `expected none or gzip, got ${value}`),
  CERTIFICATE: unreadable,
  CLIENT_CERTIFICATE: unreadable,
  CLIENT_KEY: unreadable,
};
const EXPORTER_NAME = /^OTEL_EXPORTER_OTLP_(?:TRACES_)?/;
/** Names that Kubernetes sets for a Service such as `otel-collector`. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)$/;
/** Values that ask for this server's only behaviour. */
const AS_ASKED: Readonly<Record<string, RegExp>> = {
  OTEL_PROPAGATORS: /\btracecontext\b/,
  OTEL_METRICS_EXPORTER: /^(?:none|prometheus)$/,
  OTEL_LOGS_EXPORTER: /^none$/,
};

/**
 * Reads the variables. Answers undefined where no spans are sent.
 * @param names attributes that the variables may override
 */
export function tracingOf(config: TracingConfig, names: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): Tracing | undefined {
  const { otlpEndpoint: url, otlpProtocol, tracesExporter, traceSampler } = config;
  if (url === '' || config.otelDisabled || tracesExporter === 'none' || traceSampler === 'always_off') return undefined;
  const warnings: string[] = [];
  const protocol = PROTOCOLS.find((known) => known === otlpProtocol);
  if (protocol === undefined)
    warnings.push(
      `OTEL_EXPORTER_OTLP_PROTOCOL: ${otlpProtocol} is not supported, only ${PROTOCOLS.join(' and ')}: spans go as http/json to ${originOf(url)}`,
    );
  if (tracesExporter !== 'otlp')
    warnings.push(`OTEL_TRACES_EXPORTER: ${tracesExporter} is not supported, only otlp and none: spans go to ${originOf(url)}`);
  const spans: SpanSettings = {
    url,
    protocol: protocol ?? 'http/json',
    resource: {
      ...names,
      ...attributesOf(config.resourceAttributes, warnings),
      ...(config.otelServiceName !== '' && { 'service.name': config.otelServiceName }),
    },
  };
  const sampler = samplerOf(shareOf(config, warnings));
  warnings.push(...complaints(env));
  const without = withoutEffect(env);
  if (without.length > 0)
    warnings.push(`variables that have no effect here: ${without.join(', ')} (docs/telemetry.md lists those that have)`);
  return { spans, sampler, warnings };
}

/**
 * Share of the traces that begin here. A caller's decision always comes first, whatever the
 * sampler's name.
 */
function shareOf({ traceSampler, traceShare }: TracingConfig, warnings: string[]): number {
  const name = traceSampler === '' ? 'parentbased_traceidratio' : traceSampler;
  const known = /^(?:parentbased_)?(always_on|always_off|traceidratio)$/.exec(name)?.[1];
  if (known === undefined || !name.startsWith('parentbased_'))
    warnings.push(`OTEL_TRACES_SAMPLER: ${name} is not supported: it is taken as parentbased_${known ?? 'traceidratio'}`);
  if (known === 'always_on') return 1;
  return known === 'always_off' ? 0 : traceShare;
}

/** Digits that the sampler compares: the first 48 of 56 random bits, because a number holds 53. */
const COMPARED = { from: 18, to: 30 };

/**
 * Decides by the trace id's last 14 digits, as OpenTelemetry's ProbabilitySampler does, so that all
 * services record the same traces. Why those: they are random in a UUID, too.
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
function samplerOf(share: number): NonNullable<Sampler> {
  const threshold = Math.round((1 - share) * 16 ** (COMPARED.to - COMPARED.from));
  return (traceId) => Number.parseInt(traceId.slice(COMPARED.from, COMPARED.to), 16) >= threshold;
}

/**
 * Reads W3C baggage: `name=value,name=value`, percent-encoded. One wrong pair makes the whole list
 * invalid.
 */
function attributesOf(list: string, warnings: string[]): Record<string, string> {
  try {
    return Object.fromEntries(
      list
        .split(',')
        .filter((pair) => pair.trim() !== '')
        .map((pair) => {
          const [name = '', ...rest] = pair.split('=');
          if (name.trim() === '' || rest.length === 0) throw new Error('expected name=value');
          return [decodeURIComponent(name.trim()), decodeURIComponent(rest.join('=').trim())];
        }),
    );
  } catch (thrown) {
    warnings.push(`OTEL_RESOURCE_ATTRIBUTES: ${thrown instanceof Error ? thrown.message : String(thrown)}; it is left out`);
    return {};
  }
}

function complaints(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    const complaint = value === '' ? undefined : exporterRow(name)?.(value);
    return complaint === undefined ? [] : [`${name}: ${complaint}. It is ignored`];
  });
}

function exporterRow(name: string): Complaint | undefined {
  const row = name.replace(EXPORTER_NAME, '');
  return row !== name && Object.hasOwn(EXPORTER, row) ? EXPORTER[row] : undefined;
}

function withoutEffect(env: NodeJS.ProcessEnv): string[] {
  const ours = new Set(Object.values(telemetryOptions).flatMap((row) => [...row.env]));
  return Object.keys(env)
    .filter((name) => name.startsWith('OTEL_') && env[name] !== '' && !ours.has(name) && exporterRow(name) === undefined)
    .filter((name) => AS_ASKED[name]?.test(env[name] ?? '') !== true && !SERVICE_LINK.test(name))
    .toSorted();
}
