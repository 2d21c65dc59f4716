import assert from 'node:assert/strict';
import test from 'node:test';
import { PostSink } from '../../server/collection/deliver/event-sinks.ts';
import { httpFormats } from '../../server/collection/deliver/http-formats.ts';
import { sharedAccess } from '../../server/collection/deliver/shared-access.ts';
import type { HttpFormat } from '../../server/config/collection-options.ts';
import { eventGrid, eventHubs, kafkaRest, type Arrived, type EventService } from './event-services.ts';
import { serve } from './start-collecting.ts';
import { numbers, TestWriter } from './start-writer.ts';

const KEY = 'VXbGWce53249Mt8wuotr0GPmyJ/nDT4hgdEj9DpBeRr38arnnm5OFg==';

type Headers = () => Record<string, string>;

function writerTo(format: HttpFormat, url: string, headers: Headers = () => ({})): TestWriter {
  return new TestWriter(new PostSink('http', { url, headers, proxies: {} }, httpFormats[format]));
}

/** The rows `{ n }` of all events, sorted. */
const arrived = ({ arrived: events }: EventService): number[] =>
  events.map(({ data }) => (data as { n: number }[])[0]?.n ?? -1).toSorted((a, b) => a - b);
const isRow =
  (n: number) =>
  ({ data }: Arrived): boolean =>
    (data as { n: number }[])[0]?.n === n;

const toGrid = ({ origin }: EventService): TestWriter =>
  writerTo('batched', `${origin}/api/events?api-version=2018-01-01`, () => ({ 'aeg-sas-key': KEY }));
const toKafka = ({ origin }: EventService): TestWriter => writerTo('kafka-rest', `${origin}/topics/mdc`);
const toHub = ({ origin }: EventService): TestWriter =>
  writerTo('event-hubs', `${origin}/hub/messages`, sharedAccess({ resource: `${origin}/hub`, keyName: 'send', key: KEY }));

test('a server sends its records to Event Grid in batches, with a key in a header', async (t) => {
  const grid = await eventGrid(t, KEY);
  const server = await serve(t, 'echo.ts', {
    MDC_HTTP_URL: `${grid.origin}/api/events?api-version=2018-01-01`,
    MDC_HTTP_FORMAT: 'batched',
    MDC_HTTP_HEADERS: `aeg-sas-key=${KEY}`,
  });
  const ids = numbers(20).map((n) => `request ${n}`);
  await Promise.all(ids.map((id) => server.score({ id }, { 'x-request-id': id })));
  await server.drain();
  assert.deepEqual(grid.arrived.map(({ correlationid, type }) => `${String(type)} ${correlationid}`).toSorted(), [
    ...ids.map((id) => `azureml.inference.request ${id}`).toSorted(),
    ...ids.map((id) => `azureml.inference.response ${id}`).toSorted(),
  ]);
  assert.ok(grid.calls.length < 20, String(grid.calls.length));
  assert.ok(!JSON.stringify(server.lines).includes(KEY));
});

test("a server sends its records to an event hub by the portal's connection string alone", async (t) => {
  const hub = await eventHubs(t, 'send', KEY);
  const server = await serve(t, 'echo.ts', {
    MDC_EVENT_HUB_CONNECTION_STRING: `Endpoint=${hub.origin}/;SharedAccessKeyName=send;SharedAccessKey=${KEY};EntityPath=hub`,
    MDC_HTTP_HEADERS: 'x-gateway=open',
  });
  await server.score({ text: '"quoted" \\ ü' }, { 'x-request-id': 'one' });
  await server.drain();
  assert.deepEqual(
    hub.arrived.map(({ type, data }) => [type, data]),
    [
      ['azureml.inference.request', { text: '"quoted" \\ ü' }],
      ['azureml.inference.response', { text: '"quoted" \\ ü' }],
    ],
  );
  assert.ok(hub.calls.every(({ headers }) => headers['x-gateway'] === 'open'));
  assert.ok(!JSON.stringify(server.lines).includes(KEY));
});

