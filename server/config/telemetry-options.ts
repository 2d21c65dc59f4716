import { connectionString, flag, integer, option, share, text, url, type OptionRows, type Parser } from './option-values.ts';

/** OpenTelemetry's standard takes no other word for true. */
const trueAlone: Parser<boolean> = (value) => {
  const word = value.trim().toLowerCase();
  if (word !== 'true' && word !== 'false') throw new Error('expected true or false');
  return word === 'true';
};

/** One of OpenTelemetry's words, whose case has no meaning. */
const word: Parser<string> = (value) => value.trim().toLowerCase();

/** The address of all signals, with the path of traces. */
const ofTraces: Parser<string> = (value) => {
  const address = new URL(url(value));
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/v1/traces`;
  return address.href;
};

/** Options of metrics, Application Insights and traces: docs/telemetry.md. */
export const telemetryOptions = {
  metricsPort: option({
    env: ['METRICS_PORT'],
    flag: 'metrics-port',
    default: 0,
    parse: integer(0, 65535),
    doc: 'Port of `/metrics` and `/status`, which then are on no other port. 0: they are on `PORT`.',
  }),
  statusPage: option({
    env: ['STATUS_PAGE'],
    default: false,
    parse: flag,
    doc: 'Serves `/status`, a page that draws the metrics. It shows everybody who can reach it how busy the server is.',
  }),
  appInsightsConnectionString: option({
    env: ['APPLICATIONINSIGHTS_CONNECTION_STRING'],
    default: '',
    parse: connectionString,
    otherwise: '',
    doc: 'Connection string of Application Insights: sends requests, traces and exceptions there.',
    secret: true,
  }),
  appInsightsEnabled: option({
    env: ['AML_APP_INSIGHTS_ENABLED'],
    default: false,
    parse: flag,
    otherwise: 'false',
    doc: 'Sends to Application Insights with `AML_APP_INSIGHTS_KEY`. The connection string comes first.',
  }),
  appInsightsKey: option({
    env: ['AML_APP_INSIGHTS_KEY'],
    flag: 'appinsights-instrumentation-key',
    flagSets: { appInsightsEnabled: true },
    default: '',
    parse: text,
    doc: 'Instrumentation key, a GUID. The flag also switches Application Insights on.',
    secret: true,
  }),
  appInsightsResponses: option({
    env: ['APP_INSIGHTS_LOG_RESPONSE_ENABLED'],
    default: true,
    parse: flag,
    otherwise: 'false',
    doc: 'Sends answers to Application Insights, cut at 8192 characters. Switch it off for private data.',
  }),
  appInsightsOutput: option({
    env: ['APP_INSIGHTS_LOG_OUTPUT_ENABLED'],
    default: true,
    parse: flag,
    doc: "Sends the entry script's log lines to Application Insights.",
  }),
  otlpEndpoint: option({
    env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    default: '',
    parse: url,
    aliasParse: ofTraces,
    otherwise: '',
    doc: 'Address that gets the spans. The server appends `/v1/traces` to the second variable.',
    secret: true,
  }),
  otlpProtocol: option({
    env: ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    default: 'http/json',
    parse: word,
    doc: 'Format of the spans: `http/json` or `http/protobuf`.',
  }),
  otelDisabled: option({
    env: ['OTEL_SDK_DISABLED'],
    default: false,
    parse: trueAlone,
    otherwise: '',
    doc: '`true` sends no spans, whatever else is set.',
  }),
  tracesExporter: option({ env: ['OTEL_TRACES_EXPORTER'], default: 'otlp', parse: word, doc: '`none` sends no spans.' }),
  otelServiceName: option({ env: ['OTEL_SERVICE_NAME'], default: '', parse: text, doc: '`service.name` of spans. Unset: `SERVICE_NAME`.' }),
  resourceAttributes: option({
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    default: '',
    parse: text,
    doc: 'Attributes of the resource of spans: `name=value,name=value`.',
  }),
  traceSampler: option({
    env: ['OTEL_TRACES_SAMPLER'],
    default: '',
    parse: word,
    doc: '`always_off`, or `parentbased_` and `always_on`, `always_off` or `traceidratio`. Unset: `parentbased_traceidratio`.',
  }),
  traceShare: option({
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    default: 1,
    parse: share,
    otherwise: '',
    doc: 'Share of new traces that are recorded, 0 to 1. Lower it at thousands of requests a second.',
  }),
  workspaceName: option({ env: ['WORKSPACE_NAME'], default: '', parse: text, doc: '`Workspace Name` in Application Insights.' }),
  containerId: option({
    env: ['HOSTNAME'],
    flag: 'container-id',
    default: '',
    parse: text,
    doc: '`Container Id` in Application Insights. Unset: the name of the machine.',
  }),
} satisfies OptionRows;
