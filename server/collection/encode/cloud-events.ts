import { headerAttributes, quote } from './attributes.ts';
import { BlockWriter } from './block-writer.ts';
import { V1, type Block } from './block.ts';
import { LINE_START, LineFrame } from './line-frame.ts';
import { readData, readQuery, type Data } from './payload-data.ts';
import { NO_DATA, placeData, type References } from './place-data.ts';
import { RecordIds } from './record-ids.ts';
import type { CollectHead } from '../../ipc/collected-rows.ts';
import { Body, isKept, type BodyState, type ExchangeRecord, type Side } from '../records.ts';
import type { CollectionSettings } from '../settings.ts';

/** Larger data is a block of its own. */
const LARGEST_SHARED = 64 * 1024;

/** The last second of RFC 3339, whose years have four digits. */
const LAST_SECOND = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

const OMITTED: Record<BodyState, string> = {
  [Body.notCollected]: '',
  [Body.kept]: '',
  [Body.parsed]: '',
  [Body.written]: '',
  [Body.partial]: '',
  [Body.notRead]: 'not-read',
  [Body.tooLarge]: 'size',
  [Body.notRedacted]: 'redaction',
  [Body.noMemory]: 'memory',
};

/** A record without its data. */
interface About {
  readonly collection: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** JSON members: the ids of the request. */
  readonly ids: Buffer;
  /** JSON members, each with a comma before it. */
  readonly attributes: string;
  readonly contentType?: string;
  /** Why there is no data; empty where there is. */
  readonly omitted?: string;
  /** True where the data is the beginning of a stream that has not ended. */
  readonly partial?: boolean;
  readonly v1?: boolean;
}

/** Makes CloudEvents of records: docs/data-collection.md. */
export class CloudEvents {
  readonly #settings: CollectionSettings;
  readonly #references: References;
  readonly #source: string;
  readonly #agent: string;
  /** True where the sink needs the names of captured headers. */
  readonly #named: boolean;
  readonly #emit: (block: Block) => void;
  readonly #tooLarge: (collection: string) => void;
  readonly #request: BlockWriter;
  readonly #response: BlockWriter;
  readonly #recordIds = new RecordIds(LINE_START);
  readonly #frames = new Map<string, LineFrame>();
  #url = '';
  #method = '';
  #requestAttributes = '';
  #status = -1;
  #responseAttributes = '';
  #second = -1;
  #time = '';
  #hour = '';

  /** @param tooLarge is told of data that the sink cannot take, and the line goes without */
  constructor(
    settings: CollectionSettings,
    references: References,
    agent: string,
    emit: (block: Block) => void,
    tooLarge: (collection: string) => void = () => undefined,
  ) {
    this.#settings = settings;
    this.#references = references;
    this.#source = JSON.stringify(`/services/${uriSegment(settings.endpoint)}/deployments/${uriSegment(settings.deployment)}`);
    this.#named = settings.sink.kind === 'azureml';
    this.#agent = JSON.stringify(agent);
    this.#emit = emit;
    this.#tooLarge = tooLarge;
    this.#request = new BlockWriter('request', emit);
    this.#response = new BlockWriter('response', emit);
  }

  /** Adds the two records of a request, of which one may not be collected. */
  exchange(record: ExchangeRecord): void {
    const { request, response } = record;
    const ids = idsOf(record.id);
    if (request.state !== Body.notCollected) this.#half('request', ids, record, request, this.#aboutRequest(record));
    if (response.state !== Body.notCollected) this.#half('response', ids, record, response, this.#aboutResponse(record));
  }

