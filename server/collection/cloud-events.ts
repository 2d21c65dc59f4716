import { BlockWriter } from './block-writer.ts';
import { V1, type Block, type Payload } from './block.ts';
import { readData, readQuery, type Data } from './payload-data.ts';
import { RecordIds } from './record-ids.ts';
import type { CollectHead } from '../collect-head.ts';
import { Body, exchangeBytes, isKept, type BodyState, type ExchangeRecord, type Side } from './records.ts';
import type { CollectionSettings } from './settings.ts';

/** A line must fit into one block of an append blob (4 MiB) with its attributes. */
const LARGEST_INLINE = 4 * 1024 * 1024 - 64 * 1024;
/** Larger data is a block of its own. */
const LARGEST_SHARED = 64 * 1024;

const OMITTED: Record<BodyState, string> = {
  [Body.notCollected]: '',
  [Body.kept]: '',
  [Body.parsed]: '',
  [Body.written]: '',
  [Body.notRead]: 'not-read',
  [Body.tooLarge]: 'size',
  [Body.notRedacted]: 'redaction',
};

/** What a sink can do with payloads that do not fit into a line. */
export interface References {
  /** The address that a payload of this name (relative to the root) will have; undefined: the sink has no files. */
  reference(name: string): string | undefined;
  /** Largest data of a line where payloads cannot be stored beside it. */
  readonly largestInline: number;
}

/** What is said of a record beside its data. */
interface About {
  readonly collection: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** JSON. */
  readonly id: string;
  /** JSON members, each with a comma before it. */
  readonly attributes: string;
  readonly contentType?: string;
  /** Why there is no data. */
  readonly omitted?: string;
  readonly cost: number;
  readonly v1?: boolean;
}

/** Makes CloudEvents of records, in the layout of reference/data-collection.md, section 4. */
export class CloudEvents {
  readonly #settings: CollectionSettings;
  readonly #references: References;
  readonly #source: string;
  readonly #agent: string;
  readonly #emit: (block: Block) => void;
  readonly #request: BlockWriter;
  readonly #response: BlockWriter;
  readonly #ids = new RecordIds();
  #lastUrl = '';
  #lastMethod = '';
  #lastAttributes = '';
  #second = 0;
  #time = '';
  #hour = '';

  constructor(settings: CollectionSettings, references: References, agent: string, emit: (block: Block) => void) {
    this.#settings = settings;
    this.#references = references;
    this.#source = JSON.stringify(`/services/${settings.endpoint}/deployments/${settings.deployment}`);
    this.#agent = JSON.stringify(agent);
    this.#emit = emit;
    this.#request = new BlockWriter('request', emit);
    this.#response = new BlockWriter('response', emit);
  }

  /** The two halves of a request, of which one may not be collected. */
  exchange(record: ExchangeRecord): void {
    const { request, response, url } = record;
    const id = quote(record.id);
    // The memory of both is one buffer: the first record stands for it.
    const cost = exchangeBytes('', record);
    if (request.state !== Body.notCollected) {
      if (url !== this.#lastUrl || record.method !== this.#lastMethod) this.#describe(url, record.method);
      this.#half('request', id, record, request, this.#lastAttributes, cost);
    }
    if (response.state !== Body.notCollected)
      this.#half('response', id, record, response, `,"statuscode":${record.status}`, request.state === Body.notCollected ? cost : 0);
  }

  /** Path and method: the same for most requests. */
  #describe(url: string, method: string): void {
    const at = url.indexOf('?');
    this.#lastUrl = url;
    this.#lastMethod = method;
    this.#lastAttributes = `,"path":${quote(at < 0 ? url : url.slice(0, at))},"method":${quote(method)}`;
  }

  /** Rows that a script collected. @param cost what the host counts for them */
  rows(collection: string, head: CollectHead, rows: Buffer, cost: number): void {
    const version = quote(head.modelVersion ?? 'default');
    const v1 = head.v1 === undefined ? '' : `,${V1},"csvname":${quote(head.v1)}`;
    const attributes = `,"modelversion":${version},"collectdatatype":"pandas.core.frame.DataFrame","agent":${this.#agent}${v1}${extras(Object.entries(head.headers ?? {}).flat())}`;
    this.#write({ collection, time: head.time, id: quote(head.id), attributes, cost, v1: v1 !== '' }, { json: rows, bytes: rows.length });
  }

  /** Passes on what a batch came to. */
  flush(): void {
    this.#request.flush();
    this.#response.flush();
  }

