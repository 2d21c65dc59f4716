import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerProcess } from './start-server.ts';

/** Nothing listens there, so that every delivery fails and is logged. */
const NOWHERE = '127.0.0.1:1';
const MARKS = /S3cretMark|5ec4e7ed|user-s3cret/;

const TELEMETRY = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=5ec4e7ed-0000-4000-8000-000000000000;IngestionEndpoint=http://${NOWHERE}/`,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://user-s3cret:S3cretMark@${NOWHERE}/v1/traces?key=S3cretMark`,
  OTEL_EXPORTER_OTLP_HEADERS: 'api-key=S3cretMark,=S3cretMark,x',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  OTEL_TRACES_EXPORTER: 'zipkin',
};

const ACCOUNT = `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=S3cretMark==;BlobEndpoint=http://${NOWHERE}/account`;

const SINKS: Record<string, Record<string, string>> = {
  MDC_BLOB_CONNECTION_STRING: { MDC_BLOB_CONNECTION_STRING: ACCOUNT },
  MDC_BLOB_ACCOUNT_URL: { MDC_BLOB_ACCOUNT_URL: `http://${NOWHERE}/account?sv=2024-11-04&sig=S3cretMark` },
  MDC_HTTP_URL: { MDC_HTTP_URL: `http://${NOWHERE}/hooks/S3cretMark?token=S3cretMark` },
  'MDC_HTTP_URL with a user': { MDC_HTTP_URL: `http://user-s3cret:S3cretMark@${NOWHERE}/` },
  MDC_HTTP_HEADERS: { MDC_HTTP_URL: `http://${NOWHERE}/`, MDC_HTTP_HEADERS: 'aeg-sas-key=S3cretMark' },
  MDC_EVENT_HUB_CONNECTION_STRING: {
    MDC_EVENT_HUB_CONNECTION_STRING: `Endpoint=http://${NOWHERE}/;SharedAccessKeyName=user-s3cret;SharedAccessKey=S3cretMark;EntityPath=hub`,
  },
  'a proxy': { MDC_HTTP_URL: 'http://events.invalid/', http_proxy: `http://user-s3cret:S3cretMark@${NOWHERE}` },
  AML_MODEL_DC_STORAGE: { AML_MODEL_DC_STORAGE_ENABLED: 'true', AML_MODEL_DC_STORAGE: ACCOUNT },
};

for (const [name, sink] of Object.entries(SINKS)) {
  test(`no log line shows a secret: telemetry, and ${name}`, async (t) => {
    const server = new ServerProcess([], {
      env: {
        ...TELEMETRY,
        ...sink,
        AZUREML_ENTRY_SCRIPT: 'echo.ts',
        AZUREML_LOG_LEVEL: 'debug',
        MDC_FLUSH_TIMEOUT_MS: '500',
        DRAIN_DELAY_MS: '0',
        DRAIN_TIMEOUT_MS: '1000',
      },
    });
    t.after(() => server.stop());
    await server.ready();
    assert.equal((await server.score({ a: 1 })).status, 200);
    await server.line(({ msg }) => /collected data/.test(msg) && /deliver|sink/.test(msg));
    server.child.kill('SIGTERM');
    await server.exited;
    const output = [...server.lines.map((line) => JSON.stringify(line)), server.stderr].join('\n');
    assert.match(output, /zipkin is not supported/);
    assert.doesNotMatch(output, MARKS);
  });
}
