import type { Contracts, TelemetryClient } from 'applicationinsights';
import { constants, gzipSync } from 'node:zlib';
import type { Delivery } from './delivery-queue.ts';
import { deliveryOf } from './ingestion.ts';
import { addCut, dimensions, LONGEST_MESSAGE, operationTags, serverTags } from './insights-fields.ts';
import type { ExceptionItem, ExportSettings, InsightItem, TraceItem } from './items.ts';
import { Poster } from '../../delivery/post.ts';
import { pythonTraceback, type PythonFrame } from '../../guards/python-traceback.ts';
import { RequestTemplates, type Blanks } from './request-templates.ts';
import { CUT, HEAD_BITS, type RequestHead } from './request-line.ts';
import { TemplateWriter, makeTemplate, type FilledTemplate } from './template.ts';

/** Half the CPU time of level 6 for a tenth more bytes, because envelopes are much alike. */
const COMPRESSION = { level: constants.Z_BEST_SPEED, memLevel: constants.Z_MAX_MEMLEVEL };
/** Matches no blank. */
const NO_BLANK = /$^/;

type Severities = Readonly<Record<TraceItem['level'], Contracts.SeverityLevel>>;

/** An item in the form in which it is sent: made once, and kept until it is settled. */
export interface Envelope extends FilledTemplate {
  readonly kind: InsightItem['kind'];
}

/**
 * Sends items to Application Insights. The package `applicationinsights` reads the connection
 * string and makes the envelopes, of requests the first of each head. It does not send. Why: its
 * sender writes each envelope as JSON, compresses at the priority of scoring, and exposes no
 * status.
 */
export class Insights {
  readonly #client: TelemetryClient;
  readonly #settings: ExportSettings;
  readonly #poster: Poster;
  readonly #severities: Severities;
  readonly #templates = new RequestTemplates((head, texts) => this.#request(head, texts));
  readonly #writer = new TemplateWriter();
  #made: Contracts.EnvelopeTelemetry | undefined;

  private constructor(client: TelemetryClient, settings: ExportSettings, severities: Severities) {
    this.#client = client;
    this.#settings = settings;
    this.#severities = severities;
    const channel = { send: (envelope: Contracts.EnvelopeTelemetry): void => void (this.#made = envelope) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a channel the client calls `send` alone
    client.channel = channel as unknown as TelemetryClient['channel'];
    const headers = { 'content-type': 'application/x-json-stream', 'content-encoding': 'gzip' };
    this.#poster = new Poster(client.config.endpointUrl, headers, settings.proxies);
  }

  /** @throws whatever the package throws where it cannot be set up */
  static async open(settings: ExportSettings, connectionString: string): Promise<Insights> {
    const { default: package_ } = await import('applicationinsights');
    package_.Configuration.setInternalLogging(false, false);
    // Neither `setup()` nor `start()`, because those collect by themselves.
    const client = new package_.TelemetryClient(connectionString);
    client.config.samplingPercentage = 100;
    // The package's own tags describe the machine, not the container.
    client.context.tags = serverTags(settings);
    const { Verbose, Information, Warning, Error: Failure } = package_.Contracts.SeverityLevel;
    return new Insights(client, settings, { debug: Verbose, info: Information, warn: Warning, error: Failure });
  }

  /** @param line of a request (see `writeRequestLine`), or JSON of another item */
  read(line: string): Envelope {
    if (!line.startsWith('{')) return this.#readRequest(line);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the host's outbox has written it, in this process
    const item = JSON.parse(line) as TraceItem | ExceptionItem;
    if (item.kind === 'trace') this.#client.trackTrace(this.#trace(item));
    else this.#client.trackException(this.#exception(item));
    return { kind: item.kind, template: makeTemplate(JSON.stringify(this.#made), NO_BLANK), values: [] };
  }

  #readRequest(line: string): Envelope {
    const { template, values } = this.#templates.fill(line);
    return { kind: 'request', template, values };
  }

  /** One POST. Never rejects. */
  async send(envelopes: readonly Envelope[]): Promise<Delivery<Envelope>> {
    // Synchronous, because libuv's threads have the priority of scoring. This thread has the
    // lowest.
    const body = gzipSync(this.#writer.lines(envelopes), COMPRESSION);
    return deliveryOf(envelopes, await this.#poster.post(body));
  }

  #request({ method, route, status, has }: RequestHead, texts: Blanks): object {
    const { time, url, duration, preciseDuration, requestId, traceId, spanId: id, clientRequestId = '', parentId, response } = texts;
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
    // The package takes no texts for time and duration.
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
    const { message, frames } = splitStack(item.message.slice(0, LONGEST_MESSAGE));
    const exception = new Error(message);
    exception.name = item.code;
    exception.stack = frames;
    return { exception, time: new Date(item.at), tagOverrides: operationTags(item), properties: dimensions(this.#settings, item) };
  }
}

/**
 * The text of a script's failure (`stackOfThrown`) as a message, its first line with those of its
 * causes, and the frames of the outermost error. Why only those: the package reads each line that
 * looks like a frame as one of the same stack.
 */
function splitStack(text: string): { readonly message: string; readonly frames: string } {
  const python = pythonTraceback(text);
  if (python !== undefined) return { message: python.told.join('; '), frames: python.frames.map(frameText).join('\n') };
  const lines = text.split('\n');
  const first = lines.findIndex(isFrame);
  const after = lines.findIndex((line, at) => at > first && !isFrame(line));
  const causes = lines.map((line) => /^ +\[cause\]: (.+)$/.exec(line)?.[1]).filter((cause) => cause !== undefined);
  const message = [lines[0] ?? '', ...causes].map((line) => line.replace(/ \{$/, '')).join('; cause: ');
  const frames = first < 0 ? [] : lines.slice(first, after < 0 ? undefined : after);
  // A field or a cause follows the last frame in its line.
  return { message, frames: frames.map((line) => line.replace(/ \{$/, '')).join('\n') };
}

/** As V8 writes a frame, which is what the package reads. */
function frameText({ name, file, line }: PythonFrame): string {
  return `    at ${name} (${file}:${line}:0)`;
}

const isFrame = (line: string): boolean => /^ +at /.test(line);