  #half(collection: 'request' | 'response', id: string, { time, url }: ExchangeRecord, side: Side, own: string, cost: number): void {
    const attributes = own + extras(side.headers);
    const { state, contentType, body } = side;
    const kept = isKept(side);
    const about: About = { collection, time, id, attributes, contentType, omitted: OMITTED[state], cost };
    const [bytes] = body;
    if (kept && bytes !== undefined && bytes.length > 0) this.#write(about, readData(contentType, bytes, state));
    else this.#write(about, kept && collection === 'request' ? readQuery(url) : undefined);
  }

  #write(about: About, data: Data | undefined): void {
    const uuid = this.#ids.next();
    const seconds = this.#seconds(about.time);
    const hour = this.#hour;
    const placed = data === undefined ? undefined : this.#place(data, uuid, seconds, about.contentType ?? '');
    const omitted = placed?.omitted ?? about.omitted ?? '';
    const { id } = about;
    const head =
      `{"specversion":"1.0","id":"${uuid}","source":${this.#source},"type":"azureml.inference.${about.collection}",` +
      `"datacontenttype":"${placed?.contentType ?? 'application/json'}","time":"${seconds}"${placed?.member ?? ''}`;
    const tail = `,"correlationid":${id},"xrequestid":${id}${placed?.more ?? ''}${about.attributes}${omitted === '' ? '' : `,"dataomitted":"${omitted}"`}}\n`;
    const content = placed?.content ?? '';
    if (content.length <= LARGEST_SHARED && placed?.payload === undefined) {
      if (about.collection === 'request') return this.#request.add(hour, head, content, tail, about.cost);
      if (about.collection === 'response') return this.#response.add(hour, head, content, tail, about.cost);
    }
    return this.#emit({
      collection: about.collection,
      hour,
      v1: about.v1 === true,
      data: Buffer.concat([Buffer.from(head), typeof content === 'string' ? Buffer.from(content) : content, Buffer.from(tail)]),
      records: 1,
      cost: about.cost,
      counted: true,
      payloads: placed?.payload === undefined ? [] : [placed.payload],
    });
  }

  /** Where the data goes: into the line, or into a file of its own. */
  #place(data: Data, uuid: string, time: string, contentType: string): Placed {
    const bytes = 'json' in data ? data.bytes : data.binary.length;
    const more = `,"contentrange":"bytes 0-${Math.max(0, bytes - 1)}/${bytes}"`;
    if ('json' in data && bytes <= LARGEST_INLINE) return { member: ',"data":', content: data.json, more };
    const folder = `${this.#settings.endpoint}/${this.#settings.deployment}/${time.slice(0, 13).replaceAll(/[-T]/g, '/')}`;
    const name = `${folder}/${uuid}.${'json' in data ? 'json' : 'bin'}`;
    const reference = this.#references.reference(name);
    if (reference === undefined) {
      if (bytes > this.#references.largestInline) return { omitted: 'size' };
      if ('json' in data) return { member: ',"data":', content: data.json, more };
      return { member: `,"data_base64":"${data.binary.toString('base64')}"`, more, contentType: 'application/octet-stream' };
    }
    // Copies: the batch that they are views of is used again.
    if ('json' in data) {
      const payload = { name, contentType: 'application/json', body: Buffer.from(data.json as string) };
      return { member: `,"dataref":${quote(reference)}`, more, payload };
    }
    const payload = { name, contentType: contentType || 'application/octet-stream', body: Buffer.from(data.binary) };
    return { member: `,"data":${quote(reference)}`, more: `${more},"datainblob":"true"`, contentType: 'text/plain', payload };
  }

  /** RFC 3339 in whole seconds; the same for many records. */
  #seconds(time: number): string {
    const second = Math.floor(time / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
      this.#hour = this.#time.slice(0, 13);
    }
    return this.#time;
  }
}

interface Placed {
  readonly member?: string;
  /** The data, after `member`. */
  readonly content?: Buffer | string;
  readonly more?: string;
  readonly contentType?: string;
  readonly payload?: Payload;
  readonly omitted?: string;
}

const SAFE = /^[\w./ -]*$/;

/** A JSON string; ids and paths rarely need more than the quotes. */
const quote = (text: string): string => (SAFE.test(text) ? `"${text}"` : JSON.stringify(text));

const OWN = new Set(
  'specversion id source type datacontenttype time data data_base64 dataref dataomitted correlationid xrequestid contentrange path method statuscode modelversion collectdatatype agent datainblob layout csvname'.split(
    ' ',
  ),
);

/** Headers as attributes, whose names have letters and digits only; the fixed names win. @param pairs name, value, name, value, ... */
function extras(pairs: readonly string[]): string {
  if (pairs.length === 0) return '';
  const attributes = new Map<string, string>();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    if (name !== '' && !OWN.has(name)) attributes.set(name, pairs[at + 1] ?? '');
  }
  return [...attributes].map(([name, value]) => `,"${name}":${quote(value)}`).join('');
}
