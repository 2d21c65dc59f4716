import { randomUUID } from 'node:crypto';
import { dimensions, LONGEST_PROPERTY, LONGEST_URL, operationTags, serverTags } from './exporting/insights-fields.ts';
import type { ExportSettings, RequestItem } from './exporting/items.ts';
import { FormWriter, makeForm, type Form } from './form.ts';

const LONGEST_US = 24 * 3_600_000_000 - 1;

/** What differs between two requests of one kind. */
const BLANKS = [
  'time',
  'duration',
  'preciseDuration',
  'url',
  'requestId',
  'traceId',
  'spanId',
  'clientRequestId',
  'parentId',
  'response',
] as const;

/** Which of the texts that not every request has this one has, and whether its answer is cut. */
interface Has {
  readonly clientRequestId: boolean;
  readonly parentId: boolean;
  readonly response: boolean;
  readonly cut: boolean;
}

/**
 * Writes the envelopes of requests, as the package `applicationinsights` would: the thread only compresses and sends them. Objects that
 * are made, written as JSON, read and written again cost four times as much (server/README.md, "What telemetry costs").
 */
export class RequestEnvelopes {
  readonly #settings: ExportSettings;
  readonly #instrumentationKey: string;
  readonly #writer = new FormWriter();
  /** By kind: routes, methods and statuses are few. */
  readonly #forms = new Map<string, Form>();
  readonly #mark = randomUUID();
  #second = { at: 0, text: '' };

  constructor(settings: ExportSettings, instrumentationKey: string) {
    this.#settings = settings;
    this.#instrumentationKey = instrumentationKey;
  }

  /** @returns bytes */
  write(item: RequestItem): number {
    const { at, ms, url, requestId, clientRequestId, traceId, spanId, parentId, response } = item;
    const cut = response !== undefined && response.length > LONGEST_PROPERTY;
    const us = Math.min(Math.round(ms * 1000), LONGEST_US);
    const seconds = us < 1_000_000 ? '00:00:00' : new Date(us / 1000).toISOString().slice(11, 19);
    const decimals = String(1_000_000 + (us % 1_000_000));
    return this.#writer.write(this.#formOf(item, cut), [
      this.#time(Math.round(at)),
      `"${seconds}.${decimals.slice(1, 4)}"`,
      // The wire format has seven decimals.
      `"${seconds}.${decimals.slice(1)}0"`,
      JSON.stringify(url.length > LONGEST_URL ? url.slice(0, LONGEST_URL) : url),
      JSON.stringify(requestId),
      `"${traceId}"`,
      `"${spanId}"`,
      clientRequestId === undefined ? '' : JSON.stringify(clientRequestId),
      parentId === undefined ? '' : `"${parentId}"`,
      response === undefined ? '' : JSON.stringify(cut ? response.slice(0, LONGEST_PROPERTY) : response),
    ]);
  }

  /** What has been written since the last call: a line for each request. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#writer.take();
  }

  /** As JSON. Requests of the same second share most of it. */
  #time(at: number): string {
    const second = Math.floor(at / 1000);
    if (second !== this.#second.at) this.#second = { at: second, text: `"${new Date(second * 1000).toISOString().slice(0, 20)}` };
    return `${this.#second.text}${String(1000 + at - second * 1000).slice(1)}Z"`;
  }

  #formOf(item: RequestItem, cut: boolean): Form {
    const { method, route, status, clientRequestId, parentId, response } = item;
    const has = { clientRequestId: clientRequestId !== undefined, parentId: parentId !== undefined, response: response !== undefined, cut };
    const kind = `${status}${Number(has.clientRequestId)}${Number(has.parentId)}${Number(has.response)}${Number(cut)}${method} ${route}`;
    const known = this.#forms.get(kind);
    if (known !== undefined) return known;
    const form = makeForm(JSON.stringify(this.#envelope(item, has)), new RegExp(`"${this.#mark}-(\\d+)"`));
    this.#forms.set(kind, form);
    return form;
  }

  /** The envelope of a request of that kind, with marks for what differs: reference/telemetry.md, section 6. */
  #envelope({ method, route, status }: RequestItem, has: Has): object {
    const mark = (blank: (typeof BLANKS)[number]): string => `${this.#mark}-${BLANKS.indexOf(blank)}`;
    const name = `${method} ${route}`;
    const clientRequestId = has.clientRequestId ? mark('clientRequestId') : undefined;
    const parentId = has.parentId ? mark('parentId') : undefined;
    return {
      ver: 1,
      name: `Microsoft.ApplicationInsights.${this.#instrumentationKey.replaceAll('-', '')}.Request`,
      time: mark('time'),
      iKey: this.#instrumentationKey,
      sampleRate: 100,
      tags: {
        ...serverTags(this.#settings),
        'ai.operation.name': name,
        ...operationTags({ traceId: mark('traceId'), parentId }),
      },
      data: {
        baseType: 'RequestData',
        baseData: {
          ver: 2,
          id: mark('spanId'),
          name,
          url: mark('url'),
          duration: mark('preciseDuration'),
          responseCode: String(status),
          success: status < 400,
          properties: {
            ...dimensions(this.#settings, { requestId: mark('requestId'), clientRequestId }),
            ...(has.response && { 'Response Value': mark('response') }),
            ...(has.cut && { truncated: 'true' }),
            name: route,
            url: mark('url'),
            start_time: mark('time'),
            duration: mark('duration'),
            resultCode: String(status),
            success: status < 400 ? 'True' : 'False',
            http_method: method,
          },
        },
      },
    };
  }
}
