import type { Contracts, TelemetryClient } from 'applicationinsights';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Delivery } from './delivery.ts';
import { deliveryOf, type PostResult } from './ingestion.ts';
import type { ExceptionItem, ExportSettings, InsightItem, RequestItem, TraceItem } from './items.ts';
import { SpanIds } from './span-ids.ts';

/** The server takes longer than this for a portion only when it hangs. */
const LONGEST_POST_MS = 10_000;
/** Longest property and message that the wire format takes (reference/telemetry.md, section 6). */
const LONGEST_PROPERTY = 8192;
const LONGEST_MESSAGE = 32_768;
const LONGEST_URL = 2048;
const LONGEST_MS = 24 * 3_600_000 - 1;

// The package's own enum is a value, and the package is loaded late.
const SEVERITIES = { debug: 'Verbose', info: 'Information', warn: 'Warning', error: 'Error' } as unknown as Record<
  TraceItem['level'],
  Contracts.SeverityLevel
>;

/** What Node's HTTP client says of the one POST that is under way: the package keeps the status to itself. */
class Post {
  request: ClientRequest | undefined;
  response: IncomingMessage | undefined;
  error: NodeJS.ErrnoException | undefined;

  watch(): void {
    subscribe('http.client.request.start', (message) => {
      this.request = (message as { request: ClientRequest }).request;
      this.response = undefined;
      this.error = undefined;
    });
    subscribe('http.client.response.finish', (message) => {
      this.response = (message as { response: IncomingMessage }).response;
    });
    subscribe('http.client.request.error', (message) => {
      this.error = (message as { error: NodeJS.ErrnoException }).error;
    });
  }
}

/** Sends items through the package `applicationinsights`, loaded here and nowhere else. */
export class Insights {
  readonly #client: TelemetryClient;
  readonly #settings: ExportSettings;
  readonly #post = new Post();
  readonly #requestName: string;
  readonly #spanIds = new SpanIds();

  private constructor(client: TelemetryClient, settings: ExportSettings) {
    this.#client = client;
    this.#settings = settings;
    this.#post.watch();
    this.#requestName = `Microsoft.ApplicationInsights.${client.config.instrumentationKey.replaceAll('-', '')}.Request`;
  }

  /**
   * @throws what the package throws when it cannot be set up
   */
  static async open(settings: ExportSettings & { readonly connectionString: string }): Promise<Insights> {
    const { default: package_ } = await import('applicationinsights');
    package_.Configuration.setInternalLogging(false, false);
    // No `setup()`, no `start()`: those collect by themselves. A client only sends what it is given, all of it.
    const client = new package_.TelemetryClient(settings.connectionString);
    client.config.samplingPercentage = 100;
    client.config.maxBatchSize = Number.MAX_SAFE_INTEGER;
    const { keys, tags } = client.context;
    // What it knows of the machine says nothing of a container, and is in every item.
    for (const tag of Object.keys(tags)) if (tag.startsWith('ai.device.')) Reflect.deleteProperty(tags, tag);
    tags[keys.cloudRole] = settings.serviceName;
    tags[keys.cloudRoleInstance] = settings.containerId;
    tags[keys.applicationVersion] = settings.serverVersion;
    return new Insights(client, settings);
  }

  /** One POST. Never rejects. */
  async send(items: readonly InsightItem[]): Promise<Delivery<InsightItem>> {
    for (const item of items) this.#track(item);
    const post = this.#post;
    const timer = setTimeout(() => post.request?.destroy(new Error(`no answer within ${LONGEST_POST_MS} ms`)), LONGEST_POST_MS);
    const text = await new Promise<string>((resolve) => this.#client.flush({ callback: resolve }));
    clearTimeout(timer);
    return deliveryOf(items, resultOf(post, text));
  }

  #track(item: InsightItem): void {
    const spanId = this.#spanIds.of(item);
    if (item.kind === 'request') this.#client.channel.send(this.#request(item, spanId));
    else if (item.kind === 'trace') this.#client.trackTrace(this.#trace(item, spanId));
    else this.#client.trackException(this.#exception(item, spanId));
  }

