import assert from 'node:assert/strict';
import test from 'node:test';
import { readConfig } from '../../../server/config/read-config.ts';
import { tracingOf, type Tracing } from '../../../server/telemetry/otel.ts';

const ON = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function tracing(env: Record<string, string>): Tracing | undefined {
  const command = readConfig({ argv: [], env, cwd: '/' });
  assert.ok(command.kind === 'serve');
  return tracingOf(command.config, { 'service.name': 'ML service', 'service.instance.id': 'pod' }, env);
}
const warnings = (env: Record<string, string>): readonly string[] => tracing({ ...ON, ...env })?.warnings ?? ['off'];
/** Of a thousand traces, those that are recorded. */
function sampled(env: Record<string, string>): number {
  const sampler = tracing({ ...ON, ...env })?.sampler;
  const ids = Array.from(
    { length: 1000 },
    (_, n) =>
      'f'.repeat(18) +
      Math.floor((n / 1000) * 2 ** 32)
        .toString(16)
        .padStart(8, '0') +
      'f'.repeat(6),
  );
  return ids.filter((id) => sampler?.(id)).length;
}

test('spans go nowhere until an address is given, and where a variable says no', () => {
  assert.equal(tracing({}), undefined);
  assert.equal(tracing({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }), undefined);
  for (const off of [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }, { OTEL_TRACES_SAMPLER: 'always_off' }])
    assert.equal(tracing({ ...ON, ...off }), undefined);
});