test("a server sends its records to Kafka's REST proxy as its user", async (t) => {
  const kafka = await kafkaRest(t);
  const server = await serve(t, 'echo.ts', {
    MDC_HTTP_URL: `${kafka.origin.replace('//', '//user:p%40ss@')}/topics/mdc`,
    MDC_HTTP_FORMAT: 'kafka-rest',
  });
  await server.score(1, { 'x-request-id': 'one' });
  await server.drain();
  assert.deepEqual(
    kafka.arrived.map(({ correlationid }) => correlationid),
    ['one', 'one'],
  );
  assert.equal(kafka.calls[0]?.headers.authorization, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  assert.ok(!/p%40ss|p@ss/.test(JSON.stringify(server.lines)));
});

for (const [name, start, to] of [
  ['Event Grid', (t) => eventGrid(t, KEY), toGrid],
  ["Kafka's REST proxy", (t) => kafkaRest(t), toKafka],
  ['Event Hubs', (t) => eventHubs(t, 'send', KEY), toHub],
] as [string, (t: test.TestContext) => Promise<EventService>, (service: EventService) => TestWriter][]) {
  test(`${name}: every record arrives once, in few requests`, async (t) => {
    const service = await start(t);
    const writer = to(service);
    writer.collect(0, 1200);
    await writer.close();
    assert.deepEqual(arrived(service), numbers(1200));
    assert.equal(service.calls.length, 3);
    assert.equal(writer.counts.of('model_inputs').sent, 1200);
  });

  test(`${name}: what fails for now is sent again, after the wait that the service asks for`, async (t) => {
    const service = await start(t);
    service.next.push({ status: 429, headers: { 'retry-after': '1' } }, { status: 503 }, { status: 401 }, { status: 407 }, 'break', {
      status: 308,
    });
    const writer = to(service);
    const began = performance.now();
    writer.collect(0, 10);
    await writer.sent(10);
    assert.ok(performance.now() - began >= 1000);
    await writer.close();
    assert.deepEqual(arrived(service), numbers(10));
    assert.deepEqual([...writer.counts.errors.keys()].toSorted(), ['308', '401', '407', '429', '503', 'ECONNRESET']);
  });

  test(`${name}: a request that is too large is halved, and only an event that is too large itself is lost`, async (t) => {
    const service = await start(t);
    service.limit = 20_000;
    const writer = to(service);
    writer.collect(0, 100);
    writer.collect(100, 101, 'model_inputs', 'x'.repeat(20_000));
    writer.collect(101, 200);
    await writer.close();
    assert.deepEqual(
      arrived(service),
      numbers(200).filter((n) => n !== 100),
    );
    assert.deepEqual([writer.counts.of('model_inputs').dropped, writer.counts.dropped.get('rejected')], [1, 1]);
  });

  test(`${name}: data above the limit of the service is left out of its record`, async (t) => {
    const service = await start(t);
    const writer = to(service);
    writer.rows('model_inputs', 'large', [{ pad: 'x'.repeat(950_000) }]);
    writer.rows('model_inputs', 'fits', [{ pad: 'x'.repeat(800_000) }]);
    await writer.close();
    const [large, fits] = ['large', 'fits'].map((id) => service.arrived.find(({ correlationid }) => correlationid === id));
    assert.deepEqual([large?.['dataomitted'], large?.['data']], ['size', undefined]);
    assert.equal((fits!['data'] as unknown[]).length, 1);
    assert.equal(writer.counts.of('model_inputs').sent, 2);
  });
}

test('of a batch that Event Grid or Event Hubs refuses, only the bad event is lost', async (t) => {
  for (const [service, to] of [
    [await eventGrid(t, KEY), toGrid],
    [await eventHubs(t, 'send', KEY), toHub],
  ] as const) {
    service.isBad = isRow(77);
    const writer = to(service);
    writer.collect(0, 200);
    await writer.close();
    assert.deepEqual(
      arrived(service),
      numbers(200).filter((n) => n !== 77),
    );
    assert.equal(writer.counts.dropped.get('rejected'), 1);
  }
});

test("of Kafka's records, those that failed for now are sent again, and those that failed for good are lost, alone", async (t) => {
  // The documentation has 1 and 2. The proxy's code has 50002 and 50003, and HTTP's statuses.
  const final = [1, 50_002, 40_002, 42_201, 7];
  const passing = [2, 50_003, 40_101, 40_301, 40_401, 50_302];
  const busy = new Map(passing.map((code, n) => [n + 10, code]));
  const kafka = await kafkaRest(t, ({ data }) => {
    const { n = -1 } = (data as { n?: number }[])[0] ?? {};
    const code = final[n] ?? busy.get(n);
    busy.delete(n);
    return code;
  });
  const writer = toKafka(kafka);
  writer.collect(0, 20);
  await writer.close();
  assert.deepEqual(
    arrived(kafka),
    numbers(20).filter((n) => n >= final.length),
  );
  const { sent, dropped } = writer.counts.of('model_inputs');
  assert.deepEqual([sent, dropped, writer.counts.records], [15, 5, 0]);
  assert.match(writer.lines.join(), /\(error_code \d+\)/);
});

test("Kafka's key is the correlation id of the record, whatever its data has", async (t) => {
  const kafka = await kafkaRest(t);
  const writer = toKafka(kafka);
  writer.rows('model_inputs', 'a "quoted" \\ id', [{ correlationid: 'inner', text: ',"correlationid":"x"' }]);
  await writer.close();
  // The stand-in compares.
  assert.deepEqual(
    kafka.arrived.map(({ correlationid }) => correlationid),
    ['a "quoted" \\ id'],
  );
});

test('an answer that is not of a REST proxy of Kafka loses nothing: the records wait', async (t) => {
  const kafka = await kafkaRest(t);
  const fewer = Array.from({ length: 9 }, (_, offset) => ({ partition: 0, offset }));
  kafka.next.push({ status: 200 }, { status: 200, body: { offsets: 1 } }, { status: 200, body: [] });
  kafka.next.push({ status: 200, body: { offsets: fewer } });
  const writer = toKafka(kafka);
  writer.collect(0, 10);
  await writer.close();
  assert.deepEqual(arrived(kafka), numbers(10));
  assert.match(writer.lines[0] ?? '', /invalid_answer: expected offsets from a REST proxy of Kafka/);
});

test('a token of Event Hubs is made anew before it expires', () => {
  let now = 1_700_000_000_000;
  const authorization = sharedAccess({ resource: 'https://ns.servicebus.windows.net/hub', keyName: 'a b', key: 'key' }, () => now);
  const expiryOf = ({ authorization: token = '' }: Record<string, string>): number => Number(/&se=(\d+)&/.exec(token)?.[1]);
  const first = authorization();
  // What Microsoft's sample makes for these values.
  assert.equal(
    first['authorization'],
    'SharedAccessSignature sr=https%3A%2F%2Fns.servicebus.windows.net%2Fhub&sig=UwsMwsV3Ntf55034PcmeCvd4w2iyocrYUv0SgYLmn8E%3D&se=1700003600&skn=a%20b',
  );
  now += 2_000_000;
  assert.deepEqual(authorization(), first);
  now += 1_100_000;
  assert.equal(expiryOf(authorization()), 1_700_003_100 + 3600);
});
