import type { Contracts, TelemetryClient } from 'applicationinsights';
import { constants, gzipSync } from 'node:zlib';
import type { Delivery } from './delivery-queue.ts';
import { deliveryOf } from './ingestion.ts';
import { FormWriter, makeForm, type FilledForm } from './form.ts';
import { addCut, dimensions, LONGEST_MESSAGE, operationTags, serverTags } from './insights-fields.ts';
import type { ExceptionItem, ExportSettings, InsightItem, TraceItem } from './items.ts';
import { Poster } from './post.ts';
import { RequestForms, type Blanks } from './request-forms.ts';
import { CUT, HEAD_BITS, type RequestHead } from './request-line.ts';

/** Half the time of level 6 for a tenth more bytes: envelopes are much alike. */
const COMPRESSION = { level: constants.Z_BEST_SPEED, memLevel: constants.Z_MAX_MEMLEVEL };
/** A text that has no blank. */
const NO_BLANK = /$^/;

type Severities = Readonly<Record<TraceItem['level'], Contracts.SeverityLevel>>;

/** An item as it is sent: made once, and kept until it is settled. */
export interface Envelope extends FilledForm {
  readonly kind: InsightItem['kind'];
}

/**
 * Sends items to Application Insights. The package `applicationinsights`, loaded here and nowhere else, reads the connection string and
 * makes the envelopes, of requests the first of a kind. It does not send: its sender writes each envelope as JSON, compresses at the
 * priority of scoring, and keeps statuses to itself.
 */
export class Insights {
  readonly #client: TelemetryClient;
  readonly #settings: ExportSettings;
  readonly #poster: Poster;
  readonly #severities: Severities;
  readonly #forms = new RequestForms((head, texts) => this.#request(head, texts));
  readonly #writer = new FormWriter();
  #made: Contracts.EnvelopeTelemetry | undefined;

  private constructor(client: TelemetryClient, settings: ExportSettings, severities: Severities) {
    this.#client = client;
    this.#settings = settings;
    this.#severities = severities;
    const channel = { send: (envelope: Contracts.EnvelopeTelemetry): void => void (this.#made = envelope) };
    client.channel = channel as unknown as TelemetryClient['channel'];
    const headers = { 'content-type': 'application/x-json-stream', 'content-encoding': 'gzip' };
    this.#poster = new Poster(client.config.endpointUrl, headers, settings.proxies);
  }

  /**
   * @throws what the package throws when it cannot be set up
   */
  static async open(settings: ExportSettings, connectionString: string): Promise<Insights> {
    const { default: package_ } = await import('applicationinsights');
    package_.Configuration.setInternalLogging(false, false);
    // No `setup()`, no `start()`: those collect by themselves.
    const client = new package_.TelemetryClient(connectionString);
    client.config.samplingPercentage = 100;
    // What the package knows of the machine says nothing of a container.
    client.context.tags = serverTags(settings);
    const { Verbose, Information, Warning, Error: Failure } = package_.Contracts.SeverityLevel;
    return new Insights(client, settings, { debug: Verbose, info: Information, warn: Warning, error: Failure });
  }

  /** @param line of a request (see `writeRequestLine`), or JSON of another item */
  read(line: string): Envelope {
    if (!line.startsWith('{')) return this.#readRequest(line);
    const item = JSON.parse(line) as TraceItem | ExceptionItem;
    if (item.kind === 'trace') this.#client.trackTrace(this.#trace(item));
    else this.#client.trackException(this.#exception(item));
    return { kind: item.kind, form: makeForm(JSON.stringify(this.#made), NO_BLANK), values: [] };
  }

  #readRequest(line: string): Envelope {
    const { form, values } = this.#forms.fill(line);
    return { kind: 'request', form, values };
  }

  /** One POST. Never rejects. */
  async send(envelopes: readonly Envelope[]): Promise<Delivery<Envelope>> {
    // Here and not in the pool of threads, whose priority is that of scoring.
    const body = gzipSync(this.#writer.lines(envelopes), COMPRESSION);
    return deliveryOf(envelopes, await this.#poster.post(body));
  }

  #request({ method, route, status, has }: RequestHead, texts: Blanks): object {
    const { time, url, duration, preciseDuration, requestId, traceId, spanId: id, clientRequestId, parentId, response } = texts;
    const name = `${method} ${route}`;
    const success = status < 400;
    const properties = {
      ...dimensions(this.#settings, { requestId, clientRequestId }),
      ...((has & CUT) !== 0 && { truncated: 'true' }),
      ...((has & HEAD_BITS.response) !== 0 && { 'Response Value': response }),
      name: route,
      url,
      start_time: time,
      duration,
      resultCode: String(status),
      success: success ? 'True' : 'False',
      http_method: method,
    };
    const tagOverrides = { ...operationTags({ traceId, parentId }), 'ai.operation.name': name };
    this.#client.trackRequest({ id, name, url, duration: 0, resultCode: status, success, properties, tagOverrides });
    // Of these two the package takes no texts.
    const { data, ...envelope } = this.#made ?? {};
    return { ...envelope, time, data: { ...data, baseData: { ...data?.baseData, duration: preciseDuration } } };
  }

  #trace(item: TraceItem): Contracts.TraceTelemetry {
    const properties = dimensions(this.#settings, item);
    for (const [name, value] of Object.entries(item.properties ?? {})) addCut(properties, name, value);
    if (item.message === 'model_data_collection') properties['Models'] = JSON.stringify(this.#settings.models);
    return {
      message: item.message.slice(0, LONGEST_MESSAGE),
      severity: this.#severities[item.level],
      time: new Date(item.at),
      tagOverrides: operationTags(item),
      properties,
    };
  }

  #exception(item: ExceptionItem): Contracts.ExceptionTelemetry {
    // What a script threw arrives as its stack, whose first line is the message.
    const [first = item.code] = item.message.split('\n');
    const exception = new Error(first);
    exception.name = item.code;
    exception.stack = item.message.slice(0, LONGEST_MESSAGE);
    return { exception, time: new Date(item.at), tagOverrides: operationTags(item), properties: dimensions(this.#settings, item) };
  }
}