test('the address of spans is taken as it is, that of all signals gets their path', () => {
  const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://spans/in?x=1' };
  assert.equal(tracing({ ...ON, ...own })?.spans.url, 'https://spans/in?x=1');
  assert.equal(tracing(own)?.spans.url, 'https://spans/in?x=1');
  assert.equal(tracing(ON)?.spans.url, 'http://collector:4318/v1/traces');
  assert.equal(tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector/otlp/' })?.spans.url, 'http://collector/otlp/v1/traces');
  assert.equal(
    tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://u:p@collector?key=k/' })?.spans.url,
    'https://u:p@collector/v1/traces?key=k/',
  );
});

test('a protocol that is not supported is told, and so is an exporter', () => {
  assert.deepEqual([tracing(ON)?.spans.protocol, tracing(ON)?.warnings], ['http/json', []]);
  const both = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' };
  assert.deepEqual([tracing({ ...ON, ...both })?.spans.protocol, warnings(both)], ['http/protobuf', []]);
  const [said, ...more] = warnings({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  assert.equal(
    said,
    'OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not supported, only http/json and http/protobuf: spans go as http/json to http://collector:4318',
  );
  assert.deepEqual(more, []);
  assert.match(warnings({ OTEL_TRACES_EXPORTER: 'zipkin' }).join(), /^OTEL_TRACES_EXPORTER: zipkin is not supported, only otlp and none/);
});

test("the standard's words are read in either case", () => {
  for (const off of [{ OTEL_TRACES_EXPORTER: 'None' }, { OTEL_TRACES_SAMPLER: 'ALWAYS_OFF ' }, { OTEL_SDK_DISABLED: 'True' }])
    assert.equal(tracing({ ...ON, ...off }), undefined);
  const upper = {
    OTEL_TRACES_EXPORTER: 'OTLP',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/protobuf',
    OTEL_TRACES_SAMPLER: 'ParentBased_Always_Off',
  };
  assert.deepEqual([tracing({ ...ON, ...upper })?.spans.protocol, warnings(upper), sampled(upper)], ['http/protobuf', [], 0]);
});

test('the resource is what the variables say, OTEL_SERVICE_NAME first', () => {
  const resource = (env: Record<string, string>): unknown => tracing({ ...ON, ...env })?.spans.resource;
  const standard = { 'service.name': 'ML service', 'service.instance.id': 'pod' };
  assert.deepEqual(resource({}), standard);
  const OTEL_RESOURCE_ATTRIBUTES = 'service.name=prices, deployment.environment=a%2Cb=c,';
  assert.deepEqual(resource({ OTEL_RESOURCE_ATTRIBUTES }), {
    ...standard,
    'service.name': 'prices',
    'deployment.environment': 'a,b=c',
  });
  assert.deepEqual(resource({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'b' }), { ...standard, 'service.name': 'b' });
  for (const wrong of ['name', '=x', 'a=%'])
    assert.match(warnings({ OTEL_RESOURCE_ATTRIBUTES: wrong }).join(), /^OTEL_RESOURCE_ATTRIBUTES: .*; it is left out$/);
});

test('samplers that leave the decision to the caller are honoured, others are told', () => {
  const OTEL_TRACES_SAMPLER_ARG = '0.25';
  assert.equal(sampled({}), 1000);
  assert.equal(sampled({ OTEL_TRACES_SAMPLER_ARG }), 250);
  for (const [name, count] of [
    ['parentbased_traceidratio', 250],
    ['parentbased_always_on', 1000],
    ['parentbased_always_off', 0],
  ] as const) {
    assert.equal(sampled({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG }), count);
    assert.deepEqual(warnings({ OTEL_TRACES_SAMPLER: name }), []);
  }
  assert.equal(sampled({ OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG }), 1000);
  assert.deepEqual(warnings({ OTEL_TRACES_SAMPLER: 'always_on' }), [
    'OTEL_TRACES_SAMPLER: always_on is not supported: it is taken as parentbased_always_on',
  ]);
  assert.match(warnings({ OTEL_TRACES_SAMPLER: 'xray' }).join(), /xray is not supported: it is taken as parentbased_traceidratio/);
});

test('variables that have no effect are told by name, once, and those of the exporter are none of them', () => {
  const honoured = {
    OTEL_EXPORTER_OTLP_HEADERS: 'a=b',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1000',
    OTEL_EXPORTER_OTLP_CERTIFICATE: import.meta.filename,
    OTEL_PROPAGATORS: 'tracecontext,baggage',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BLRP_MAX_QUEUE_SIZE: '',
  };
  assert.deepEqual(warnings(honoured), []);
  assert.deepEqual(warnings({ ...honoured, OTEL_PROPAGATORS: 'b3', OTEL_BSP_SCHEDULE_DELAY: '1' }), [
    'variables that have no effect here: OTEL_BSP_SCHEDULE_DELAY, OTEL_PROPAGATORS (docs/telemetry.md lists those that have)',
  ]);
});

test('values that the exporter would ignore without a word are told, and those that may be keys are not shown', () => {
  assert.deepEqual(
    warnings({
      OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '-1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/none/ca.pem',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: '/none/key.pem',
      OTEL_EXPORTER_OTLP_HEADERS: 'no pair',
    }).toSorted(),
    [
      'OTEL_EXPORTER_OTLP_CERTIFICATE: /none/ca.pem cannot be read: there is no such file. It is ignored',
      'OTEL_EXPORTER_OTLP_COMPRESSION: expected none or gzip, got zstd. It is ignored',
      'OTEL_EXPORTER_OTLP_TIMEOUT: expected milliseconds, got 10s. It is ignored',
      'OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: /none/key.pem cannot be read: there is no such file. It is ignored',
      'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: expected milliseconds, got -1. It is ignored',
    ],
  );
});

test('the variables of a Kubernetes Service whose name begins with otel are no settings', () => {
  const address = 'tcp://10.0.0.1:4317';
  const link = {
    OTEL_COLLECTOR_PORT: address,
    OTEL_COLLECTOR_SERVICE_HOST: '10.0.0.1',
    OTEL_COLLECTOR_SERVICE_PORT: '4317',
    OTEL_COLLECTOR_SERVICE_PORT_OTLP_GRPC: '4317',
    OTEL_COLLECTOR_PORT_4317_TCP: address,
    OTEL_COLLECTOR_PORT_4317_TCP_PROTO: 'tcp',
    OTEL_COLLECTOR_PORT_4317_TCP_ADDR: '10.0.0.1',
  };
  assert.deepEqual(warnings(link), []);
});
