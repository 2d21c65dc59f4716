import assert from 'node:assert/strict';
import test from 'node:test';
import applicationinsights from 'applicationinsights';
import { Insights } from '../../../../server/telemetry/exporting/insights.ts';
import type { ExceptionItem, RequestItem, TraceItem } from '../../../../server/telemetry/exporting/items.ts';
import { TemplateWriter } from '../../../../server/telemetry/exporting/template.ts';
import { writeRequestLine } from '../../../../server/telemetry/exporting/request-line.ts';
import type { Envelope } from '../../../telemetry/ingestion-server.ts';

const KEY = '11111111-2222-3333-4444-555555555555';
const settings = {
  serverVersion: '1.2.3',
  serviceName: 'prices "new"\t$& é',
  workspaceName: 'space',
  containerId: 'box',
  models: ['a:1'],
  connectionString: undefined,
  proxies: {},
  spans: undefined,
};
const CONNECTION = `InstrumentationKey=${KEY}`;

const insights = await Insights.open(settings, CONNECTION);
const writer = new TemplateWriter();
const envelopesOf = (lines: readonly string[]): Envelope[] =>
  writer
    .lines(lines.map((line) => insights.read(line)))
    .toString()
    .split('\n')
    .map((line) => JSON.parse(line) as Envelope);
function of(item: RequestItem | TraceItem | ExceptionItem): Envelope {
  const [envelope] = envelopesOf([item.kind === 'request' ? writeRequestLine(item) : JSON.stringify(item)]);
  assert.ok(envelope !== undefined);
  return envelope;
}

const AT = Date.UTC(2026, 10, 27, 9, 8, 7, 6);
const request = (more: Partial<RequestItem> = {}): RequestItem => ({
  kind: 'request',
  at: AT,
  ms: 12.3456,
  route: '/score',
  method: 'POST',
  url: 'http://h/score',
  status: 200,
  requestId: 'r1',
  clientRequestId: undefined,
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentId: undefined,
  response: undefined,
  ...more,
});
/** The envelope that the package itself makes of a request. */
function madeByPackage(item: RequestItem): Envelope {
  const client = new applicationinsights.TelemetryClient(CONNECTION);
  let made: unknown;
  client.channel = { send: (envelope: unknown) => (made = envelope) } as unknown as typeof client.channel;
  const { keys } = client.context;
  client.context.tags = {
    [keys.cloudRole]: settings.serviceName,
    [keys.cloudRoleInstance]: 'box',
    [keys.applicationVersion]: '1.2.3',
    [keys.internalSdkVersion]: 'node:1.2.3',
  };
  const duration = new Date(item.ms).toISOString().slice(11, 23);
  client.trackRequest({
    id: item.spanId ?? '',
    name: `${item.method} ${item.route}`,
    url: item.url,
    duration: item.ms,
    resultCode: item.status,
    success: item.status < 400,
    time: new Date(item.at),
    properties: {
      'Container Id': 'box',
      'Request Id': item.requestId,
      'Client Request Id': item.clientRequestId ?? '',
      'Workspace Name': 'space',
      'Service Name': settings.serviceName,
      ...(item.response !== undefined && { 'Response Value': item.response }),
      name: item.route,
      url: item.url,
      start_time: new Date(item.at).toISOString(),
      duration,
      resultCode: String(item.status),
      success: item.status < 400 ? 'True' : 'False',
      http_method: item.method,
    },
    tagOverrides: {
      [keys.operationId]: item.traceId,
      [keys.operationName]: `${item.method} ${item.route}`,
      ...(item.parentId !== undefined && { [keys.operationParentId]: item.parentId }),
    },
  });
  const { data, ...envelope } = JSON.parse(JSON.stringify(made)) as Envelope;
  // The package writes seven decimals of any number; a request line has six.
  return {
    ...envelope,
    data: { ...data, baseData: { ...data.baseData, duration: `${duration}${String(Math.round((item.ms % 1) * 1000)).padStart(3, '0')}0` } },
  };
}

const nasty = '"\\\t\n\r\u0000\u2028é漢😀 $& $1 \'';
test('an envelope of a request is what the package itself makes of it, whatever the request has and lacks', () => {
  for (const clientRequestId of [undefined, 'client', nasty])
    for (const parentId of [undefined, 'c'.repeat(16)])
      for (const response of [undefined, '', '[1.5]', nasty])
        for (const status of [200, 404, 500])
          for (const url of ['http://h/score?a=1', `/${nasty}`]) {
            const item = request({ clientRequestId, parentId, response, status, url, requestId: `r ${nasty}` });
            assert.deepEqual(of(item), madeByPackage(item));
            // The second one fills the form that the first has left.
            const next = { ...item, requestId: 'r2', ms: 0.25, at: AT + 1 };
            assert.deepEqual(of(next), madeByPackage(next));
          }
});

test('durations have the hours, the milliseconds and the microseconds of the request', () => {
  for (const [ms, duration] of [
    [0, '00:00:00.0000000'],
    [0.0004, '00:00:00.0000000'],
    [0.0456, '00:00:00.0000460'],
    [999.9996, '00:00:01.0000000'],
    [61_002.5, '00:01:01.0025000'],
    [5e9, '23:59:59.9999990'],
  ] as const) {
    const { baseData } = of(request({ ms })).data;
    assert.deepEqual([baseData.duration, baseData.properties['duration']], [duration, duration.slice(0, 12)]);
  }
});

