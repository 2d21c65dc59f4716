import type { Contracts, TelemetryClient } from 'applicationinsights';
import { constants, gzipSync } from 'node:zlib';
import type { Delivery } from './delivery.ts';
import { deliveryOf } from './ingestion.ts';
import { addCut, dimensions, LONGEST_MESSAGE, operationTags, serverTags } from './insights-fields.ts';
import type { ExceptionItem, ExportSettings, InsightItem, TraceItem } from './items.ts';
import { Poster } from './post.ts';

/** Half the time of level 6 for a tenth more bytes: envelopes are much alike. */
const COMPRESSION = { level: constants.Z_BEST_SPEED, memLevel: constants.Z_MAX_MEMLEVEL };
const LINE_END = 0x0a;

type Severities = Readonly<Record<TraceItem['level'], Contracts.SeverityLevel>>;

/** An item as it is sent. */
export interface Envelope {
  readonly kind: InsightItem['kind'];
  /** Of what the host handed over. */
  readonly size: number;
  /** JSON and the end of its line. */
  readonly line: Uint8Array;
}

/**
 * Sends items to Application Insights. The package `applicationinsights`, loaded here and nowhere else, reads the connection string and
 * makes the envelopes of all but requests. It does not send: its sender writes and compresses each envelope by itself, at the priority of
 * scoring, and keeps statuses to itself.
 */
export class Insights {
  readonly #client: TelemetryClient;
  readonly #settings: ExportSettings;
  readonly #poster: Poster;
  readonly #severities: Severities;
  #made: Contracts.EnvelopeTelemetry | undefined;

  private constructor(client: TelemetryClient, settings: ExportSettings, severities: Severities) {
    this.#client = client;
    this.#settings = settings;
    this.#severities = severities;
    const channel = { send: (envelope: Contracts.EnvelopeTelemetry): void => void (this.#made = envelope) };
    client.channel = channel as unknown as TelemetryClient['channel'];
    const headers = { 'content-type': 'application/x-json-stream', 'content-encoding': 'gzip' };
    this.#poster = new Poster(client.config.endpointUrl, headers);
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

  /** @param lines envelopes, a line each */
  readRequests(lines: Uint8Array): Envelope[] {
    const envelopes: Envelope[] = [];
    for (let start = 0; start < lines.length;) {
      const end = lines.indexOf(LINE_END, start) + 1;
      envelopes.push({ kind: 'request', size: end - start, line: lines.subarray(start, end) });
      start = end;
    }
    return envelopes;
  }

  /** @param line JSON of an item that is no request */
  read(line: string): Envelope {
    const item = JSON.parse(line) as TraceItem | ExceptionItem;
    if (item.kind === 'trace') this.#client.trackTrace(this.#trace(item));
    else this.#client.trackException(this.#exception(item));
    return { kind: item.kind, size: line.length, line: Buffer.from(`${JSON.stringify(this.#made)}\n`) };
  }

  /** One POST. Never rejects. */
  async send(envelopes: readonly Envelope[]): Promise<Delivery<Envelope>> {
    // Here and not in the pool of threads, whose priority is that of scoring. The last line does not end.
    const body = gzipSync(Buffer.concat(envelopes.map(({ line }) => line)).subarray(0, -1), COMPRESSION);
    return deliveryOf(envelopes, await this.#poster.post(body));
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