  /** Path and method, made once for neighbours that share them. */
  #aboutRequest({ url, method }: ExchangeRecord): string {
    if (url !== this.#url || method !== this.#method) {
      const at = url.indexOf('?');
      this.#url = url;
      this.#method = method;
      this.#requestAttributes = `,"path":${quote(at < 0 ? url : url.slice(0, at))},"method":${quote(method)}`;
    }
    return this.#requestAttributes;
  }

  #aboutResponse({ status }: ExchangeRecord): string {
    if (status !== this.#status) {
      this.#status = status;
      this.#responseAttributes = `,"statuscode":${status}`;
    }
    return this.#responseAttributes;
  }

  /** Adds rows that a script collected. */
  rows(collection: string, head: CollectHead, rows: Buffer): void {
    const version = quote(head.modelVersion ?? 'default');
    const v1 = head.v1 === undefined ? '' : `,${V1},"csvname":${quote(head.v1)}`;
    const attributes = `,"modelversion":${version},"collectdatatype":"pandas.core.frame.DataFrame","agent":${this.#agent}${v1}${headerAttributes(Object.entries(head.headers ?? {}).flat(), this.#named)}`;
    this.#write({ collection, time: head.time, ids: idsOf(head.id), attributes, v1: v1 !== '' }, { json: rows, bytes: rows.length });
  }

  /** Passes on the blocks of a batch. */
  flush(): void {
    this.#request.flush();
    this.#response.flush();
  }

  #half(collection: 'request' | 'response', ids: Buffer, { time, url }: ExchangeRecord, side: Side, own: string): void {
    const { state, contentType, headers, body } = side;
    const attributes = headers.length === 0 ? own : own + headerAttributes(headers, this.#named);
    const kept = isKept(side);
    const about: About = { collection, time, ids, attributes, contentType, omitted: OMITTED[state], partial: state === Body.partial };
    const [bytes] = body;
    if (kept && bytes !== undefined && bytes.length > 0) this.#write(about, readData(contentType, bytes, state));
    else this.#write(about, kept && collection === 'request' ? readQuery(url) : undefined);
  }

  #write(about: About, data: Data | undefined): void {
    const { collection, ids, v1 = false, partial = false } = about;
    const start = this.#recordIds.next();
    const time = this.#seconds(about.time);
    const hour = this.#hour;
    const { member, content, bytes, more, contentType, payload, omitted } =
      data === undefined ? NO_DATA : placeData(data, about.contentType ?? '', this.#references, () => this.#name(time));
    if (omitted !== undefined) this.#tooLarge(collection);
    const frame = this.#frame(collection);
    const parts = [
      start,
      frame.opening(contentType ?? 'application/json', time),
      member,
      content,
      ids,
      frame.closing(bytes, attributesOf(about, more, omitted), partial),
    ];
    if (content.length <= LARGEST_SHARED && payload === undefined) {
      if (collection === 'request') return this.#request.add(hour, parts);
      if (collection === 'response') return this.#response.add(hour, parts);
    }
    const line = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    return this.#emit({
      collection,
      hour,
      v1,
      data: line,
      records: 1,
      counted: true,
      payloads: payload === undefined ? [] : [payload],
    });
  }

  /** Name of a payload, relative to the root, without its extension. */
  #name(time: string): string {
    const { endpoint, deployment } = this.#settings;
    return `${endpoint}/${deployment}/${time.slice(0, 13).replaceAll(/[-T]/g, '/')}/${this.#recordIds.id}`;
  }

  #frame(collection: string): LineFrame {
    let frame = this.#frames.get(collection);
    if (frame === undefined) this.#frames.set(collection, (frame = new LineFrame(this.#source, collection)));
    return frame;
  }

  /**
   * RFC 3339 in whole seconds, made once for neighbours that share it. A time that it cannot write,
   * which only a script brings, is now.
   */
  #seconds(time: number): string {
    const given = Math.floor(time / 1000);
    const second = given >= 0 && given <= LAST_SECOND ? given : Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
      this.#hour = this.#time.slice(0, 13);
    }
    return this.#time;
  }
}

/** A name as one segment of the path of a URI: RFC 3986. */
const uriSegment = (name: string): string => encodeURIComponent(name.toWellFormed());

function idsOf(id: string): Buffer {
  const quoted = quote(id);
  return Buffer.from(`,"correlationid":${quoted},"xrequestid":${quoted}`);
}

function attributesOf({ attributes, omitted: before = '', partial = false }: About, more = '', omitted = before): string {
  let all = more === '' ? attributes : more + attributes;
  if (partial) all += ',"datapartial":"true"';
  return omitted === '' ? all : `${all},"dataomitted":"${omitted}"`;
}
