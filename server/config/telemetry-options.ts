import { connectionString, flag, integer, option, share, text, url } from './option-values.ts';

/** The rows of config.ts that tell what operators see, and where. */
export const telemetryOptions = {
  metricsPort: option({
    env: ['METRICS_PORT'],
    flag: 'metrics-port',
    default: 0,
    parse: integer(0, 65535),
    doc: 'port of `/metrics`, which is then served there only; 0: on `PORT`',
  }),
  statusPage: option({
    env: ['STATUS_PAGE'],
    default: false,
    parse: flag,
    doc: 'serve the page `/status`, which draws what `/metrics` shows, beside it',
  }),
  appInsightsConnectionString: option({
    env: ['APPLICATIONINSIGHTS_CONNECTION_STRING'],
    default: '',
    parse: connectionString,
    doc: 'sends requests, traces and exceptions to Application Insights',
  }),
  appInsightsEnabled: option({
    env: ['AML_APP_INSIGHTS_ENABLED'],
    default: false,
    parse: flag,
    doc: 'the same, with `AML_APP_INSIGHTS_KEY`',
  }),
  appInsightsKey: option({
    env: ['AML_APP_INSIGHTS_KEY'],
    flag: 'appinsights-instrumentation-key',
    flagSets: { appInsightsEnabled: true },
    default: '',
    parse: text,
    doc: 'instrumentation key, a GUID; the flag also switches Application Insights on',
  }),
  appInsightsResponses: option({
    env: ['APP_INSIGHTS_LOG_RESPONSE_ENABLED'],
    default: true,
    parse: flag,
    doc: 'send answers to Application Insights, as `Response Value`, cut at 8192 characters',
  }),
  appInsightsOutput: option({
    env: ['APP_INSIGHTS_LOG_OUTPUT_ENABLED'],
    default: true,
    parse: flag,
    doc: 'send what the entry script logs to Application Insights, as traces',
  }),
  otlpEndpoint: option({
    env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    default: '',
    parse: url,
    aliasParse: (value) => `${url(value).replace(/\/+$/, '')}/v1/traces`,
    doc: 'sends spans to an OpenTelemetry collector: the first is the whole address, the second one to which `/v1/traces` is added',
  }),
  otlpProtocol: option({
    env: ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    default: 'http/json',
    parse: text,
    doc: 'form of the spans, `http/json` or `http/protobuf`',
  }),
  otelDisabled: option({ env: ['OTEL_SDK_DISABLED'], default: false, parse: flag, doc: 'no spans are sent, whatever else is set' }),
  tracesExporter: option({ env: ['OTEL_TRACES_EXPORTER'], default: 'otlp', parse: text, doc: '`none`: no spans are sent' }),
  otelServiceName: option({ env: ['OTEL_SERVICE_NAME'], default: '', parse: text, doc: '`service.name` of spans; unset: `SERVICE_NAME`' }),
  resourceAttributes: option({
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    default: '',
    parse: text,
    doc: 'attributes of the resource of spans, as `name=value,name=value`',
  }),
  traceSampler: option({
    env: ['OTEL_TRACES_SAMPLER'],
    default: '',
    parse: text,
    doc: '`parentbased_always_on`, `parentbased_always_off`, `parentbased_traceidratio` or `always_off`; unset: `parentbased_traceidratio`',
  }),
  traceShare: option({
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    default: 1,
    parse: share,
    doc: 'share of the requests that are traced, by trace id, where a `traceparent` has not decided it',
  }),
  workspaceName: option({ env: ['WORKSPACE_NAME'], default: '', parse: text, doc: '`Workspace Name` in Application Insights' }),
  containerId: option({
    env: ['HOSTNAME'],
    default: '',
    parse: text,
    doc: "`Container Id` in Application Insights; unset: the machine's name",
  }),
};
