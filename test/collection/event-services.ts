import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** An event as the service's reader sees it. */
export interface Arrived {
  readonly correlationid: string;
  readonly [attribute: string]: unknown;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A service that takes events, and misbehaves where the test wants. */
export class EventService {
  readonly origin: string;
  readonly arrived: Arrived[] = [];
  readonly calls: Call[] = [];
  /** Largest body; a longer one gets 413. */
  limit = 1_048_576;
  /** Answers of the next calls, whatever they bring. `break`: the connection. */
  readonly next: (Answer | 'break')[] = [];
  /** An event that the service can never take. */
  isBad: (event: Arrived) => boolean = () => false;
  readonly #take: (call: Call, service: EventService) => Answer;

  private constructor(origin: string, take: (call: Call, service: EventService) => Answer) {
    this.origin = origin;
    this.#take = take;
  }

  static async start(t: TestContext, take: (call: Call, service: EventService) => Answer): Promise<EventService> {
    const server = createServer((request, response) => void service.#serve(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const service = new EventService(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, take);
    return service;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const call = { method, url, headers, body: await text(request) };
    this.calls.push(call);
    const answer = this.next.shift() ?? (Buffer.byteLength(call.body) > this.limit ? { status: 413 } : this.#take(call, this));
    if (answer === 'break') return void response.destroy();
    const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
    response.writeHead(answer.status, { ...(body !== '' && { 'content-type': 'application/json' }), ...answer.headers }).end(body);
    return undefined;
  }
}

/** Required attributes: CloudEvents 1.0, "Required Attributes". */
function isCloudEvent(event: unknown): event is Arrived {
  const { specversion, ...rest } = event as Record<string, unknown>;
  return specversion === '1.0' && ['id', 'source', 'type'].every((name) => typeof rest[name] === 'string' && rest[name] !== '');
}

/**
 * Event Grid, a custom topic with the schema of CloudEvents:
 * https://learn.microsoft.com/azure/event-grid/post-to-custom-topic, and .../cloud-event-schema.
 */
export const eventGrid = (t: TestContext, key: string): Promise<EventService> =>
  EventService.start(t, ({ method, url, headers, body }, service) => {
    if (method !== 'POST' || url !== '/api/events?api-version=2018-01-01') return { status: 404 };
    if (headers['aeg-sas-key'] !== key) return { status: 401 };
    if (headers['content-type'] !== 'application/cloudevents-batch+json; charset=utf-8') return { status: 400 };
    const events = JSON.parse(body) as unknown;
    if (!Array.isArray(events) || events.length === 0 || !events.every(isCloudEvent) || events.some(service.isBad)) return { status: 400 };
    service.arrived.push(...events);
    return { status: 200 };
  });

interface KafkaRecord {
  readonly key: string;
  readonly value: Arrived;
}

/**
 * Confluent's REST proxy, `POST /topics/(string:topic_name)` of v2:
 * https://docs.confluent.io/platform/current/kafka-rest/api.html.
 * @param codeOf `error_code` of a record
 */
export const kafkaRest = (t: TestContext, codeOf: (event: Arrived) => number | undefined = () => undefined): Promise<EventService> =>
  EventService.start(t, ({ method, url, headers, body }, service) => {
    if (method !== 'POST' || url !== '/topics/mdc') return { status: 404, body: { error_code: 40401, message: 'Topic not found.' } };
    if (headers['content-type'] !== 'application/vnd.kafka.json.v2+json') return { status: 415 };
    if (headers['accept'] !== 'application/vnd.kafka.v2+json') return { status: 406 };
    const { records, ...others } = JSON.parse(body) as { records: KafkaRecord[] };
    assert.deepEqual(others, {});
    const offsets = records.map(({ key, value }) => {
      assert.equal(key, value.correlationid);
      const code = codeOf(value);
      if (code !== undefined) return { partition: null, offset: null, error_code: code, error: 'failed' };
      service.arrived.push(value);
      return { partition: 0, offset: service.arrived.length, error_code: null, error: null };
    });
    return { status: 200, body: { key_schema_id: null, value_schema_id: null, offsets }, headers: { 'content-type': headers['accept'] } };
  });

/**
 * Event Hubs, batch send: https://learn.microsoft.com/rest/api/eventhub/send-batch-events, with a
 * token of https://learn.microsoft.com/rest/api/eventhub/generate-sas-token.
 */
export const eventHubs = (t: TestContext, keyName: string, key: string): Promise<EventService> =>
  EventService.start(t, ({ method, url, headers, body }, service) => {
    if (method !== 'POST' || url !== '/hub/messages') return { status: 404 };
    if (!isSigned(headers.authorization ?? '', service.origin, keyName, key)) return { status: 401 };
    if (headers['content-type'] !== 'application/vnd.microsoft.servicebus.json') return { status: 400 };
    const messages = JSON.parse(body) as { Body: unknown }[];
    const events = messages.map(({ Body }) => JSON.parse(String(Body)) as Arrived);
    if (!messages.every(({ Body }) => typeof Body === 'string') || events.some(service.isBad)) return { status: 400 };
    service.arrived.push(...events);
    return { status: 201 };
  });

function isSigned(authorization: string, origin: string, keyName: string, key: string): boolean {
  const [scheme, token = ''] = authorization.split(' ');
  const parts = new URLSearchParams(token);
  const [resource = '', expiry = ''] = [parts.get('sr'), parts.get('se')].map((part) => part ?? '');
  const expected = createHmac('sha256', key)
    .update(`${encodeURIComponent(resource)}\n${expiry}`)
    .digest('base64');
  return (
    scheme === 'SharedAccessSignature' &&
    resource === `${origin}/hub` &&
    parts.get('skn') === keyName &&
    Number(expiry) * 1000 > Date.now() &&
    parts.get('sig') === expected
  );
}