test('what is too long for the wire format is cut, and a cut answer says so', () => {
  const { baseData } = of(request({ url: `/${'u'.repeat(5000)}`, response: '\n'.repeat(8193) })).data;
  assert.deepEqual([baseData.url.length, baseData.properties['url']?.length], [2048, 2048]);
  assert.deepEqual([baseData.properties['Response Value'], baseData.properties['truncated']], ['\n'.repeat(8192), 'true']);
  assert.equal(of(request({ response: 'x'.repeat(8192) })).data.baseData.properties['truncated'], undefined);
});

test('many requests are a line each, however large they are', () => {
  const items = Array.from({ length: 1000 }, (_, n) => request({ requestId: `r${n}`, response: '漢'.repeat(n % 7 === 0 ? 8192 : n) }));
  const envelopes = envelopesOf(items.map((item) => writeRequestLine(item)));
  assert.deepEqual(
    envelopes.map(({ data }) => data.baseData.properties['Request Id']),
    items.map(({ requestId }) => requestId),
  );
  assert.equal(writer.lines([]).length, 0);
});

test('a request without a span gets an id of its own each time', () => {
  const [a, b] = [of(request({ spanId: undefined })), of(request({ spanId: undefined }))].map(({ data }) => data.baseData.id);
  assert.match(a ?? '', /^[0-9a-f]{16}$/);
  assert.notEqual(a, b);
});

test('an exception has its name, its message and the request it belongs to', () => {
  const exceptional = of({
    kind: 'exception',
    at: AT,
    code: 'run_failed',
    message: 'Error: no\n    at run (score.ts:1:2)',
    requestId: 'r1',
    clientRequestId: undefined,
    traceId: 'a'.repeat(32),
    parentId: 'b'.repeat(16),
  });
  const [exception] = exceptional.data.baseData.exceptions;
  assert.deepEqual([exception?.typeName, exception?.message], ['run_failed', 'Error: no']);
  assert.deepEqual([exceptional.tags['ai.operation.id'], exceptional.tags['ai.operation.parentId']], ['a'.repeat(32), 'b'.repeat(16)]);
  assert.equal(exceptional.data.baseData.properties['Request Id'], 'r1');
});

test('a trace has the severity of its level, and the models where it tells of collected data', () => {
  const trace = { kind: 'trace', at: AT, level: 'warn', message: 'said', requestId: 'r1', traceId: 'a'.repeat(32) } as const;
  const said = of(trace).data.baseData;
  assert.deepEqual([said.message, said.severityLevel, 'Models' in said.properties], ['said', 2, false]);
  const collected = of({ ...trace, message: 'model_data_collection', properties: { Input: 'x'.repeat(8193) } }).data.baseData.properties;
  assert.deepEqual([collected['Models'], collected['Input']?.length, collected['truncated']], ['["a:1"]', 8192, 'true']);
});

test('an exception has the frames of its outermost error, and names its causes', () => {
  const exceptionOf = (message: string): { message: string; parsedStack: { method: string; fileName: string; line: number }[] } => {
    const item = {
      kind: 'exception',
      at: AT,
      code: 'run_failed',
      message,
      requestId: 'r1',
      clientRequestId: undefined,
      traceId: undefined,
    };
    const [details] = of(item as ExceptionItem).data.baseData.exceptions;
    return details as unknown as ReturnType<typeof exceptionOf>;
  };
  const text = [
    'Error: outer',
    '    at run (file:///app/score.ts:3:9)',
    '    at async file:///opt/runner.ts:91:22 {',
    "  code: 'E_OUTER',",
    '  [cause]: [TypeError: fetch failed] {',
    '    [cause]: Error: connect ECONNREFUSED 127.0.0.1:9',
    '        at TCPConnectWrap.afterConnect [as oncomplete] (node:net:2021:16) {',
    "      code: 'ECONNREFUSED'",
    '    }',
    '  }',
    '}',
  ];
  const { message, parsedStack } = exceptionOf(text.join('\n'));
  assert.equal(message, 'Error: outer; cause: [TypeError: fetch failed]; cause: Error: connect ECONNREFUSED 127.0.0.1:9');
  assert.deepEqual(
    parsedStack.map(({ line }) => line),
    [3, 91],
  );
  assert.deepEqual(parsedStack.map(({ fileName }) => fileName).slice(0, 1), ['file:///app/score.ts']);
  assert.equal(exceptionOf('the deadline passed').message, 'the deadline passed');
  assert.deepEqual(exceptionOf('the deadline passed').parsedStack, []);
  assert.equal(
    exceptionOf('TypeError: fetch failed {\n  [cause]: Error: x\n      at f (a.ts:1:2)\n}').message,
    'TypeError: fetch failed; cause: Error: x',
  );
  const python = exceptionOf(
    'Traceback (most recent call last):\n  File "/app/score.py", line 9, in run\n    inner()\n  File "/app/a b.py", line 7\n    def (\nSyntaxError: no',
  );
  assert.equal(python.message, 'SyntaxError: no');
  assert.deepEqual(
    python.parsedStack.map(({ method, fileName, line }) => [method, fileName, line]),
    [
      ['<module>', '/app/a b.py', 7],
      ['run', '/app/score.py', 9],
    ],
  );
});