  /** As `trackRequest` would write it, which checks and copies every property three times: half of what an item costs. */
  #request(item: RequestItem, spanId: string | undefined): Contracts.EnvelopeTelemetry {
    const { at, ms, route, method, status, response } = item;
    const success = status < 400;
    const time = new Date(at).toISOString();
    // Of a day at most, which no request lasts; the wire format counts in ten thousandths of a millisecond.
    const duration = new Date(Math.min(ms, LONGEST_MS)).toISOString().slice(11, 23);
    const url = item.url.slice(0, LONGEST_URL);
    const name = `${method} ${route}`;
    const properties = this.#properties(item);
    if (response !== undefined) cut(properties, 'Response Value', response);
    properties['name'] = route;
    properties['url'] = url;
    properties['start_time'] = time;
    properties['duration'] = duration;
    properties['resultCode'] = String(status);
    properties['success'] = success ? 'True' : 'False';
    properties['http_method'] = method;
    return {
      ver: 1,
      name: this.#requestName,
      time,
      iKey: this.#client.config.instrumentationKey,
      sampleRate: 100,
      seq: '',
      // Its type is wrong: tags are an object, here as in the package's own code.
      tags: { ...this.#client.context.tags, ...this.#tags(item, item.parentId, name) } as unknown as Contracts.EnvelopeTelemetry['tags'],
      data: {
        baseType: 'RequestData',
        baseData: {
          ver: 2,
          id: spanId ?? '',
          name,
          url,
          duration: duration + String(Math.floor((ms % 1) * 10_000)).padStart(4, '0'),
          responseCode: String(status),
          success,
          properties,
        },
      },
    };
  }

  #trace(item: TraceItem, parent: string | undefined): Contracts.TraceTelemetry {
    const properties = this.#properties(item);
    for (const [name, value] of Object.entries(item.properties ?? {})) cut(properties, name, value);
    if (item.message === 'model_data_collection') properties['Models'] = JSON.stringify(this.#settings.models);
    return {
      message: item.message.slice(0, LONGEST_MESSAGE),
      severity: SEVERITIES[item.level],
      time: new Date(item.at),
      tagOverrides: this.#tags(item, parent),
      properties,
    };
  }

  #exception(item: ExceptionItem, parent: string | undefined): Contracts.ExceptionTelemetry {
    // What a script threw arrives as its stack, whose first line is the message.
    const [first = item.code] = item.message.split('\n');
    const exception = new Error(first);
    exception.name = item.code;
    exception.stack = item.message.slice(0, LONGEST_MESSAGE);
    return { exception, time: new Date(item.at), tagOverrides: this.#tags(item, parent), properties: this.#properties(item) };
  }

  /** Dimensions of the Python server: reference/telemetry.md, section 7. */
  #properties({ requestId, clientRequestId }: Pick<InsightItem, 'requestId' | 'clientRequestId'>): Record<string, string> {
    const { containerId, workspaceName, serviceName } = this.#settings;
    return {
      'Container Id': containerId,
      ...(requestId !== undefined && { 'Request Id': requestId }),
      ...(clientRequestId !== undefined && { 'Client Request Id': clientRequestId }),
      'Workspace Name': workspaceName,
      'Service Name': serviceName,
    };
  }

  #tags({ traceId }: InsightItem, parent: string | undefined, name?: string): Record<string, string> {
    const { keys } = this.#client.context;
    return {
      ...(traceId !== undefined && { [keys.operationId]: traceId }),
      ...(parent !== undefined && { [keys.operationParentId]: parent }),
      ...(name !== undefined && { [keys.operationName]: name }),
    };
  }
}

function cut(properties: Record<string, string>, name: string, value: string): void {
  if (value.length > LONGEST_PROPERTY) properties['truncated'] = 'true';
  properties[name] = value.slice(0, LONGEST_PROPERTY);
}

function resultOf({ response, error }: Post, text: string): PostResult {
  if (response?.complete === true && response.statusCode !== undefined && error === undefined)
    return { status: response.statusCode, text, retryAfter: response.headers['retry-after'] };
  const said = error === undefined ? text.slice(0, 200) : `${error.code ?? error.name}: ${error.message}`;
  return { error: said, sent: !isBeforeSending(error) };
}

/** No byte of the request can have arrived: no address, no connection, or no trust. */
function isBeforeSending(error: NodeJS.ErrnoException | undefined): boolean {
  return (
    error?.syscall === 'connect' ||
    error?.syscall === 'getaddrinfo' ||
    /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO)/.test(error?.code ?? '')
  );
}
